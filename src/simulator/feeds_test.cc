// Feeds against the market that they tell of.
#include "simulator/feeds.h"

#include <algorithm>
#include <map>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

struct Stage {
  std::unique_ptr<SyntheticMarket> market = small_market();
  Faults faults;
  Subject subject{*market, faults, 0};

  // What the feed says until then: each instant, and what was written.
  static std::vector<std::pair<Time, std::string>> told(Feed& feed, Time until) {
    std::vector<std::pair<Time, std::string>> all;
    for (auto next = feed.next(); next && *next <= until; next = feed.next()) {
      std::string out;
      if (feed.emit(out)) all.emplace_back(*next, out);
    }
    return all;
  }
};

void apply(std::vector<Level>& side, const std::vector<Level>& changes, bool descending) {
  for (const auto& change : changes) {
    std::erase_if(side, [&](const Level& level) { return level.price == change.price; });
    if (!change.size.is_zero()) side.push_back(change);
  }
  std::ranges::sort(side, [&](const Level& a, const Level& b) {
    return descending ? a.price > b.price : a.price < b.price;
  });
}

class BookFeeds : public ::testing::TestWithParam<BookFrames> {};

TEST_P(BookFeeds, GoOnFromTheBookOnTheirGrid) {
  Stage stage;
  const Time begin = start + 1234ms;
  Book book = book_on_grid(stage.subject, 100ms, 200, begin);
  std::vector<BookChange> changes;
  const auto feed = make_book_feed(stage.subject, GetParam(), 100ms, 200, begin,
                                   [&](std::string& out, const BookChange& change) {
                                     changes.push_back(change);
                                     out = "x";
                                   });
  Stage::told(*feed, begin + 30s);
  ASSERT_GT(changes.size(), 50U);
  for (const auto& change : changes) {
    EXPECT_EQ(change.before, book.sequence);
    EXPECT_EQ(change.at.time_since_epoch() % 100ms, 0ms);
    if (GetParam() == BookFrames::steps) {
      EXPECT_EQ(change.number, change.before + 1);
    }
    book.sequence = change.number;
    apply(book.bids, change.bids, true);
    apply(book.asks, change.asks, false);
    const Book truth = stage.market->book_steps(0)->book(change.number, 200);
    ASSERT_EQ(book.bids, truth.bids);
    ASSERT_EQ(book.asks, truth.asks);
  }
  EXPECT_EQ(book.sequence, stage.market->book_steps(0)->step_at(changes.back().at));
}

std::string name_of(const ::testing::TestParamInfo<BookFrames>& test) {
  return test.param == BookFrames::slots ? "slots" : "steps";
}
INSTANTIATE_TEST_SUITE_P(Feeds, BookFeeds, ::testing::Values(BookFrames::slots, BookFrames::steps),
                         name_of);

// Whoever subscribes later gets a book that the frames of the stream go on from.
TEST(Feeds, ALaterSnapshotFitsAStreamThatRuns) {
  Stage stage;
  std::map<Time, std::uint64_t> numbers;
  const auto feed = make_book_feed(stage.subject, BookFrames::slots, 100ms, 50, start,
                                   [&](std::string& out, const BookChange& change) {
                                     numbers[change.at] = change.before;
                                     out = "x";
                                   });
  Stage::told(*feed, start + 20s);
  std::size_t compared = 0;
  for (Time now = start + 33ms; now < start + 19s; now += 777ms) {
    const auto next = numbers.upper_bound(now);
    if (next == numbers.end()) continue;
    EXPECT_EQ(book_on_grid(stage.subject, 100ms, 50, now).sequence, next->second);
    ++compared;
  }
  EXPECT_GT(compared, 15U);
}

TEST(Feeds, TradesOfAnOrderComeTogetherOrOneByOne) {
  Stage stage;
  std::vector<std::uint64_t> one_by_one;
  std::vector<std::uint64_t> together;
  std::size_t groups = 0;
  const auto single = make_trade_feed(stage.subject, TradeGroups::single, start,
                                      [&](std::string& out, std::span<const MarketTrade> trades) {
                                        EXPECT_EQ(trades.size(), 1U);
                                        one_by_one.push_back(trades.front().id);
                                        out = "x";
                                      });
  const auto orders = make_trade_feed(stage.subject, TradeGroups::orders, start,
                                      [&](std::string& out, std::span<const MarketTrade> trades) {
                                        for (const auto& trade : trades) {
                                          EXPECT_EQ(trade.aggregate_id, trades[0].aggregate_id);
                                          together.push_back(trade.id);
                                        }
                                        ++groups;
                                        out = "x";
                                      });
  Stage::told(*single, start + 5min);
  Stage::told(*orders, start + 5min);
  EXPECT_EQ(one_by_one, together);
  EXPECT_LT(groups, together.size());
}

