// Exponential moving averages against the reference libraries, each with its own seed.
#include "indicator/ema.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run averages(Ema ema, const std::vector<Bar>& bars) {
  return reference::run(std::move(ema), bars,
                        [](Ema& each, const Bar& bar) { each.push(bar.close.to_double()); });
}

Seed seed_of(const reference::TalibRow& row) {
  return row.is_metastock() ? Seed::first_value : Seed::simple_average;
}

TEST(Ema, StartsWithTheAverageOfTheFirstValues) {
  Ema ema(3);
  ema.push(1);
  ema.push(2);
  EXPECT_EQ(ema.value(), std::nullopt);
  ema.push(6);
  EXPECT_EQ(ema.value(), 3.0);
  ema.push(5);
  EXPECT_EQ(ema.value(), 4.0);
}

TEST(Ema, StartsWithTheFirstValueWhenTold) {
  Ema ema(3, Seed::first_value);
  ema.push(1);
  EXPECT_EQ(ema.value(), 1.0);
  ema.push(2);
  EXPECT_EQ(ema.value(), 1.5);
}

TEST(Ema, ContinuesFromASavedState) {
  for (const int cut : {1, 3, 7}) {
    Ema whole(5);
    for (int i = 0; i < cut; ++i) whole.push(1.0 / (i + 3));
    StateWriter out;
    whole.save(out);
    Ema loaded(5);
    StateReader in(out.text());
    loaded.load(in);
    ASSERT_TRUE(in.finished());
    for (int i = 0; i < 9; ++i) {
      whole.push(i * 0.1);
      loaded.push(i * 0.1);
      EXPECT_EQ(whole.value(), loaded.value());
    }
  }
}

TEST(Ema, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_ma")) {
    if (row["optInMAType_1"] != "TA_MAType_EMA" || row["id"] != "TA_ANY_MA_TEST") continue;
    if (!row.has_values()) continue;
    const auto run =
        averages(Ema(static_cast<std::size_t>(row.number("optInTimePeriod")), seed_of(row)), bars);
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex"],
                                     row["oneOfTheExpectedOutReal"]));
    ++compared;
  }
  EXPECT_EQ(compared, 25);
}

TEST(Ema, DifferencesOfTwoAgreeWithTalibsPriceOscillators) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_po")) {
    if (row["optInMethod_2"] != "TA_MAType_EMA" || !row.has_values()) continue;
    const auto a = static_cast<std::size_t>(row.number("optInFastPeriod"));
    const auto b = static_cast<std::size_t>(row.number("optInSlowPeriod"));
    const auto fast = averages(Ema(std::min(a, b), seed_of(row)), bars);
    const auto slow = averages(Ema(std::max(a, b), seed_of(row)), bars);
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
  EXPECT_EQ(compared, 16);
}

TEST(Ema, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("ema")) {
    const auto bars = reference::bars({.close = &test.rows.at(0)});
    const Ema ema(static_cast<std::size_t>(test.options.at(0)), Seed::first_value);
    compared += reference::compare_tulip(test, test.rows.at(1), averages(ema, bars));
  }
  EXPECT_EQ(compared, 23u);
}

TEST(Ema, WithWildersFactorAgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("wilders")) {
    const auto bars = reference::bars({.close = &test.rows.at(0)});
    const Ema ema = Ema::wilder(static_cast<std::size_t>(test.options.at(0)));
    compared += reference::compare_tulip(test, test.rows.at(1), averages(ema, bars));
  }
  EXPECT_EQ(compared, 19u);
}

TEST(Ema, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talipp_bars();
  EXPECT_EQ(reference::compare_talipp("EMA", "null", averages(Ema(20), bars)), 3u);
  EXPECT_EQ(reference::compare_talipp("SMMA", "null", averages(Ema::wilder(20), bars)), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
