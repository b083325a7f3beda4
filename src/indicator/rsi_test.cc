// Relative strength against the reference libraries.
#include "indicator/rsi.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "indicator/stochastic.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run strengths(Rsi rsi, const std::vector<Bar>& bars) {
  return reference::run(std::move(rsi), bars,
                        [](Rsi& each, const Bar& bar) { each.push(bar.close); });
}

// The stochastic of RSI values, which are between 0 and 100 and so fit a Decimal.
std::vector<std::optional<Stochastic::Lines>> stochastics(const reference::Run& rsi,
                                                          const Stochastic::Options& options) {
  std::vector<std::optional<Stochastic::Lines>> result;
  Stochastic stochastic(options);
  for (const Output& value : rsi) {
    if (value) {
      const Decimal exact = *Decimal::from_double(*value);
      stochastic.push(exact, exact, exact);
    }
    result.push_back(stochastic.value());
  }
  return result;
}

TEST(Rsi, IsTheShareOfTheGains) {
  Rsi rsi(2);
  rsi.push(Decimal(10));
  rsi.push(Decimal(13));
  EXPECT_EQ(rsi.value(), std::nullopt);
  rsi.push(Decimal(12));
  EXPECT_EQ(rsi.value(), 75.0);
}

TEST(Rsi, IsZeroWhenNothingMoved) {
  Rsi rsi(2);
  for (int i = 0; i < 5; ++i) rsi.push(Decimal(7));
  EXPECT_EQ(rsi.value(), 0.0);
}

TEST(Rsi, SeesChangesOfTheLastDigit) {
  Rsi rsi(2);
  for (const char* close :
       {"0.000000000000000001", "0.000000000000000002", "0.000000000000000003"}) {
    rsi.push(*Decimal::parse(close));
  }
  EXPECT_EQ(rsi.value(), 100.0);
}

TEST(Rsi, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_rsi")) {
    if (row["theFunction"] != "TA_RSI_TEST" || !row.has_values()) continue;
    // Metastock's early value is given up when an unstable period is left out.
    const bool early = row.is_metastock() && row.number("unstablePeriod") == 0;
    const auto length = static_cast<std::size_t>(row.number("optInTimePeriod"));
    const auto run =
        strengths(Rsi(length, early ? Rsi::Start::metastock : Rsi::Start::wilder), bars);
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    ++compared;
  }
  EXPECT_EQ(compared, 35);
}

TEST(Rsi, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("rsi")) {
    const auto bars = reference::bars({.close = &test.rows.at(0)});
    const auto run = strengths(Rsi(static_cast<std::size_t>(test.options.at(0))), bars);
    compared += reference::compare_tulip(test, test.rows.at(1), run);
  }
  EXPECT_EQ(compared, 25u);
}

TEST(Rsi, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  EXPECT_EQ(reference::compare_talipp("RSI", "null", strengths(Rsi(20), reference::talipp_bars())),
            3u);
}

TEST(Rsi, ItsStochasticAgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_stoch")) {
    if (row["testId"] != "TEST_STOCHRSI") continue;
    const auto lines =
        stochastics(strengths(Rsi(static_cast<std::size_t>(row.number("optInPeriod_0"))), bars),
                    {.length = static_cast<std::size_t>(row.number("optInPeriod_1")),
                     .slowing = 1,
                     .d = static_cast<std::size_t>(row.number("optInPeriod_2"))});
    reference::Run k, d;
    for (const auto& each : lines) {
      k.push_back(each ? Output(each->k) : std::nullopt);
      d.push_back(each ? Output(each->d) : std::nullopt);
    }
    EXPECT_TRUE(reference::agrees_at(row, k, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    EXPECT_TRUE(reference::agrees_at(row, d, row["oneOfTheExpectedOutRealIndex1"],
                                     row["oneOfTheExpectedOutReal1"]));
    ++compared;
  }
  EXPECT_EQ(compared, 7);
}

}  // namespace
}  // namespace candlewick::indicator
