// All indicators over bars: when values begin, that windows are what a plain computation says, and
// that a saved state continues.
#include "indicator/calculator.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "indicator/random_bars.h"
#include "indicator/registry.h"

namespace candlewick::indicator {
namespace {

using namespace std::chrono_literals;

std::map<std::string_view, Output> by_name(const Values& values) {
  std::map<std::string_view, Output> result;
  for (const auto& column : columns()) result[column.name] = values.*(column.value);
  for (std::size_t i = 0; i < extra_names().size(); ++i) {
    result[extra_names()[i]] = values.extra.at(i);
  }
  return result;
}

// At which bar (from 1) each value appears; 0 for never.
std::map<std::string_view, std::size_t> first_bars(Duration length, std::size_t count) {
  Calculator calculator(length);
  std::map<std::string_view, std::size_t> first;
  const auto bars = random_bars::make(1, count, length);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    calculator.push(bars[i]);
    for (const auto& [name, value] : by_name(calculator.values())) {
      first.emplace(name, 0);
      if (value && first[name] == 0) first[name] = i + 1;
    }
  }
  return first;
}

TEST(Calculator, BeginsEachIndicatorWhereItsConventionSays) {
  const std::map<std::string_view, std::size_t> expected{{"rolling_return_1h", 5},
                                                         {"rolling_return_24h", 97},
                                                         {"rolling_volatility_24h", 97},
                                                         {"high_low_range_24h", 96},
                                                         {"moving_average_7", 7},
                                                         {"moving_average_30", 30},
                                                         {"rsi_14", 15},
                                                         {"macd", 34},
                                                         {"macd_signal", 34},
                                                         {"macd_histogram", 34},
                                                         {"ema_12", 12},
                                                         {"ema_26", 26},
                                                         {"atr_14", 15},
                                                         {"bollinger_upper", 20},
                                                         {"bollinger_middle", 20},
                                                         {"bollinger_lower", 20},
                                                         {"vwap", 1},
                                                         {"obv", 1},
                                                         {"stochastic_k", 16},
                                                         {"stochastic_d", 16}};
  EXPECT_EQ(first_bars(15min, 100), expected);
}

TEST(Calculator, LeavesOutWindowsThatTheBarsDoNotFill) {
  auto daily = first_bars(24h, 40);
  EXPECT_EQ(daily["rolling_return_1h"], 0u);
  EXPECT_EQ(daily["rolling_return_24h"], 2u);
  EXPECT_EQ(daily["rolling_volatility_24h"], 0u);
  EXPECT_EQ(daily["high_low_range_24h"], 1u);
  EXPECT_EQ(daily["moving_average_30"], 30u);
  auto weekly = first_bars(24h * 7, 40);
  EXPECT_EQ(weekly["rolling_return_24h"], 0u);
  EXPECT_EQ(weekly["high_low_range_24h"], 0u);
  EXPECT_EQ(weekly["macd_signal"], 34u);
}

// The windows of time by their definitions, from the bars alone.
struct Plain {
  Output return_1h, return_24h, volatility_24h, range_24h, average_30;
};

Plain plainly(const std::vector<Bar>& bars, std::size_t last, Duration length) {
  const auto hour = static_cast<std::size_t>(1h / length);
  const auto day = static_cast<std::size_t>(24h / length);
  std::size_t run = 1;  // bars without a hole up to the last
  while (run <= last && bars[last - run + 1].open_time - bars[last - run].open_time == length)
    ++run;
  const auto close = [&](std::size_t back) { return bars[last - back].close.to_double(); };
  Plain plain;
  if (run > hour) plain.return_1h = close(0) / close(hour) - 1;
  if (run > day) {
    plain.return_24h = close(0) / close(day) - 1;
    double mean = 0, squares = 0;
    for (std::size_t i = 0; i < day; ++i) mean += std::log(close(i) / close(i + 1));
    mean /= static_cast<double>(day);
    for (std::size_t i = 0; i < day; ++i) {
      squares += std::pow(std::log(close(i) / close(i + 1)) - mean, 2);
    }
    plain.volatility_24h =
        std::sqrt(squares / static_cast<double>(day - 1) * static_cast<double>(day));
  }
  if (run >= day) {
    double high = 0, low = 1e99;
    for (std::size_t i = 0; i < day; ++i) {
      high = std::max(high, bars[last - i].high.to_double());
      low = std::min(low, bars[last - i].low.to_double());
    }
    plain.range_24h = high - low;
  }
  if (last + 1 >= 30) {
    double sum = 0;
    for (std::size_t i = 0; i < 30; ++i) sum += close(i);
    plain.average_30 = sum / 30;
  }
  return plain;
}

bool close_to(Output actual, Output expected, double scale) {
  if (actual.has_value() != expected.has_value()) return false;
  return !actual || std::fabs(*actual - *expected) <= 1e-9 * scale;
}

void expect_plain_windows(const std::vector<Bar>& bars, Duration length) {
  Calculator calculator(length);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    calculator.push(bars[i]);
    const Values values = calculator.values();
    const Plain plain = plainly(bars, i, length);
    RC_ASSERT(close_to(values.rolling_return_1h, plain.return_1h, 1e-3));
    RC_ASSERT(close_to(values.rolling_return_24h, plain.return_24h, 1e-3));
    RC_ASSERT(close_to(values.rolling_volatility_24h, plain.volatility_24h, 1e-3));
    RC_ASSERT(close_to(values.high_low_range_24h, plain.range_24h, 1));
    RC_ASSERT(close_to(values.moving_average_30, plain.average_30, 6e4));
  }
}

