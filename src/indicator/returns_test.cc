// Returns by hand, and against TA-Lib's and Tulip's rates of change.
#include "indicator/returns.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run returns(std::size_t bars_back, const std::vector<Bar>& bars) {
  return reference::run(Returns(bars_back), bars,
                        [](Returns& each, const Bar& bar) { each.push(bar.close); });
}

TEST(Returns, CompareWithTheCloseAWindowAgo) {
  Returns returns(2);
  for (const int close : {100, 50}) {
    returns.push(Decimal(close));
    EXPECT_EQ(returns.value(), std::nullopt);
  }
  returns.push(Decimal(125));
  EXPECT_EQ(returns.value(), 0.25);
  returns.push(Decimal(25));
  EXPECT_EQ(returns.value(), -0.5);
}

TEST(Returns, AreAbsentUntilTheHoleHasLeftTheWindow) {
  Returns returns(2);
  for (int i = 0; i < 5; ++i) returns.push(Decimal(1));
  EXPECT_TRUE(returns.value());
  returns.push(Decimal(1), true);
  EXPECT_FALSE(returns.value());
  returns.push(Decimal(1));
  EXPECT_FALSE(returns.value());
  returns.push(Decimal(1));
  EXPECT_TRUE(returns.value());
}

TEST(Returns, AreAbsentFromAPriceOfZero) {
  Returns returns(1);
  returns.push(Decimal(0));
  returns.push(Decimal(1));
  EXPECT_EQ(returns.value(), std::nullopt);
}

TEST(Returns, AgreeWithTalibsRatesOfChange) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_mom")) {
    if (row["theFunction"] == "TA_MOM_TEST" || !row.has_values()) continue;
    auto run = returns(static_cast<std::size_t>(row.number("optInTimePeriod")), bars);
    const bool ratio = row["theFunction"] != "TA_ROC_TEST";
    const double scale = row["theFunction"] == "TA_ROCR_TEST" ? 1 : 100;
    for (Output& value : run) {
      if (value) value = (*value + (ratio ? 1 : 0)) * scale;
    }
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    ++compared;
  }
  EXPECT_EQ(compared, 39);
}

TEST(Returns, AgreeWithTulipsRatesOfChange) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("roc")) {
    const auto bars = reference::bars({.close = &test.rows.at(0)});
    const auto run = returns(static_cast<std::size_t>(test.options.at(0)), bars);
    compared += reference::compare_tulip(test, test.rows.at(1), run);
  }
  EXPECT_EQ(compared, 15u);
}

TEST(Returns, AgreeWithTalippsRatesOfChange) {
  REQUIRE_SHARED_DATA();
  auto run = returns(20, reference::talipp_bars());
  for (Output& value : run) {
    if (value) value = *value * 100;
  }
  EXPECT_EQ(reference::compare_talipp("ROC", "null", run), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
