// Speeds and the time they make.
#include "simulator/virtual_clock.h"

#include <gtest/gtest.h>

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

TEST(VirtualClock, RunsAtItsSpeedFromItsStart) {
  const Time start = time_from_ms(1'000'000);
  const SteadyTime since{5s};
  for (const auto& [text, expected] :
       {std::pair{"1", Duration{2s}}, std::pair{"60", Duration{120s}},
        std::pair{"0.5", Duration{1s}}}) {
    const auto speed = parse_speed(text);
    ASSERT_TRUE(speed) << text;
    const VirtualClock clock(start, *speed, since);
    EXPECT_EQ(clock.at(since), start);
    EXPECT_EQ(clock.at(since + 2s), start + expected) << text;
    EXPECT_EQ(clock.at(since - 2s), start);
    EXPECT_EQ(speed->text(), text);
  }
}

TEST(VirtualClock, StandsStillWhereClientsSetThePace) {
  const auto speed = parse_speed("max");
  ASSERT_TRUE(speed);
  EXPECT_EQ(VirtualClock(Time{1h}, *speed, SteadyTime{}).at(SteadyTime{5h}), Time{1h});
  EXPECT_EQ(speed->text(), "max");
}

TEST(VirtualClock, StandsStillWhileItIsPausedAndGoesOnFromThere) {
  VirtualClock clock(Time{1h}, *parse_speed("10"), SteadyTime{5s});
  clock.pause(SteadyTime{7s});
  EXPECT_TRUE(clock.is_paused());
  EXPECT_EQ(clock.at(SteadyTime{7s}), Time{1h} + 20s);
  EXPECT_EQ(clock.at(SteadyTime{70s}), Time{1h} + 20s);
  clock.pause(SteadyTime{80s});
  clock.resume(SteadyTime{100s});
  EXPECT_FALSE(clock.is_paused());
  EXPECT_EQ(clock.at(SteadyTime{100s}), Time{1h} + 20s);
  clock.resume(SteadyTime{101s});
  EXPECT_EQ(clock.at(SteadyTime{102s}), Time{1h} + 40s);
}

TEST(VirtualClock, RefusesSpeedsThatAreNone) {
  for (const char* text : {"", "0", "-1", "fast", "1x", "nan", "inf", "1e9"}) {
    const auto speed = parse_speed(text);
    ASSERT_FALSE(speed) << text;
    EXPECT_EQ(speed.error().kind, ErrorKind::misconfigured);
  }
}

}  // namespace
}  // namespace candlewick::simulator
