// Candles from trades: against a naive sum, and against the venue's own candles for real
// recordings.
#include "pipeline/trade_candles.h"

#include <gtest/gtest.h>
// After gtest, which it needs.
#include <rapidcheck/gtest.h>

#include <map>

#include "base/line_reader.h"
#include "pipeline/testing.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::decimal;
using testing::noon;

Trade trade(std::uint64_t id, Time time, std::string_view price, std::string_view size,
            Side side = Side::buy) {
  return {.origin = {.instrument = &bitcoin(), .exchange_time = time, .received_time = time + 5ms},
          .id = id,
          .first_id = id,
          .last_id = id,
          .taker_side = side,
          .price = decimal(price),
          .size = decimal(size)};
}

class TradeCandlesTest : public ::testing::Test {
 protected:
  void apply(const Trade& event) { candles.apply(event, closed); }

  TradeCandles candles{bitcoin(), Timeframe::m1};
  std::vector<Candle> closed;
};

TEST_F(TradeCandlesTest, SumsAreExact) {
  apply(trade(1, noon - 1s, "50", "1"));
  apply(trade(2, noon, "100.1", "0.3"));
  apply(trade(3, noon + 10s, "100.7", "0.00000001", Side::sell));
  apply(trade(4, noon + 20s, "99.9", "0.1"));
  apply(trade(5, noon + 59'999ms, "100.3", "0.6", Side::sell));
  EXPECT_TRUE(closed.empty());
  apply(trade(6, noon + 60s, "1", "1"));
  ASSERT_EQ(closed.size(), 1U);
  const Candle& candle = closed.front();
  EXPECT_EQ(candle.open_time, noon);
  EXPECT_EQ(candle.open, decimal("100.1"));
  EXPECT_EQ(candle.high, decimal("100.7"));
  EXPECT_EQ(candle.low, decimal("99.9"));
  EXPECT_EQ(candle.close, decimal("100.3"));
  EXPECT_EQ(candle.volume, decimal("1.00000001"));
  EXPECT_EQ(candle.quote_volume, decimal("100.200001007"));
  EXPECT_EQ(candle.trade_count, 4U);
  EXPECT_EQ(candle.taker_buy_volume, decimal("0.4"));
  EXPECT_EQ(candle.taker_buy_quote_volume, decimal("40.02"));
  EXPECT_TRUE(candle.is_closed);
  EXPECT_EQ(candle.source, Source::trades);
  EXPECT_EQ(candle.origin.exchange_time, noon + 59'999ms);
}

TEST_F(TradeCandlesTest, AFirstMinuteThatWasNotSeenFromItsOpenIsNeverClosed) {
  apply(trade(1, noon + 30s, "1", "1"));
  apply(trade(2, noon + 90s, "2", "1"));
  EXPECT_TRUE(closed.empty());
  apply(trade(3, noon + 150s, "3", "1"));
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed.front().open_time, noon + 1min);
}

TEST_F(TradeCandlesTest, RepeatsOfAnOverlapChangeNothing) {
  apply(trade(1, noon - 1s, "1", "1"));
  for (int repeat = 0; repeat < 3; ++repeat) apply(trade(2, noon, "2", "1"));
  apply(trade(1, noon - 1s, "1", "1"));
  apply(trade(3, noon + 60s, "3", "1"));
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed.front().volume, decimal("1"));
  EXPECT_EQ(candles.missing_trades(), 0U);
}

TEST_F(TradeCandlesTest, AGapInTheMiddleMakesThatCandleUntrusted) {
  apply(trade(1, noon - 1s, "1", "1"));
  apply(trade(2, noon, "1", "1"));
  apply(trade(5, noon + 30s, "1", "1"));
  apply(trade(6, noon + 60s, "1", "1"));
  EXPECT_TRUE(closed.empty());
  EXPECT_EQ(candles.missing_trades(), 2U);
  apply(trade(7, noon + 120s, "1", "1"));
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed.front().open_time, noon + 1min);
}

TEST_F(TradeCandlesTest, AGapAcrossABorderMakesBothCandlesUntrusted) {
  apply(trade(1, noon - 1s, "1", "1"));
  apply(trade(2, noon, "1", "1"));
  apply(trade(4, noon + 60s, "1", "1"));
  apply(trade(5, noon + 120s, "1", "1"));
  EXPECT_TRUE(closed.empty());
  apply(trade(6, noon + 180s, "1", "1"));
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed.front().open_time, noon + 2min);
}

