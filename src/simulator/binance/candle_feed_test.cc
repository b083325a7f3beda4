// Candle streams: updates on their beat, one last frame that is the truth.
#include <algorithm>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(BinanceCandleFeed, EndsEachCandleWithTheTruth) {
  for (const std::string symbol : {"BTCUSDT", "FARMUSDT"}) {
    for (const std::string timeframe : {"1s", "1m", "3m", "5m"}) {
      auto core = small_core();
      std::string lower = symbol;
      std::ranges::transform(lower, lower.begin(),
                             [](char c) { return static_cast<char>(std::tolower(c)); });
      open(*core, "/ws/" + lower + "@kline_" + timeframe);
      const auto told = frames(core->advance_to(start + 15min + 1s));
      const auto truth =
          lines(get(*core, fmt::format("/_sim/truth?symbol={}&timeframe={}&start={}&end={}", symbol,
                                       timeframe, ms(start), ms(start + 15min)))
                    .body);
      std::vector<Flat> closed;
      for (const auto& text : told) {
        const Flat frame(text);
        if (frame["k.x"] == "true" &&
            frame.number("k.t") < static_cast<std::uint64_t>(to_ms(start + 15min))) {
          closed.push_back(frame);
        }
      }
      ASSERT_EQ(closed.size(), truth.size()) << symbol << timeframe;
      for (std::size_t i = 0; i < closed.size(); ++i) {
        const Flat candle(truth[i]);
        EXPECT_EQ(*parse_time(closed[i]["k.t"]), *parse_time(candle["open_time"]));
        const std::array<std::pair<const char*, const char*>, 9> fields{
            {{"k.o", "open"},
             {"k.h", "high"},
             {"k.l", "low"},
             {"k.c", "close"},
             {"k.v", "volume"},
             {"k.q", "quote_volume"},
             {"k.n", "trade_count"},
             {"k.V", "taker_buy_volume"},
             {"k.Q", "taker_buy_quote_volume"}}};
        for (const auto& [key, name] : fields) {
          EXPECT_EQ(closed[i].decimal(key), candle.decimal(name)) << symbol << timeframe << key;
        }
        EXPECT_GT(closed[i].number("E"), closed[i].number("k.T"));
      }
    }
  }
}

TEST(BinanceCandleFeed, UpdatesEveryTwoSecondsWhileSomethingChanges) {
  auto core = small_core();
  open(*core, "/ws/btcusdt@kline_1m");
  open(*core, "/ws/btcusdt@kline_1s");
  int minutes = 0;
  for (const auto& delivery : core->advance_to(start + 10min - 1ms)) {
    const Flat frame(*delivery.text);
    const auto beat = frame["k.i"] == "1m" ? 2000U : 1000U;
    minutes += frame["k.i"] == "1m" ? 1 : 0;
    if (frame["k.x"] == "false") {
      EXPECT_EQ(frame.number("E") % beat, 0U);
      EXPECT_LT(frame.number("E"), frame.number("k.T"));
      EXPECT_EQ(frame.number("k.n"), frame.number("k.L") - frame.number("k.f") + 1);
    }
  }
  EXPECT_GT(minutes, 60);
}

TEST(BinanceCandleFeed, TellsNoTradeIdsWhereThereAreNoTrades) {
  auto core = small_core();
  open(*core, "/ws/farmusdt@kline_1m");
  int quiet = 0;
  for (const auto& text : frames(core->advance_to(start + 30min))) {
    const Flat frame(text);
    if (frame["k.n"] != "0") continue;
    ++quiet;
    EXPECT_EQ(frame["k.f"], "-1");
    EXPECT_EQ(frame["k.x"], "true");
    EXPECT_EQ(frame["k.o"], frame["k.c"]);
  }
  EXPECT_GT(quiet, 10);
}

TEST(BinanceCandleFeed, CanLeaveOutTheWordThatACandleClosed) {
  auto core = small_core("unclosed=1");
  open(*core, "/ws/btcusdt@kline_1m");
  const auto told = frames(core->advance_to(start + 10min));
  EXPECT_GT(told.size(), 50U);
  for (const auto& text : told) EXPECT_EQ(Flat(text)["k.x"], "false");
}

TEST(BinanceCandleFeed, ShiftsDaysToAnotherZone) {
  auto core = small_core();
  open(*core, "/ws/btcusdt@kline_1d@+08:00");
  const auto told = frames(core->advance_to(start + 10s));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(Flat(told[0]).number("k.t") % 86'400'000, 57'600'000U);
}

}  // namespace
}  // namespace candlewick::simulator
