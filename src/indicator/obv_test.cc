// On-balance volume against the reference libraries.
#include "indicator/obv.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run balances(Obv obv, const std::vector<Bar>& bars) {
  return reference::run(std::move(obv), bars,
                        [](Obv& each, const Bar& bar) { each.push(bar.close, bar.volume); });
}

TEST(Obv, AddsVolumeAboveAndTakesItBelow) {
  Obv obv;
  EXPECT_EQ(obv.value(), std::nullopt);
  obv.push(Decimal(10), Decimal(5));
  EXPECT_EQ(obv.value(), 5.0);
  obv.push(Decimal(11), Decimal(3));
  EXPECT_EQ(obv.value(), 8.0);
  obv.push(Decimal(11), Decimal(100));
  EXPECT_EQ(obv.value(), 8.0);
  obv.push(Decimal(9), Decimal(10));
  EXPECT_EQ(obv.value(), -2.0);
}

TEST(Obv, OutgrowsADecimalWithoutHarm) {
  Obv obv(Obv::Start::zero);
  const Decimal volume = *Decimal::parse("90000000000000000000");
  for (int i = 0; i < 4; ++i) obv.push(Decimal(i), volume);
  EXPECT_EQ(obv.value(), 2.7e20);
  for (int i = 4; i-- > 0;) obv.push(Decimal(i - 1), volume);
  EXPECT_EQ(obv.value(), -9e19);
}

TEST(Obv, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const auto& test : reference::tulip_cases("obv")) {
    const auto run =
        balances(Obv(Obv::Start::zero),
                 reference::bars({.close = &test.rows.at(0), .volume = &test.rows.at(1)}));
    compared += reference::compare_tulip(test, test.rows.at(2), run);
  }
  EXPECT_EQ(compared, 25u);
}

TEST(Obv, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  EXPECT_EQ(reference::compare_talipp("OBV", "null", balances(Obv(), reference::talipp_bars())),
            3u);
}

}  // namespace
}  // namespace candlewick::indicator