TEST(Feeds, ACandlesLastFrameIsTheTruth) {
  for (const bool stays_open : {false, true}) {
    Stage stage;
    if (stays_open) {
      ASSERT_TRUE(stage.faults.change("unclosed=1"));
    }
    std::map<Time, FormingCandle> last;
    const auto feed = make_candle_feed(stage.subject, Timeframe::m1, 1s, start + 10s,
                                       [&](std::string& out, const FormingCandle& candle) {
                                         last[candle.row.open_time] = candle;
                                         out = "x";
                                       });
    Stage::told(*feed, start + 5min + 1s);
    for (Time open = start; open < start + 5min; open += 1min) {
      ASSERT_TRUE(last.contains(open));
      EXPECT_EQ(last[open].is_closed, !stays_open);
      EXPECT_EQ(last[open].row.bar, stage.market->row(0, Timeframe::m1, open, open + 2min)->bar);
    }
  }
}

TEST(Feeds, TickersComeOnTheirBeatAfterATrade) {
  Stage stage;
  std::vector<DayFigures> days;
  const auto feed =
      make_ticker_feed(stage.subject, 100ms, start, [&](std::string& out, const DayFigures& day) {
        days.push_back(day);
        out = "x";
      });
  Stage::told(*feed, start + 2min);
  ASSERT_GT(days.size(), 3U);
  for (const auto& day : days) {
    EXPECT_EQ(day.at.time_since_epoch() % 100ms, 0ms);
    const auto last = stage.market->trades(0, start - 24h, day.at, 1, true);
    EXPECT_EQ(day.bar.close, last.front().price);
    EXPECT_EQ(day.last_id, last.front().id);
    EXPECT_LT(day.at - last.front().time, 100ms);
  }
}

TEST(Feeds, LaddersComeWhenTheBestLevelsChange) {
  Stage stage;
  std::vector<Book> books;
  const auto feed = make_ladder_feed(
      stage.subject, 10ms, 1, start, [&](std::string& out, const Book& book, Time) {
        if (!books.empty()) {
          EXPECT_TRUE(books.back().bids != book.bids || books.back().asks != book.asks);
        }
        books.push_back(book);
        out = "x";
      });
  Stage::told(*feed, start + 1min);
  EXPECT_GT(books.size(), 10U);
  for (const auto& book : books) EXPECT_EQ(book.bids.size(), 1U);
}

TEST(Feeds, AVanishedInstrumentIsSilent) {
  Stage stage;
  ASSERT_TRUE(stage.faults.change("vanish=BTCUSDT"));
  const auto feed =
      make_trade_feed(stage.subject, TradeGroups::single, start,
                      [](std::string& out, std::span<const MarketTrade>) { out = "x"; });
  EXPECT_TRUE(Stage::told(*feed, start + 1min).empty());
}

TEST(Feeds, RestRowsJustClosedMayLackTheirEnd) {
  Stage stage;
  const Time now = start + 3min + 1s;
  const RestView plain{.now = now, .as_of = now};
  const RestView behind{.now = now, .as_of = now, .unfinal = 10s};
  const auto rows = [&](const RestView& view) {
    return rest_rows(*stage.market, 0, Timeframe::m1, start, now, 100, true, view);
  };
  const auto whole = rows(plain);
  const auto early = rows(behind);
  ASSERT_EQ(whole.size(), 4U);
  ASSERT_EQ(early.size(), 4U);
  EXPECT_EQ(whole[1].bar, early[1].bar);
  EXPECT_NE(whole[2].bar, early[2].bar);
  EXPECT_EQ(whole[3].bar, early[3].bar);
}

TEST(Feeds, AStaleBookKeepsItsNumber) {
  Stage stage;
  const RestView plain{.now = start, .as_of = start};
  const RestView stale{.now = start, .as_of = start, .stale_levels = true};
  const Book good = rest_book(*stage.market, 0, 10, plain);
  const Book bad = rest_book(*stage.market, 0, 10, stale);
  EXPECT_EQ(good.sequence, bad.sequence);
  EXPECT_NE(good.bids, bad.bids);
}

}  // namespace
}  // namespace candlewick::simulator
