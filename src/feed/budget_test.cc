// Budgets on a steady clock that the tests move.
#include "feed/budget.h"

#include <gtest/gtest.h>

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime start{10h};

TEST(Budget, AllowsOnlyItsShareOfTheVenuesLimit) {
  EXPECT_EQ(Budget(6000, 0.5).allowed(), 3000);
  EXPECT_EQ(Budget(1200, 1.0).allowed(), 1200);
  EXPECT_EQ(Budget(1, 0.1).allowed(), 1);
}

TEST(Budget, LetsRequestsGoAtOnceUntilTheMinuteIsSpent) {
  Budget budget(100, 1.0);
  for (int spent = 0; spent < 100; spent += 20) {
    ASSERT_EQ(budget.earliest(start, 20), start) << spent;
    budget.spend(start, 20);
  }
  EXPECT_EQ(budget.used(start), 100);
  EXPECT_EQ(budget.earliest(start + 10s, 1), start + 60s);
}

TEST(Budget, StartsAnewAfterAMinute) {
  Budget budget(100, 1.0);
  budget.spend(start, 100);
  EXPECT_EQ(budget.used(start + 59s), 100);
  EXPECT_EQ(budget.used(start + 60s), 0);
  EXPECT_EQ(budget.earliest(start + 60s, 100), start + 60s);
}

TEST(Budget, KeepsAReserveBackForThoseThatMatterMore) {
  Budget budget(100, 1.0);
  budget.spend(start, 85);
  EXPECT_EQ(budget.earliest(start, 10, 10), start + 60s);
  EXPECT_EQ(budget.earliest(start, 10), start);
}

TEST(Budget, BelievesTheVenueWhenItSaysThatMoreIsUsed) {
  Budget budget(100, 1.0);
  budget.spend(start, 10);
  budget.venue_says_used(start, 95);
  EXPECT_EQ(budget.used(start), 95);
  EXPECT_EQ(budget.earliest(start, 10), start + 60s);
}

TEST(Budget, DoesNotBelieveTheVenueWhenItSaysThatLessIsUsed) {
  Budget budget(100, 1.0);
  budget.spend(start, 90);
  budget.venue_says_used(start, 5);
  EXPECT_EQ(budget.used(start), 90);
}

TEST(Budget, SurvivesAbsurdCounts) {
  Budget budget(100, 1.0);
  budget.venue_says_used(start, -5);
  EXPECT_EQ(budget.used(start), 0);
  budget.venue_says_used(start, INT64_MAX);
  EXPECT_EQ(budget.earliest(start, 1), start + 60s);
  EXPECT_EQ(budget.earliest(start + 60s, 1), start + 60s);
}

TEST(Budget, IsBlockedUntilTheTimeThatTheVenueNamed) {
  Budget budget(100, 1.0);
  budget.block_until(start + 120s);
  EXPECT_EQ(budget.earliest(start, 1), start + 120s);
  EXPECT_EQ(budget.earliest(start + 119s, 1), start + 120s);
  EXPECT_EQ(budget.earliest(start + 120s, 1), start + 120s);
  EXPECT_EQ(budget.earliest(start + 121s, 1), start + 121s);
}

TEST(Budget, AShorterBlockDoesNotEndALongerOne) {
  Budget budget(100, 1.0);
  budget.block_until(start + 120s);
  budget.block_until(start + 10s);
  EXPECT_EQ(budget.earliest(start, 1), start + 120s);
}

TEST(Budget, ARequestLargerThanAllGoesInAMinuteOfItsOwn) {
  Budget budget(10, 1.0);
  EXPECT_EQ(budget.earliest(start, 50), start);
  budget.spend(start, 1);
  EXPECT_EQ(budget.earliest(start, 50), start + 60s);
  EXPECT_EQ(budget.earliest(start + 60s, 50), start + 60s);
}

TEST(Budget, TakesTheLimitThatTheVenueStates) {
  Budget budget(6000, 0.5);
  budget.set_limit(1200);
  EXPECT_EQ(budget.allowed(), 600);
  budget.spend(start, 600);
  EXPECT_EQ(budget.earliest(start, 1), start + 60s);
}

}  // namespace
}  // namespace candlewick::feed
