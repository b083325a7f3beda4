// Stochastic oscillators against the reference libraries.
#include "indicator/stochastic.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

struct Runs {
  reference::Run k, d;
};

Runs run(Stochastic stochastic, const std::vector<Bar>& bars) {
  Runs runs;
  for (const Bar& bar : bars) {
    stochastic.push(bar.high, bar.low, bar.close);
    const auto lines = stochastic.value();
    runs.k.push_back(lines ? Output(lines->k) : std::nullopt);
    runs.d.push_back(lines ? Output(lines->d) : std::nullopt);
  }
  return runs;
}

TEST(Stochastic, IsTheCloseWithinTheRange) {
  Stochastic stochastic({.length = 2, .slowing = 1, .d = 2});
  stochastic.push(Decimal(10), Decimal(0), Decimal(5));
  stochastic.push(Decimal(8), Decimal(2), Decimal(5));
  EXPECT_FALSE(stochastic.value());
  stochastic.push(Decimal(12), Decimal(4), Decimal(12));
  const auto lines = stochastic.value();
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->k, 100.0);
  EXPECT_EQ(lines->d, 75.0);
}

TEST(Stochastic, IsZeroWithoutARange) {
  Stochastic stochastic({.length = 1, .slowing = 1, .d = 1});
  stochastic.push(Decimal(5), Decimal(5), Decimal(5));
  EXPECT_EQ(stochastic.value()->k, 0.0);
}

TEST(Stochastic, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_stoch")) {
    if (row["testId"] != "TEST_STOCH") continue;
    const auto runs =
        run(Stochastic({.length = static_cast<std::size_t>(row.number("optInPeriod_0")),
                        .slowing = static_cast<std::size_t>(row.number("optInPeriod_1")),
                        .d = static_cast<std::size_t>(row.number("optInPeriod_2"))}),
            bars);
    EXPECT_TRUE(reference::agrees_at(row, runs.k, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    EXPECT_TRUE(reference::agrees_at(row, runs.d, row["oneOfTheExpectedOutRealIndex1"],
                                     row["oneOfTheExpectedOutReal1"]));
    ++compared;
  }
  EXPECT_EQ(compared, 4);
}

TEST(Stochastic, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("stoch")) {
    const auto runs =
        run(Stochastic({.length = static_cast<std::size_t>(test.options.at(0)),
                        .slowing = static_cast<std::size_t>(test.options.at(1)),
                        .d = static_cast<std::size_t>(test.options.at(2))}),
            reference::bars(
                {.high = &test.rows.at(0), .low = &test.rows.at(1), .close = &test.rows.at(2)}));
    compared += reference::compare_tulip(test, test.rows.at(3), runs.k);
    compared += reference::compare_tulip(test, test.rows.at(4), runs.d);
  }
  EXPECT_EQ(compared, 46u);
}

TEST(Stochastic, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  const auto runs = run(Stochastic(), reference::talipp_bars());
  EXPECT_EQ(reference::compare_talipp("Stoch", "k", runs.k), 3u);
  EXPECT_EQ(reference::compare_talipp("Stoch", "d", runs.d), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