TEST_F(TradeCandlesTest, TheVenuesClockClosesAQuietCandle) {
  apply(trade(1, noon - 1s, "1", "1"));
  apply(trade(2, noon, "1", "1"));
  candles.advance(noon + 59s, closed);
  EXPECT_TRUE(closed.empty());
  candles.advance(noon + 60s, closed);
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_FALSE(candles.forming());
  candles.advance(noon + 90s, closed);
  // A trade that comes too late is a correction of what was said.
  apply(trade(3, noon + 59s, "9", "9"));
  EXPECT_FALSE(candles.forming());
  ASSERT_EQ(closed.size(), 2U);
  EXPECT_EQ(closed.back().open_time, noon);
  EXPECT_EQ(closed.back().revision, 1);
  EXPECT_EQ(closed.back().close, decimal("9"));
  EXPECT_EQ(closed.back().volume, decimal("10"));
  closed.pop_back();
  apply(trade(4, noon + 5min, "1", "1"));
  apply(trade(5, noon + 6min, "1", "1"));
  ASSERT_EQ(closed.size(), 2U);
  EXPECT_EQ(closed.back().open_time, noon + 5min);
}

TEST_F(TradeCandlesTest, ATradeOfAMinuteThatWasPassedOverDoesNotGetIntoTheNext) {
  apply(trade(1, noon - 1s, "1", "1"));
  apply(trade(2, noon + 2min, "2", "1"));
  apply(trade(3, noon + 90s, "9", "9"));
  ASSERT_TRUE(candles.forming());
  EXPECT_EQ(candles.forming()->open_time, noon + 2min);
  EXPECT_EQ(candles.forming()->high, decimal("2"));
  EXPECT_EQ(candles.forming()->volume, decimal("1"));
}

TEST_F(TradeCandlesTest, ALateTradeWithinTheGraceAmendsTheCandleBeforeItIsTold) {
  candles = TradeCandles(bitcoin(), Timeframe::m1, 2s);
  apply(trade(1, noon - 1s, "1", "1"));
  apply(trade(2, noon + 59s, "2", "1"));
  apply(trade(3, noon + 61s, "3", "1"));
  EXPECT_TRUE(closed.empty());
  apply(trade(4, noon + 59'900ms, "4", "1"));
  apply(trade(5, noon + 62s, "5", "1"));
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].open_time, noon);
  EXPECT_EQ(closed[0].close, decimal("4"));
  EXPECT_EQ(closed[0].revision, 0);
  EXPECT_EQ(candles.forming()->volume, decimal("2"));
}

TEST_F(TradeCandlesTest, AfterAnInterruptionOnlyTheNextIdClosesACandle) {
  apply(trade(1, noon - 1s, "1", "1"));
  apply(trade(2, noon + 30s, "1", "1"));
  candles.interrupted();
  candles.advance(noon + 2min, closed);
  EXPECT_TRUE(closed.empty());
  // Nothing was missed.
  apply(trade(3, noon + 3min, "1", "1"));
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].open_time, noon);
  candles.interrupted();
  apply(trade(7, noon + 4min, "1", "1"));
  EXPECT_EQ(closed.size(), 1U);
}

TEST_F(TradeCandlesTest, AggregatesCountTheirMatches) {
  apply(trade(1, noon - 1s, "1", "1"));
  Trade aggregate = trade(2, noon, "10", "3");
  aggregate.is_aggregate = true;
  aggregate.first_id = 1000;
  aggregate.last_id = 1004;
  aggregate.quote_size = decimal("30.000001");
  apply(aggregate);
  apply(trade(3, noon + 60s, "1", "1"));
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed.front().trade_count, 5U);
  EXPECT_EQ(closed.front().quote_volume, decimal("30.000001"));
}

// The naive way: trades by minute, then one pass over each.
Candle summed(Time open, const std::vector<Trade>& trades) {
  Candle candle = testing::true_candle(open);
  int128 volume = 0;
  int128 quote = 0;
  int128 bought = 0;
  int128 bought_quote = 0;
  candle.open = trades.front().price;
  candle.close = trades.back().price;
  candle.high = candle.low = candle.open;
  for (const auto& each : trades) {
    candle.high = std::max(candle.high, each.price);
    candle.low = std::min(candle.low, each.price);
    const int128 amount = Decimal::multiply(each.price, each.size)->count();
    volume += each.size.count();
    quote += amount;
    if (each.taker_side == Side::buy) {
      bought += each.size.count();
      bought_quote += amount;
    }
  }
  candle.volume = Decimal::from_count(volume);
  candle.quote_volume = Decimal::from_count(quote);
  candle.taker_buy_volume = Decimal::from_count(bought);
  candle.taker_buy_quote_volume = Decimal::from_count(bought_quote);
  candle.trade_count = trades.size();
  return candle;
}

