// Many series ask one warehouse, which is away and comes back.
#include "alert/outage.h"

#include <gtest/gtest.h>

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;

class Away : public ::testing::Test {
 protected:
  std::optional<Result<int>> ask() {
    return outage.unless_away([this]() -> Result<int> {
      ++asked;
      clock.advance(took);
      if (problem) return fail(*problem, "away");
      return 42;
    });
  }

  FakeClock clock{time_from_ms(1'768'478'400'000)};
  Outage outage{clock, 1min};
  std::optional<ErrorKind> problem;
  Duration took{};
  int asked = 0;
};

TEST_F(Away, IsWaitedForOnceAndNotOnceForEverybodyWhoAsks) {
  problem = ErrorKind::transient;
  took = 10s;
  const SteadyTime began = clock.steady();
  ASSERT_TRUE(ask());
  for (int other = 0; other < 20; ++other) EXPECT_FALSE(ask());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(clock.steady() - began, 10s);
  // The pause begins where the wait ended.
  clock.advance(1min - 1s);
  EXPECT_FALSE(ask());
  clock.advance(1s);
  EXPECT_TRUE(ask());
  EXPECT_FALSE(ask());
  EXPECT_EQ(asked, 2);
}

TEST_F(Away, IsForgottenWithTheFirstAnswer) {
  problem = ErrorKind::transient;
  ask();
  problem.reset();
  clock.advance(1min);
  for (int other = 0; other < 3; ++other) {
    const auto answer = ask();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->value(), 42);
  }
  EXPECT_EQ(asked, 4);
}

TEST_F(Away, IsNobodyWhoSaysNo) {
  problem = ErrorKind::rejected;
  for (int other = 0; other < 3; ++other) EXPECT_TRUE(ask());
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace candlewick::alert
