// Volatility against a plain two-pass computation, and Tulip's with its other conventions.
#include "indicator/volatility.h"

#include <cmath>

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

double two_pass(const std::vector<double>& closes, std::size_t returns) {
  std::vector<double> logs;
  for (std::size_t i = closes.size() - returns; i < closes.size(); ++i) {
    logs.push_back(std::log(closes[i] / closes[i - 1]));
  }
  double mean = 0;
  for (const double log : logs) mean += log / static_cast<double>(returns);
  double squares = 0;
  for (const double log : logs) squares += (log - mean) * (log - mean);
  return std::sqrt(squares / static_cast<double>(returns - 1)) *
         std::sqrt(static_cast<double>(returns));
}

TEST(Volatility, IsTheSampleDeviationOfTheWholeWindowsReturn) {
  Volatility volatility(3);
  std::vector<double> closes;
  for (const int close : {100, 101, 99, 105, 104, 120}) {
    volatility.push(Decimal(close));
    closes.push_back(close);
    if (closes.size() < 4) {
      EXPECT_EQ(volatility.value(), std::nullopt);
    } else {
      EXPECT_NEAR(*volatility.value(), two_pass(closes, 3), 1e-14);
    }
  }
}

TEST(Volatility, IsAbsentWhileAHoleOrAZeroPriceIsInTheWindow) {
  Volatility volatility(2);
  const auto push = [&](int close, bool after_hole) {
    volatility.push(Decimal(close), after_hole);
    return volatility.value().has_value();
  };
  EXPECT_FALSE(push(1, false));
  EXPECT_FALSE(push(2, false));
  EXPECT_TRUE(push(3, false));
  EXPECT_FALSE(push(3, true));
  EXPECT_FALSE(push(3, false));
  EXPECT_TRUE(push(3, false));
  EXPECT_FALSE(push(0, false));
  EXPECT_FALSE(push(1, false));
  EXPECT_FALSE(push(1, false));
  EXPECT_TRUE(push(1, false));
}

TEST(Volatility, OfOneReturnDoesNotExist) {
  Volatility volatility(1);
  volatility.push(Decimal(1));
  volatility.push(Decimal(2));
  EXPECT_EQ(volatility.value(), std::nullopt);
}

TEST(Volatility, HoldsTheWidestRatios) {
  Volatility volatility(2);
  const Decimal least = Decimal::from_count(1);
  const Decimal greatest = *Decimal::parse("99999999999999999999.999999999999999999");
  for (const Decimal close : {least, greatest, least}) volatility.push(close);
  EXPECT_NEAR(*volatility.value(), 2 * std::log(1e38), 1e-9);
}

// Tulip takes simple returns, the population's deviation and a year of 252 days.
TEST(Volatility, ItsDeviationAgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("volatility")) {
    const auto closes = reference::decimals(test.rows.at(0));
    Deviation deviation(static_cast<std::size_t>(test.options.at(0)));
    reference::Run run;
    for (std::size_t i = 1; i < closes.size(); ++i) {
      const double simple = difference(closes[i], closes[i - 1]) / closes[i - 1].to_double();
      deviation.push(std::llround(std::ldexp(simple, 54)));
      run.push_back(deviation.full()
                        ? Output(std::ldexp(deviation.population(), -54) * std::sqrt(252.0))
                        : std::nullopt);
    }
    compared += reference::compare_tulip(test, test.rows.at(1), run);
  }
  EXPECT_EQ(compared, 18u);
}

}  // namespace
}  // namespace candlewick::indicator
