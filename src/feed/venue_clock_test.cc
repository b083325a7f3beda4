// A venue's clock against late, early and absurd times.
#include "feed/venue_clock.h"

#include <gtest/gtest.h>

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;

constexpr Time noon = time_from_ms(1'714'564'800'000);

TEST(VenueClock, KnowsNothingBeforeTwoEventsAgree) {
  VenueClock clock;
  EXPECT_FALSE(clock.now());
  EXPECT_FALSE(clock.observe(noon));
  EXPECT_FALSE(clock.now());
  EXPECT_TRUE(clock.observe(noon + 1s));
  EXPECT_EQ(clock.now(), noon + 1s);
}

TEST(VenueClock, TheSameTimeAgainConfirmsNothing) {
  VenueClock clock;
  EXPECT_FALSE(clock.observe(noon));
  EXPECT_FALSE(clock.observe(noon));
  EXPECT_TRUE(clock.observe(noon - 1ms));
}

TEST(VenueClock, AnAbsurdFirstTimeIsForgotten) {
  for (const Duration off : {Duration{24h * 365}, -Duration{24h * 365}}) {
    VenueClock clock;
    EXPECT_FALSE(clock.observe(noon + off));
    EXPECT_FALSE(clock.observe(noon));
    EXPECT_TRUE(clock.observe(noon + 1s));
    EXPECT_EQ(clock.now(), noon + 1s);
  }
}

TEST(VenueClock, NeverGoesBack) {
  VenueClock clock;
  clock.set(noon);
  EXPECT_FALSE(clock.observe(noon - 1s));
  EXPECT_FALSE(clock.observe(noon));
  clock.set(noon - 1h);
  EXPECT_EQ(clock.now(), noon);
}

TEST(VenueClock, MovesWithEachNewerEvent) {
  VenueClock clock;
  clock.set(noon);
  EXPECT_TRUE(clock.observe(noon + 1ms));
  EXPECT_TRUE(clock.observe(noon + 1h));
  EXPECT_EQ(clock.now(), noon + 1h);
}

TEST(VenueClock, OneAbsurdTimeDoesNotMoveItHoweverOftenItCame) {
  VenueClock clock;
  clock.set(noon);
  EXPECT_FALSE(clock.observe(noon + 48h));
  EXPECT_FALSE(clock.observe(noon + 48h));
  EXPECT_TRUE(clock.observe(noon + 1s));
  EXPECT_FALSE(clock.observe(noon + 96h));
  EXPECT_EQ(clock.now(), noon + 1s);
}

TEST(VenueClock, ALeapIsBelievedWhenAnotherEventConfirmsIt) {
  VenueClock clock;
  clock.set(noon);
  EXPECT_FALSE(clock.observe(noon + 48h));
  EXPECT_TRUE(clock.observe(noon + 48h + 1s));
  EXPECT_EQ(clock.now(), noon + 48h + 1s);
}

TEST(VenueClock, BelievesTheTimeEndpointAtOnce) {
  VenueClock clock;
  clock.set(noon);
  EXPECT_EQ(clock.now(), noon);
  clock.set(noon + 48h);
  EXPECT_EQ(clock.now(), noon + 48h);
}

}  // namespace
}  // namespace candlewick::feed