RC_GTEST_PROP(
    TradeCandlesProperty, EqualsTheNaiveSum,
    (const std::vector<std::tuple<std::uint8_t, std::uint16_t, std::uint16_t, bool>>& steps)) {
  Time time = noon;
  std::uint64_t id = 41;
  std::map<Time, std::vector<Trade>> by_minute;
  TradeCandles candles(bitcoin(), Timeframe::m1);
  std::vector<Candle> closed;
  for (const auto& [wait, price, size, is_buy] : steps) {
    time += std::chrono::milliseconds{wait * 200};
    Trade event = trade(++id, time, "1", "1", is_buy ? Side::buy : Side::sell);
    event.price = Decimal::from_count(int128{price} * 10'000'000'000'000'000 + 7);
    event.size = Decimal::from_count(int128{size} * 1'000'000'000'000 + 3);
    by_minute[open_of(Timeframe::m1, time)].push_back(event);
    candles.apply(event, closed);
  }
  if (!by_minute.empty()) by_minute.erase(by_minute.begin());
  if (!by_minute.empty()) by_minute.erase(std::prev(by_minute.end()));
  RC_ASSERT(closed.size() == by_minute.size());
  auto candle = closed.begin();
  for (const auto& [open, trades] : by_minute) {
    RC_ASSERT(candle->open_time == open);
    RC_ASSERT(candle->same_values(summed(open, trades)));
    ++candle;
  }
}

TEST(TradeCandlesReal, TenRealMinutesAreTheVenuesOwnCandles) {
  REQUIRE_SHARED_DATA();
  const auto& venue = *exchange::find_venue("binance");
  const auto catalogue = exchange::make_catalogue(venue);
  const auto decoder = venue.make_decoder(*catalogue);
  const auto* instrument = catalogue->find_or_infer("BTCUSDT");
  TradeCandles candles(*instrument, Timeframe::m1);
  std::vector<Candle> closed;
  for (const std::string_view name :
       {"spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst",
        "spot-btcusdt-depth-bookticker-trade-2024-08-09T0000.jsonl.zst"}) {
    for (const auto& frame : test::read_frames(test::shared_data() / "binance" / "ws" / name)) {
      Events events;
      const auto decoded = decoder->decode({.text = frame.text,
                                            .url = frame.url,
                                            .received_time = frame.received_time,
                                            .is_reply = frame.is_reply},
                                           events);
      ASSERT_TRUE(decoded) << decoded.error().message << ": " << frame.text.substr(0, 200);
      for (const auto& event : events) {
        if (const auto* one = std::get_if<Trade>(&event)) candles.apply(*one, closed);
      }
    }
  }
  EXPECT_EQ(candles.missing_trades(), 0U);

  // 2024-08-08T23:55:00Z
  const Time first = time_from_ms(1'723'161'300'000);
  ASSERT_EQ(closed.size(), 10U);
  std::map<Time, std::string> truth;
  auto lines = LineReader::open(
      (test::shared_data() / "history" / "binance-spot-1m-BTCUSDT-2024-07-26_2024-08-25.csv.zst")
          .string());
  ASSERT_TRUE(lines) << lines.error().message;
  std::string line;
  while (true) {
    const auto more = lines->next(line);
    ASSERT_TRUE(more) << more.error().message;
    if (!*more) break;
    const auto comma = line.find(',');
    const auto open = parse_time(line.substr(0, comma));
    if (open && *open >= first && *open < first + 10min) truth[*open] = line.substr(comma + 1);
  }
  ASSERT_EQ(truth.size(), 10U);
  for (std::size_t i = 0; i < closed.size(); ++i) {
    const Candle& candle = closed[i];
    EXPECT_EQ(candle.open_time, first + static_cast<std::int64_t>(i) * 1min);
    EXPECT_EQ(
        fmt::format("{},{},{},{},{}", candle.open.to_string(), candle.high.to_string(),
                    candle.low.to_string(), candle.close.to_string(), candle.volume.to_string()),
        truth[candle.open_time])
        << to_rfc3339(candle.open_time);
  }
}

}  // namespace
}  // namespace candlewick::pipeline
