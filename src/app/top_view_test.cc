// What is drawn, and what keys do to it.
#include "app/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

namespace candlewick::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Decimal decimal(std::string_view text) {
  return Decimal::parse(text).value();
}

TopState a_state() {
  TopState state{.url = "http://127.0.0.1:8000",
                 .status = "ok",
                 .version = "0.1.0",
                 .warehouse = "SQLite",
                 .time = time_from_ms(1'768'478'400'000)};
  state.feeds = {
      {.venue = "binance",
       .is_connected = true,
       .sessions = 2,
       .live_sessions = 2,
       .age_ms = 106,
       .frames = 2033,
       .frames_per_second = 145.2,
       .gaps = 0,
       .missing = 0,
       .reconnects = 1},
      {.venue = "kraken", .sessions = 1, .gaps = 2, .missing = 7, .last_error = "refused"}};
  state.instruments = {{.exchange = "binance",
                        .symbol = "BTC/USDT",
                        .last_price = decimal("64413.06"),
                        .change_pct_24h = 1.394,
                        .bid = decimal("64413.06"),
                        .ask = decimal("64413.09"),
                        .age_ms = 7,
                        .newest_candle = time_from_ms(1'768'478'340'000)},
                       {.exchange = "binance",
                        .symbol = "ETH/USDT",
                        .last_price = decimal("3200.75"),
                        .change_pct_24h = -0.5},
                       {.exchange = "kraken", .symbol = "币安人生/USDT", .is_stale = true}};
  state.sinks = {{.name = "sqlite",
                  .state = "live",
                  .lag_rows = 4,
                  .lag_seconds = 0.2,
                  .rows_per_second = 197.48},
                 {.name = "webhook",
                  .state = "backing_off",
                  .lag_rows = 900,
                  .lag_seconds = 200,
                  .errors = 3,
                  .dead_letters = 1,
                  .last_error = "HTTP 500"}};
  state.log = {.committed_rows = 11'849,
               .last_sequence = 11'849,
               .queued_rows = 0,
               .bytes = 5 << 20,
               .budget_bytes = std::int64_t{4} << 30};
  state.coverage = {{.exchange = "binance",
                     .symbol = "BTC/USDT",
                     .timeframe = "1m",
                     .minutes = {{"live", 99'999}, {"missing", 1}}}};
  return state;
}

std::vector<std::string> lines_of(const TopState& state, TopView view, std::size_t width = 120,
                                  std::size_t height = 12) {
  return top_screen(state, view, width, height, false).lines;
}

KeyPress character(std::string text) {
  return {Key::character, std::move(text)};
}

TEST(TopScreen, ShowsInstruments) {
  const auto lines = lines_of(a_state(), {});
  ASSERT_EQ(lines.size(), 12U);
  EXPECT_EQ(lines[0], "candlewick 0.1.0  http://127.0.0.1:8000  ok  2026-01-15T12:00:00Z");
  EXPECT_EQ(lines[1],
            "log 11849 rows, 5.0 MiB of 4096.0 MiB   feeds 1/2   instruments 3   sinks 2   SQLite  "
            " 7 candles missing");
  EXPECT_EQ(lines[3], " 1 feeds  [2 instruments]  3 sinks   4 coverage  ");
  EXPECT_THAT(lines[4], HasSubstr("newest candle"));
  EXPECT_EQ(lines[5],
            "binance   BTC/USDT      64413.06 +1.39% 0.03 (0.00 bp) 0.0 s 2026-01-15 11:59 ");
  EXPECT_EQ(lines[6],
            "binance   ETH/USDT       3200.75 -0.50%              –     –                – ");
  EXPECT_EQ(lines[7],
            "kraken    币安人生/USDT        –      –              –     –                – stale");
  EXPECT_EQ(lines[11], "1–3 of 3  q quit  tab panel  ↑↓ scroll  / filter  s sort  r reverse");
}

TEST(TopScreen, ShowsFeedsSinksAndCoverage) {
  const auto feeds = lines_of(a_state(), {.panel = TopPanel::feeds});
  EXPECT_EQ(feeds[5], "binance live 2/2 0.1 s     145      2033     0        0           1 ");
  EXPECT_EQ(feeds[6],
            "kraken  down 0/1     –       –         0     2        7           0 refused");
  const auto sinks = lines_of(a_state(), {.panel = TopPanel::sinks});
  EXPECT_EQ(sinks[5],
            "sqlite  live                4      0.2 s     197       0             0        0 ");
  EXPECT_EQ(sinks[6],
            "webhook backing_off       900 3 min 20 s       0       3             1        0 HTTP "
            "500");
  const auto coverage = lines_of(a_state(), {.panel = TopPanel::coverage});
  EXPECT_THAT(coverage[5], HasSubstr("binance   BTC/USDT 1m         99.99% 99999"))
      << "a minute that is missing is never rounded away";
}

TEST(TopScreen, NeverLeavesItsBounds) {
  auto state = a_state();
  state.problems = {"sink webhook: backing_off: HTTP 500\033[2J", "another"};
  for (int i = 0; i < 40; ++i)
    state.instruments.push_back({.exchange = "okx", .symbol = fmt::format("COIN{}/USDT", i)});
  for (std::size_t width = 1; width <= 130; width += 3) {
    for (std::size_t height = 1; height <= 40; height += 3) {
      for (std::size_t panel = 0; panel < top_panels; ++panel) {
        TopView view{.panel = static_cast<TopPanel>(panel), .first_row = 1000};
        const auto screen = top_screen(state, view, width, height, false);
        ASSERT_EQ(screen.lines.size(), height);
        for (const auto& line : screen.lines) {
          ASSERT_LE(width_of(line), width) << line;
          ASSERT_EQ(line.find('\033'), std::string::npos) << line;
        }
      }
    }
  }
}

TEST(TopScreen, TakesItsColoursOnlyWhenItIsAsked) {
  TopView view;
  std::string coloured;
  for (const auto& line : top_screen(a_state(), view, 100, 20, true).lines) coloured += line + "\n";
  EXPECT_THAT(coloured, HasSubstr("\033[32mok\033[0m"));
  EXPECT_THAT(coloured, HasSubstr("\033[32m+1.39%\033[0m"));
  EXPECT_THAT(coloured, HasSubstr("\033[31m"));
  // The same words without them.
  std::string plain;
  for (std::size_t i = 0; i < coloured.size();) {
    if (coloured[i] == '\033') {
      i = coloured.find('m', i) + 1;
    } else {
      plain += coloured[i++];
    }
  }
  std::string expected;
  for (const auto& line : lines_of(a_state(), {}, 100, 20)) expected += line + "\n";
  EXPECT_EQ(plain, expected);
}

TEST(TopScreen, SaysWhatIsWrong) {
  auto state = a_state();
  state.problems = {"kraken: not connected", "sink webhook: backing_off"};
  EXPECT_EQ(lines_of(state, {})[2], "kraken: not connected (+1)");
  state.trouble = "http://127.0.0.1:8000: connection refused";
  const auto lines = lines_of(state, {});
  EXPECT_THAT(lines[0], HasSubstr("not reached"));
  EXPECT_EQ(lines[2], state.trouble);
  EXPECT_THAT(lines[5], HasSubstr("64413.06")) << "the last that was known stays";
  EXPECT_THAT(lines_of({.url = "http://127.0.0.1:1"}, {})[0], HasSubstr("asking…"));
}

TEST(TopKeys, AreReadFromWhatATerminalSends) {
  std::string typed = "q\033[A\033[B\033OA\033[5~\033[6~\t\033[Z\r\x7F\033[H\033[4~é\033[15~s";
  EXPECT_THAT(take_keys(typed),
              ElementsAre(character("q"), KeyPress{Key::up}, KeyPress{Key::down}, KeyPress{Key::up},
                          KeyPress{Key::page_up}, KeyPress{Key::page_down}, KeyPress{Key::tab},
                          KeyPress{Key::back_tab}, KeyPress{Key::enter}, KeyPress{Key::backspace},
                          KeyPress{Key::home}, KeyPress{Key::end}, character("é"), character("s")));
  EXPECT_EQ(typed, "");
  typed = "\033";
  EXPECT_THAT(take_keys(typed), ElementsAre(KeyPress{Key::escape}));
  typed = "x\033[";
  EXPECT_THAT(take_keys(typed), ElementsAre(character("x")));
  EXPECT_EQ(typed, "\033[") << "the rest may still come";
  typed += "A";
  EXPECT_THAT(take_keys(typed), ElementsAre(KeyPress{Key::up}));
  typed = "\033[" + std::string(100, ';');
  take_keys(typed);
  EXPECT_LT(typed.size(), 16U) << "nonsense does not pile up";
}

TEST(TopKeys, ChooseThePanel) {
  TopView view;
  press(view, {Key::tab}, 10);
  EXPECT_EQ(view.panel, TopPanel::sinks);
  press(view, {Key::back_tab}, 10);
  press(view, {Key::back_tab}, 10);
  EXPECT_EQ(view.panel, TopPanel::feeds);
  press(view, {Key::back_tab}, 10);
  EXPECT_EQ(view.panel, TopPanel::coverage);
  press(view, character("1"), 10);
  EXPECT_EQ(view.panel, TopPanel::feeds);
  press(view, character("5"), 10);
  EXPECT_EQ(view.panel, TopPanel::feeds);
  EXPECT_FALSE(view.is_over);
  press(view, character("q"), 10);
  EXPECT_TRUE(view.is_over);
}

TEST(TopKeys, ScrollAsFarAsThereAreRows) {
  TopState state;
  for (int i = 0; i < 30; ++i) state.instruments.push_back({.symbol = fmt::format("S{}", i)});
  TopView view;
  const auto first = [&] {
    const auto screen = top_screen(state, view, 80, 16, false);
    return screen.instruments.front();
  };
  ASSERT_EQ(first(), 0U);
  press(view, {Key::up}, 10);
  EXPECT_EQ(first(), 0U);
  press(view, {Key::down}, 10);
  EXPECT_EQ(first(), 1U);
  press(view, {Key::page_down}, 10);
  EXPECT_EQ(first(), 11U);
  press(view, {Key::end}, 10);
  EXPECT_EQ(first(), 20U);
  press(view, {Key::down}, 10);
  EXPECT_EQ(first(), 20U);
  press(view, {Key::page_up}, 10);
  EXPECT_EQ(first(), 10U);
  press(view, {Key::home}, 10);
  EXPECT_EQ(first(), 0U);
  state.instruments.resize(3);
  view.first_row = 20;
  EXPECT_EQ(first(), 0U) << "rows that went away take the view with them";
}

TEST(TopKeys, FilterWhileTyping) {
  TopView view;
  press(view, character("/"), 10);
  for (const auto* letter : {"q", "1", "u"}) press(view, character(letter), 10);
  EXPECT_FALSE(view.is_over) << "letters are letters now";
  EXPECT_EQ(view.filter, "q1u");
  EXPECT_THAT(lines_of(a_state(), view)[11], HasSubstr("filter: q1u_"));
  EXPECT_EQ(lines_of(a_state(), view)[5], "nothing matches the filter");
  for (int i = 0; i < 5; ++i) press(view, {Key::backspace}, 10);
  for (const auto* letter : {"e", "t", "h"}) press(view, character(letter), 10);
  press(view, {Key::enter}, 10);
  const auto lines = lines_of(a_state(), view);
  EXPECT_THAT(lines[5], HasSubstr("ETH/USDT")) << "in any case of letters";
  EXPECT_EQ(lines[6], "");
  EXPECT_THAT(lines[11], HasSubstr("1–1 of 1  filter: eth"));
  EXPECT_EQ(top_screen(a_state(), view, 80, 24, false).instruments, (std::vector<std::size_t>{1}));
  press(view, {Key::escape}, 10);
  EXPECT_EQ(view.filter, "");
  press(view, character("/"), 10);
  press(view, character("é"), 10);
  press(view, {Key::backspace}, 10);
  EXPECT_EQ(view.filter, "") << "a character of two bytes goes at once";
}

TEST(TopKeys, SortByEachColumnAndReverse) {
  const auto state = a_state();
  TopView view;
  const auto order = [&] { return top_screen(state, view, 120, 20, false).instruments; };
  press(view, character("s"), 10);  // exchange
  EXPECT_EQ(order(), (std::vector<std::size_t>{0, 1, 2}));
  press(view, character("r"), 10);
  EXPECT_EQ(order(), (std::vector<std::size_t>{2, 0, 1})) << "equals stay as they were";
  press(view, character("s"), 10);  // symbol
  press(view, character("s"), 10);  // last price, from the highest; what is unknown comes last
  EXPECT_EQ(order(), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_THAT(lines_of(state, view)[4], HasSubstr("last↓"));
  press(view, character("r"), 10);
  EXPECT_EQ(order(), (std::vector<std::size_t>{2, 1, 0}));
  EXPECT_THAT(lines_of(state, view)[4], HasSubstr("last↑"));
  press(view, character("s"), 10);  // change
  EXPECT_EQ(order(), (std::vector<std::size_t>{0, 1, 2}));
  press(view, {Key::tab}, 10);
  EXPECT_THAT(lines_of(state, view)[4], Not(HasSubstr("↓"))) << "each panel has its own order";
  press(view, {Key::back_tab}, 10);
  for (int i = 0; i < 5; ++i) press(view, character("s"), 10);
  EXPECT_EQ(view.orders[1].column, 0U) << "and around to the service's own";
}

TEST(TopSnapshot, HasEveryPanelAsText) {
  auto state = a_state();
  state.problems = {"kraken: not connected"};
  const auto text = top_snapshot(state, false);
  for (const auto* part : {"candlewick 0.1.0  http://127.0.0.1:8000  ok", "log 11849 rows",
                           "! kraken: not connected", "\nfeeds\n", "\ninstruments\n", "\nsinks\n",
                           "\ncoverage\n", "binance   BTC/USDT", "webhook backing_off", "99.99%"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, Not(HasSubstr(" \n"))) << "no space at the end of a line";
}

}  // namespace
}  // namespace candlewick::app
