// Volume-weighted average prices.
#include "indicator/vwap.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

using namespace std::chrono_literals;

Bar bar(Time time, int price, int volume) {
  return {.open_time = time,
          .open = Decimal(price),
          .high = Decimal(price + 1),
          .low = Decimal(price - 1),
          .close = Decimal(price),
          .volume = Decimal(volume)};
}

TEST(Vwap, StartsAnewAtMidnightUtc) {
  Vwap vwap;
  const Time noon = Time{} + 24h * 20000 + 12h;
  vwap.push(bar(noon, 10, 1));
  EXPECT_EQ(vwap.value(), 10.0);
  vwap.push(bar(noon + 1h, 20, 3));
  EXPECT_EQ(vwap.value(), 17.5);
  vwap.push(bar(noon + 12h, 30, 1));
  EXPECT_EQ(vwap.value(), 30.0);
}

TEST(Vwap, IsAbsentWithoutVolume) {
  Vwap vwap;
  EXPECT_EQ(vwap.value(), std::nullopt);
  vwap.push(bar(Time{}, 10, 0));
  EXPECT_EQ(vwap.value(), std::nullopt);
}

TEST(Vwap, WorksBeforeTheEpochToo) {
  Vwap vwap;
  vwap.push(bar(Time{} - 1h, 10, 1));
  vwap.push(bar(Time{}, 20, 1));
  EXPECT_EQ(vwap.value(), 20.0);
}

// talipp knows no sessions; its 50 bars as minutes lie within one day.
TEST(Vwap, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  const auto run = reference::run(Vwap(), reference::talipp_bars(),
                                  [](Vwap& vwap, const Bar& each) { vwap.push(each); });
  EXPECT_EQ(reference::compare_talipp("VWAP", "null", run), 6u);
}

}  // namespace
}  // namespace candlewick::indicator
