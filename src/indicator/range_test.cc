// High-low ranges.
#include "indicator/range.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

TEST(Range, IsTheHighestHighLessTheLowestLow) {
  Range range(2);
  range.push(Decimal(9), Decimal(5));
  EXPECT_EQ(range.value(), std::nullopt);
  range.push(Decimal(7), Decimal(4));
  EXPECT_EQ(range.value(), 5.0);
  range.push(Decimal(6), Decimal(5));
  EXPECT_EQ(range.value(), 3.0);
}

TEST(Range, StartsAnewAfterAHole) {
  Range range(2);
  for (int i = 0; i < 3; ++i) range.push(Decimal(9), Decimal(5));
  range.push(Decimal(7), Decimal(6), true);
  EXPECT_EQ(range.value(), std::nullopt);
  range.push(Decimal(7), Decimal(6));
  EXPECT_EQ(range.value(), 1.0);
}

TEST(Range, AgreesWithTalippsDonchianChannels) {
  REQUIRE_SHARED_DATA();
  const auto run =
      reference::run(Range(5), reference::talipp_bars(),
                     [](Range& each, const Bar& bar) { each.push(bar.high, bar.low); });
  const auto values = reference::talipp_values("DonchianChannels");
  int compared = 0;
  for (const auto& upper : values) {
    for (const auto& lower : values) {
      if (upper.field != "ub" || lower.field != "lb" || lower.index != upper.index) continue;
      const auto at = static_cast<std::size_t>(static_cast<long>(run.size()) + upper.index);
      EXPECT_TRUE(reference::agrees(run.at(at), upper.value + "-" + lower.value));
      ++compared;
    }
  }
  EXPECT_EQ(compared, 3);
}

}  // namespace
}  // namespace candlewick::indicator
