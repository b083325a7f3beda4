// Simple moving averages against the reference libraries, which agree on them.
#include "indicator/sma.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run averages(std::size_t length, const std::vector<Bar>& bars) {
  return reference::run(Sma(length), bars, [](Sma& sma, const Bar& bar) { sma.push(bar.close); });
}

TEST(Sma, AveragesTheLastCloses) {
  Sma sma(3);
  for (const int close : {1, 2}) {
    sma.push(Decimal(close));
    EXPECT_EQ(sma.value(), std::nullopt);
  }
  sma.push(Decimal(6));
  EXPECT_EQ(sma.value(), 3.0);
  sma.push(Decimal(10));
  EXPECT_EQ(sma.value(), 6.0);
}

TEST(Sma, ForgetsALargeValueWithoutATrace) {
  Sma sma(2);
  const Decimal small = *Decimal::parse("0.000000000000000001");
  sma.push(*Decimal::parse("99999999999999999999"));
  sma.push(small);
  sma.push(small);
  EXPECT_EQ(sma.value(), 1e-18);
}

TEST(Sma, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_ma")) {
    if (row["optInMAType_1"] != "TA_MAType_SMA" || row["id"] != "TA_ANY_MA_TEST") continue;
    if (!row.has_values()) continue;
    const auto run = averages(static_cast<std::size_t>(row.number("optInTimePeriod")), bars);
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex"],
                                     row["oneOfTheExpectedOutReal"]));
    EXPECT_FALSE(run[static_cast<std::size_t>(row.number("expectedBegIdx")) - 1]);
    ++compared;
  }
  EXPECT_EQ(compared, 20);
}

TEST(Sma, DifferencesOfTwoAgreeWithTalibsPriceOscillators) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_po")) {
    if (row["optInMethod_2"] != "TA_MAType_SMA" || !row.has_values()) continue;
    const auto a = static_cast<std::size_t>(row.number("optInFastPeriod"));
    const auto b = static_cast<std::size_t>(row.number("optInSlowPeriod"));
    const auto fast = averages(std::min(a, b), bars);
    const auto slow = averages(std::max(a, b), bars);
    reference::Run run(bars.size());
    for (std::size_t i = 0; i < bars.size(); ++i) {
      if (!fast[i] || !slow[i]) continue;
      run[i] =
          row["doPercentage"] == "1" ? 100 * (*fast[i] - *slow[i]) / *slow[i] : *fast[i] - *slow[i];
    }
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex"],
                                     row["oneOfTheExpectedOutReal"]));
    ++compared;
  }
  EXPECT_EQ(compared, 26);
}

TEST(Sma, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("sma")) {
    const auto bars = reference::bars({.close = &test.rows.at(0)});
    const auto run = averages(static_cast<std::size_t>(test.options.at(0)), bars);
    compared += reference::compare_tulip(test, test.rows.at(1), run);
  }
  EXPECT_EQ(compared, 15u);
}

TEST(Sma, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  EXPECT_EQ(reference::compare_talipp("SMA", "null", averages(20, reference::talipp_bars())), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
