// Standard deviations against the reference libraries.
#include "indicator/deviation.h"

#include <cmath>

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run populations(std::size_t length, const std::vector<Decimal>& values) {
  return reference::run(
      Deviation(length), values, [](Deviation& each, Decimal value) { each.push(value.count()); },
      [](const Deviation& each) {
        return each.full() ? Output(each.population() / 1e18) : std::nullopt;
      });
}

std::vector<Decimal> closes(const std::vector<Bar>& bars) {
  std::vector<Decimal> result;
  for (const Bar& bar : bars) result.push_back(bar.close);
  return result;
}

TEST(Deviation, TellsSampleFromPopulation) {
  Deviation deviation(4);
  for (const int value : {2, 4, 4, 6}) deviation.push(value);
  EXPECT_EQ(deviation.population(), std::sqrt(2.0));
  EXPECT_EQ(deviation.sample(), std::sqrt(8.0 / 3));
}

TEST(Deviation, KeepsDigitsFarBelowTheMean) {
  Deviation deviation(2);
  const int128 large = int128{1} << 120;
  deviation.push(large);
  deviation.push(large + 2);
  EXPECT_EQ(deviation.population(), 1.0);
  deviation.push(large + 2);
  EXPECT_EQ(deviation.population(), 0.0);
}

TEST(Deviation, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto values = closes(reference::talib_bars());
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_stddev")) {
    ASSERT_TRUE(row.has_values());
    auto run = populations(static_cast<std::size_t>(row.number("optInTimePeriod")), values);
    const double factor = reference::evaluate(row["optInNbDeviation_1"]).value;
    for (Output& value : run) {
      if (value) value = *value * factor;
    }
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    ++compared;
  }
  EXPECT_EQ(compared, 6);
}

TEST(Deviation, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const char* name : {"stddev", "stderr", "var"}) {
    for (const auto& test : reference::tulip_cases(name)) {
      const auto length = static_cast<std::size_t>(test.options.at(0));
      auto run = populations(length, reference::decimals(test.rows.at(0)));
      for (Output& value : run) {
        if (!value) continue;
        if (test.name == "stderr") value = *value / std::sqrt(static_cast<double>(length));
        if (test.name == "var") value = *value * *value;
      }
      compared += reference::compare_tulip(test, test.rows.at(1), run);
    }
  }
  EXPECT_EQ(compared, 66u);
}

TEST(Deviation, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  const auto run = populations(20, closes(reference::talipp_bars()));
  EXPECT_EQ(reference::compare_talipp("StdDev", "null", run), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
