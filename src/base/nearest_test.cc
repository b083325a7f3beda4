// Suggestions for mistyped names, and small parts without a file of their own: Guarded, check,
// Clock.
#include "base/nearest.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/guarded.h"

namespace candlewick {
namespace {

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("binance", "binanec"), 2U);
}

TEST(Nearest, FindsWhatWasMeantOrNothing) {
  const std::vector<std::string> venues{"binance", "binance-us", "kraken", "okx"};
  EXPECT_EQ(nearest("binanse", venues), "binance");
  EXPECT_EQ(nearest("binance_us", venues), "binance-us");
  EXPECT_EQ(nearest("kracken", venues), "kraken");
  EXPECT_EQ(nearest("coinbase", venues), "");
  EXPECT_EQ(nearest("", venues), "");
  EXPECT_EQ(nearest(std::string(10'000, 'x'), venues), "");
  EXPECT_EQ(did_you_mean("ok", venues), " (did you mean \"okx\"?)");
  EXPECT_EQ(did_you_mean("nothing like it", venues), "");
}

TEST(Guarded, LetsOneThreadInAtATime) {
  Guarded<int> counter(0);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 10'000; ++j) counter.with([](int& value) { ++value; });
      });
    }
  }
  EXPECT_EQ(std::as_const(counter).with([](const int& value) { return value; }), 40'000);
}

TEST(CheckDeathTest, ABrokenInvariantStopsTheProgramAndNamesItself) {
  check(true, "fine");
  EXPECT_DEATH(check(false, "two and two are four"), "broken invariant: two and two are four");
}

TEST(FakeClock, AdvancesBothTimesAndJumpsOnlyTheWall) {
  FakeClock clock(time_from_ms(1000));
  const auto steady = clock.steady();
  clock.advance(std::chrono::seconds{1});
  clock.jump(-std::chrono::hours{1});
  EXPECT_EQ(clock.now(), time_from_ms(2000) - std::chrono::hours{1});
  EXPECT_EQ(clock.steady() - steady, std::chrono::seconds{1});
}

TEST(RealClock, TellsTheTimeOfTheMachine) {
  const RealClock clock;
  EXPECT_GT(clock.now(), *parse_rfc3339("2024-01-01"));
  const auto before = clock.steady();
  EXPECT_LE(before, clock.steady());
}

}  // namespace
}  // namespace candlewick
