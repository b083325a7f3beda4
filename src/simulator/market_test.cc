// Candles of every timeframe, by the markets' shared rules.
#include "simulator/market.h"

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(Market, AggregatesEveryTimeframeFromTheTrades) {
  auto market = small_market();
  for (const auto timeframe : all_timeframes) {
    if (timeframe == Timeframe::mo1 || timeframe == Timeframe::w1) continue;
    const Time open = open_of(timeframe, start - 4 * 24h, {});
    const auto row = market->row(0, timeframe, open, start);
    ASSERT_TRUE(row) << to_text(timeframe);
    Bar expected;
    for (const auto& trade : market->trades(0, open, row->end_time - 1ns, ~std::size_t{0}, false)) {
      expected.add(trade);
    }
    if (!expected.any) continue;
    EXPECT_EQ(row->bar, expected) << to_text(timeframe);
  }
}

TEST(Market, SumsWeeksAndMonthsFromDays) {
  auto market = small_market();
  for (const auto timeframe : {Timeframe::w1, Timeframe::mo1}) {
    const Time open = open_of(timeframe, start - 35 * 24h, {});
    const Time end = next_open(timeframe, open, {});
    const auto whole = market->row(0, timeframe, open, start);
    Bar expected;
    for (Time day = open; day < end; day += 24h) {
      expected.add(market->row(0, Timeframe::d1, day, start)->bar);
    }
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->bar, expected);
  }
}

TEST(Market, ShowsAnOpenCandleOnlyUpToNow) {
  auto market = small_market();
  const Time now = start + 23min + 17s;
  const auto row = market->row(0, Timeframe::h1, start, now);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->bar, market->bar(0, start, now + 1ns));
  EXPECT_EQ(row->end_time, start + 1h);
  EXPECT_FALSE(market->row(0, Timeframe::h1, start + 1h, now));
}

TEST(Market, ShiftsTheBordersOfDays) {
  auto market = small_market();
  const auto rows = market->rows(0, Timeframe::d1, start - 72h, start, start, 10, false, 8h);
  ASSERT_EQ(rows.size(), 3U);
  for (const auto& row : rows) {
    EXPECT_EQ((row.open_time.time_since_epoch() + 8h) % 24h, Duration{0});
    EXPECT_EQ(row.bar, market->bar(0, row.open_time, std::min(row.end_time, start + 1ns)));
  }
}

TEST(Market, TakesTheOldestOrTheNewestRows) {
  auto market = small_market();
  const auto oldest = market->rows(0, Timeframe::m1, start - 1h, start, start, 5, false);
  const auto newest = market->rows(0, Timeframe::m1, start - 1h, start, start, 5, true);
  ASSERT_EQ(oldest.size(), 5U);
  ASSERT_EQ(newest.size(), 5U);
  EXPECT_EQ(oldest.front().open_time, start - 1h);
  EXPECT_EQ(newest.back().open_time, start - 1min);
  EXPECT_EQ(newest.front().open_time, start - 5min);
}

TEST(Market, FindsSymbolsInAnySpelling) {
  auto market = small_market();
  for (const char* typed : {"ETHBTC", "ETH/BTC", "eth-btc", "Eth_Btc"}) {
    EXPECT_EQ(market->resolve(typed), std::size_t{1}) << typed;
  }
  EXPECT_FALSE(market->resolve("ETH"));
  EXPECT_FALSE(market->find("ethbtc"));
}

}  // namespace
}  // namespace candlewick::simulator
