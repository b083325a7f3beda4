// Candles that come late, or not at all.
#include "alert/bar_series.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "indicator/calculator.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;

const Time noon = time_from_ms(1'768'478'400'000);

class Bars : public ::testing::Test {
 protected:
  // The hours that are stored: those that end at `stored_until` or before.
  std::optional<Result<std::vector<indicator::Bar>>> read(const BarQuery& query) {
    if (is_unasked) return std::nullopt;
    ++reads;
    EXPECT_EQ(query.exchange, "okx");
    EXPECT_EQ(query.timeframe, Timeframe::h1);
    if (is_away) return fail(ErrorKind::transient, "away");
    std::vector<indicator::Bar> bars;
    for (Time open = noon - 50h; open + 1h <= std::min(query.end, stored_until); open += 1h) {
      const Decimal price((open - noon) / 1h + 1000 + ((open - noon) / 1h) % 3);
      bars.push_back({.open_time = open,
                      .open = price,
                      .high = price,
                      .low = price,
                      .close = price,
                      .volume = Decimal(1)});
    }
    return bars;
  }
  std::optional<double> average(Time minutes_end) {
    const auto values = series.values(instrument, Timeframe::h1, minutes_end, clock.steady());
    return values ? values->moving_average_7 : std::nullopt;
  }
  // By hand, of the seven hours before.
  double expected(Time end) const {
    indicator::Calculator calculator(1h);
    for (Time open = noon - 50h; open + 1h <= end; open += 1h) {
      const Decimal price((open - noon) / 1h + 1000 + ((open - noon) / 1h) % 3);
      calculator.push({.open_time = open,
                       .open = price,
                       .high = price,
                       .low = price,
                       .close = price,
                       .volume = Decimal(1)});
    }
    return calculator.values().moving_average_7.value();
  }

  const Instrument instrument{.exchange = "okx", .symbol = "BTC/USDT"};
  FakeClock clock{noon};
  Time stored_until = noon;
  bool is_away = false;
  bool is_unasked = false;
  int reads = 0;
  RecordingObserver observer;
  BarSeries series{[this](const BarQuery& query) { return read(query); }, observer};
};

TEST_F(Bars, AreReadOncePerCandle) {
  EXPECT_EQ(average(noon + 5min), expected(noon));
  EXPECT_EQ(average(noon + 59min), expected(noon));
  EXPECT_EQ(reads, 1);
  stored_until = noon + 1h;
  EXPECT_EQ(average(noon + 1h), expected(noon + 1h));
  EXPECT_NE(expected(noon), expected(noon + 1h));
  EXPECT_EQ(reads, 2);
}

TEST_F(Bars, AreWaitedForWhenTheyAreNotStoredYet) {
  ASSERT_EQ(average(noon), expected(noon));
  EXPECT_EQ(average(noon + 1h), expected(noon)) << "the value before";
  stored_until = noon + 1h;
  EXPECT_EQ(average(noon + 1h), expected(noon)) << "it is not asked all the time";
  clock.advance(5s);
  EXPECT_EQ(average(noon + 1h), expected(noon + 1h));
  // One that never comes is asked for less and less.
  reads = 0;
  for (int second = 0; second < 3600; ++second) {
    EXPECT_EQ(average(noon + 2h), expected(noon + 1h));
    clock.advance(1s);
  }
  EXPECT_GT(reads, 10);
  EXPECT_LT(reads, 25);
}

TEST_F(Bars, MayBeUnreadableForAWhile) {
  is_away = true;
  EXPECT_EQ(average(noon), std::nullopt);
  EXPECT_EQ(observer.count("alert_series_unreadable"), 1U);
  is_away = false;
  clock.advance(5s);
  EXPECT_EQ(average(noon), expected(noon));
  stored_until = noon - 100h;
  EXPECT_EQ(average(noon + 1h), expected(noon)) << "nothing stored at all";
}

TEST_F(Bars, AreThereAtOnceWhenTheyMayBeAskedForAgain) {
  is_unasked = true;
  for (int second = 0; second < 600; ++second) {
    EXPECT_EQ(average(noon), std::nullopt);
    clock.advance(1s);
  }
  EXPECT_EQ(observer.count("alert_series_unreadable"), 0U);
  is_unasked = false;
  EXPECT_EQ(average(noon), expected(noon));
  EXPECT_EQ(reads, 1);
}

}  // namespace
}  // namespace candlewick::alert