TEST(Calculator, HasTheWindowsOfAPlainComputation) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const auto hole_every = *rc::gen::element<std::uint64_t>(0, 30, 100);
    expect_plain_windows(random_bars::make(seed, 160, 30min, hole_every), 30min);
  }));
}

TEST(Calculator, HasTheWindowsOfAPlainComputationOverMinutes) {
  const auto bars = random_bars::make(3, 1600, 1min);
  Calculator calculator(1min);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    calculator.push(bars[i]);
    if (i % 97 != 0 && i != 1439 && i != 1440) continue;
    const Values values = calculator.values();
    const Plain plain = plainly(bars, i, 1min);
    EXPECT_TRUE(close_to(values.rolling_return_1h, plain.return_1h, 1e-3)) << i;
    EXPECT_TRUE(close_to(values.rolling_return_24h, plain.return_24h, 1e-3)) << i;
    EXPECT_TRUE(close_to(values.rolling_volatility_24h, plain.volatility_24h, 1e-3)) << i;
    EXPECT_TRUE(close_to(values.high_low_range_24h, plain.range_24h, 1)) << i;
  }
}

TEST(Calculator, TakesRowsAsConsecutiveWhenTold) {
  auto bars = random_bars::make(4, 60, 1h, 5);
  Calculator holes(1h), rows(1h), whole(1h);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    holes.push(bars[i]);
    rows.push_consecutive(bars[i]);
    Bar moved = bars[i];
    moved.open_time = bars[0].open_time + 1h * static_cast<int>(i);
    whole.push(moved);
  }
  EXPECT_EQ(holes.values().rolling_return_24h, std::nullopt);
  EXPECT_EQ(rows.values().rolling_return_24h, whole.values().rolling_return_24h);
  EXPECT_EQ(rows.values().rolling_volatility_24h, whole.values().rolling_volatility_24h);
  EXPECT_TRUE(rows.values().rolling_volatility_24h);
}

TEST(Calculator, ContinuesFromASavedState) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const auto bars = random_bars::make(seed, 120, 1h, 40);
    const auto cut = *rc::gen::inRange<std::size_t>(0, bars.size());
    Calculator whole(1h);
    for (std::size_t i = 0; i < cut; ++i) whole.push(bars[i]);
    Calculator resumed(1h);
    for (std::size_t i = cut - std::min(cut, whole.bars_needed()); i < cut; ++i)
      resumed.warm(bars[i]);
    RC_ASSERT(resumed.load(whole.save()));
    RC_ASSERT(resumed.save() == whole.save());
    RC_ASSERT(resumed.values() == whole.values());
    for (std::size_t i = cut; i < bars.size(); ++i) {
      whole.push(bars[i]);
      resumed.push(bars[i]);
      RC_ASSERT(resumed.values() == whole.values());
    }
  }));
}

TEST(Calculator, RefusesTextThatIsNoState) {
  Calculator calculator(1h);
  for (const Bar& bar : random_bars::make(5, 50, 1h)) calculator.push(bar);
  const std::string state = calculator.save();
  for (const std::string& bad :
       {std::string(), state + " 1", state.substr(0, state.rfind(' ')), "x" + state}) {
    EXPECT_FALSE(Calculator(1h).load(bad)) << bad;
  }
  EXPECT_EQ(read_summary(state)->bars, 50);
  EXPECT_EQ(read_summary(state)->last_open, calculator.last_open());
  EXPECT_EQ(read_summary("7").error().kind, ErrorKind::malformed);
}

}  // namespace
}  // namespace candlewick::indicator
