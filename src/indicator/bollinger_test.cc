// Bollinger bands against the reference libraries.
#include "indicator/bollinger.h"

#include <gtest/gtest.h>

#include "indicator/ema.h"
#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

struct Runs {
  reference::Run upper, middle, lower;
};

Runs run(Bollinger bollinger, const std::vector<Bar>& bars) {
  Runs runs;
  for (const Bar& bar : bars) {
    bollinger.push(bar.close);
    const auto bands = bollinger.value();
    runs.upper.push_back(bands ? Output(bands->upper) : std::nullopt);
    runs.middle.push_back(bands ? Output(bands->middle) : std::nullopt);
    runs.lower.push_back(bands ? Output(bands->lower) : std::nullopt);
  }
  return runs;
}

TEST(Bollinger, LiesTwoDeviationsAroundTheMean) {
  Bollinger bollinger(2);
  bollinger.push(Decimal(1));
  EXPECT_FALSE(bollinger.value());
  bollinger.push(Decimal(3));
  const auto bands = bollinger.value();
  ASSERT_TRUE(bands);
  EXPECT_EQ(bands->upper, 4.0);
  EXPECT_EQ(bands->middle, 2.0);
  EXPECT_EQ(bands->lower, 0.0);
}

// Where TA-Lib's middle is exponential, the deviation is still around the simple mean.
TEST(Bollinger, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_bbands")) {
    ASSERT_TRUE(row.has_values());
    const auto length = static_cast<std::size_t>(row.number("optInTimePeriod"));
    const auto up = run(Bollinger(length, reference::evaluate(row["optInNbDevUp"]).value), bars);
    const auto down = run(Bollinger(length, reference::evaluate(row["optInNbDevDn"]).value), bars);
    Runs runs{.upper = up.upper, .middle = up.middle, .lower = down.lower};
    if (row["optInMethod_3"] == "TA_MAType_EMA") {
      Ema ema(length, row.is_metastock() ? Seed::first_value : Seed::simple_average);
      for (std::size_t i = 0; i < bars.size(); ++i) {
        ema.push(bars[i].close.to_double());
        if (!runs.middle[i]) continue;
        const double shift = *ema.value() - *runs.middle[i];
        runs.middle[i] = ema.value();
        runs.upper[i] = *runs.upper[i] + shift;
        runs.lower[i] = *runs.lower[i] + shift;
      }
    }
    EXPECT_TRUE(reference::agrees_at(row, runs.upper, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    EXPECT_TRUE(reference::agrees_at(row, runs.middle, row["oneOfTheExpectedOutRealIndex1"],
                                     row["oneOfTheExpectedOutReal1"]));
    EXPECT_TRUE(reference::agrees_at(row, runs.lower, row["oneOfTheExpectedOutRealIndex2"],
                                     row["oneOfTheExpectedOutReal2"]));
    ++compared;
  }
  EXPECT_EQ(compared, 19);
}

TEST(Bollinger, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("bbands")) {
    const auto runs =
        run(Bollinger(static_cast<std::size_t>(test.options.at(0)), test.options.at(1)),
            reference::bars({.close = &test.rows.at(0)}));
    compared += reference::compare_tulip(test, test.rows.at(1), runs.lower);
    compared += reference::compare_tulip(test, test.rows.at(2), runs.middle);
    compared += reference::compare_tulip(test, test.rows.at(3), runs.upper);
  }
  EXPECT_EQ(compared, 87u);
}

TEST(Bollinger, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  const auto runs = run(Bollinger(5, 2), reference::talipp_bars());
  EXPECT_EQ(reference::compare_talipp("BB", "lb", runs.lower), 3u);
  EXPECT_EQ(reference::compare_talipp("BB", "cb", runs.middle), 3u);
  EXPECT_EQ(reference::compare_talipp("BB", "ub", runs.upper), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
