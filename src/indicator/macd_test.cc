// MACD against the reference libraries, which differ in where their averages start.
#include "indicator/macd.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

struct Runs {
  reference::Run line, signal, histogram;
};

Runs run(const Macd::Options& options, const std::vector<Bar>& bars) {
  Runs runs;
  Macd macd(options);
  for (const Bar& bar : bars) {
    macd.push(bar.close.to_double());
    runs.line.push_back(macd.line());
    runs.signal.push_back(macd.signal());
    runs.histogram.push_back(macd.histogram());
  }
  return runs;
}

TEST(Macd, ShowsAllThreeTogether) {
  Macd macd({.fast = 2, .slow = 3, .signal = 2});
  for (const double close : {1.0, 2.0, 3.0}) {
    macd.push(close);
    EXPECT_EQ(macd.line(), std::nullopt);
    EXPECT_EQ(macd.signal(), std::nullopt);
  }
  macd.push(4);
  // The fast average is the mean of bars 2 and 3, then 3.5; the slow one 2, then 3.
  EXPECT_EQ(macd.line(), 0.5);
  EXPECT_EQ(macd.signal(), 0.5);
  EXPECT_EQ(macd.histogram(), 0.0);
}

TEST(Macd, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_macd")) {
    ASSERT_TRUE(row.has_values());
    const auto a = static_cast<std::size_t>(row.number("optInFastPeriod"));
    const auto b = static_cast<std::size_t>(row.number("optInSlowPeriod"));
    Macd::Options options{.fast = std::min(a, b),
                          .slow = std::max(a, b),
                          .signal = static_cast<std::size_t>(row.number("optInSignalPeriod_2"))};
    if (row.is_metastock()) options.seed = Seed::first_value;
    if (row["testId"] == "TA_MACDFIX_TEST") {
      options.fast_factor = 0.15;
      options.slow_factor = 0.075;
    }
    const auto runs = run(options, bars);
    const auto first = static_cast<std::size_t>(row.number("expectedBegIdx"));
    if (options.seed == Seed::simple_average) {
      EXPECT_FALSE(runs.line[first - 1]);
      EXPECT_FALSE(runs.signal[first - 1]);
    }
    EXPECT_TRUE(reference::agrees_at(row, runs.line, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    EXPECT_TRUE(reference::agrees_at(row, runs.signal, row["oneOfTheExpectedOutRealIndex1"],
                                     row["oneOfTheExpectedOutReal1"]));
    EXPECT_TRUE(reference::agrees_at(row, runs.histogram, row["oneOfTheExpectedOutRealIndex2"],
                                     row["oneOfTheExpectedOutReal2"]));
    ++compared;
  }
  EXPECT_EQ(compared, 6);
}

TEST(Macd, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("macd")) {
    Macd::Options options{.fast = static_cast<std::size_t>(test.options.at(0)),
                          .slow = static_cast<std::size_t>(test.options.at(1)),
                          .signal = static_cast<std::size_t>(test.options.at(2)),
                          .seed = Seed::first_value};
    if (options.fast == 12 && options.slow == 26) {  // Tulip rounds these two
      options.fast_factor = 0.15;
      options.slow_factor = 0.075;
    }
    const auto runs = run(options, reference::bars({.close = &test.rows.at(0)}));
    compared += reference::compare_tulip(test, test.rows.at(1), runs.line);
    compared += reference::compare_tulip(test, test.rows.at(2), runs.signal);
    compared += reference::compare_tulip(test, test.rows.at(3), runs.histogram);
  }
  EXPECT_EQ(compared, 123u);
}

TEST(Macd, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  const auto runs =
      run({.align_fast_to_slow = false, .wait_for_signal = false}, reference::talipp_bars());
  EXPECT_EQ(reference::compare_talipp("MACD", "macd", runs.line), 3u);
  EXPECT_EQ(reference::compare_talipp("MACD", "signal", runs.signal), 3u);
  EXPECT_EQ(reference::compare_talipp("MACD", "histogram", runs.histogram), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
