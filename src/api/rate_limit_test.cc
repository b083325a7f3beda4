// Buckets on a fake clock: what is promised in the headers is what happens.
#include "api/rate_limit.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace candlewick::api {
namespace {

using namespace std::chrono_literals;

class RateLimit : public ::testing::Test {
 protected:
  FakeClock clock{Time{}};
  const Caller one = Caller::of_address("192.0.2.1");
  const Caller other = Caller::of_address("192.0.2.2");

  RateLimiter::Verdict take(RateLimiter& limiter, const Caller& caller) {
    return limiter.take(caller, clock.steady());
  }
};

TEST_F(RateLimit, LetsAWholeMinutesRequestsComeAtOnceAndNotOneMore) {
  RateLimiter limiter(60);
  for (std::int64_t i = 1; i <= 60; ++i) {
    const auto verdict = take(limiter, one);
    ASSERT_TRUE(verdict.is_allowed) << i;
    EXPECT_EQ(verdict.remaining, 60 - i);
    EXPECT_EQ(verdict.reset_seconds, i);
    EXPECT_EQ(verdict.retry_after_seconds, 0);
  }
  for (int i = 0; i < 3; ++i) {
    const auto verdict = take(limiter, one);
    EXPECT_FALSE(verdict.is_allowed);
    EXPECT_EQ(verdict.remaining, 0);
    EXPECT_EQ(verdict.reset_seconds, 60);
    EXPECT_EQ(verdict.retry_after_seconds, 1) << "to be refused costs nothing";
  }
  EXPECT_TRUE(take(limiter, other).is_allowed) << "others are not concerned";
}

TEST_F(RateLimit, KeepsItsWordAboutWhenToComeAgain) {
  for (const std::int64_t limit : {1, 2, 7, 59, 61, 600, 6000}) {
    RateLimiter limiter(limit);
    while (take(limiter, one).is_allowed) {
    }
    const auto refused = take(limiter, one);
    clock.advance(std::chrono::seconds{refused.retry_after_seconds});
    EXPECT_TRUE(take(limiter, one).is_allowed) << limit;
    clock.advance(std::chrono::seconds{take(limiter, one).reset_seconds});
    EXPECT_EQ(take(limiter, one).remaining, limit - 1) << "the quota is whole again: " << limit;
  }
}

TEST_F(RateLimit, RefillsEvenly) {
  RateLimiter limiter(60);
  while (take(limiter, one).is_allowed) {
  }
  std::int64_t allowed = 0;
  for (int i = 0; i < 600; ++i) {
    clock.advance(500ms);
    if (take(limiter, one).is_allowed) ++allowed;
  }
  EXPECT_EQ(allowed, 300) << "five minutes' worth";
  clock.advance(24h);
  EXPECT_EQ(take(limiter, one).remaining, 59) << "no more than a minute's worth gathers";
}

TEST_F(RateLimit, RemembersNoMoreCallersThanItMay) {
  RateLimiter limiter(2, 100);
  EXPECT_TRUE(take(limiter, one).is_allowed);
  for (std::size_t i = 0; i < 10'000; ++i) take(limiter, Caller::of_key(i));
  EXPECT_EQ(limiter.callers(), 100U);
  EXPECT_EQ(take(limiter, one).remaining, 1) << "forgotten, not refused";
  EXPECT_EQ(take(limiter, Caller::of_key(9'999)).remaining, 0) << "the newest are known";
  EXPECT_FALSE(take(limiter, Caller::of_key(9'999)).is_allowed);
}

TEST_F(RateLimit, ForgetsThoseWhoseBucketIsFull) {
  RateLimiter limiter(60);
  for (std::size_t i = 0; i < 1000; ++i) take(limiter, Caller::of_key(i));
  EXPECT_EQ(limiter.callers(), 1000U);
  clock.advance(2s);
  for (std::size_t i = 0; i < 1000; ++i)
    take(limiter, Caller::of_address("10.0.0." + std::to_string(i % 250)));
  EXPECT_EQ(limiter.callers(), 250U + 1000U - 2 * 250U);
  clock.advance(10min);
  for (std::size_t i = 0; i < 500; ++i) take(limiter, Caller::of_key(5000 + i));
  EXPECT_EQ(limiter.callers(), 500U);
}

TEST_F(RateLimit, CountsTheNetworkOfAnIpv6Address) {
  const auto of = Caller::of_address;
  EXPECT_EQ(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
  EXPECT_EQ(of("::ffff:192.0.2.1"), of("192.0.2.1"));
  EXPECT_NE(of("192.0.2.1"), of("192.0.2.2"));
  EXPECT_EQ(of("fe80::1%eth0"), of("fe80::2%eth1"));
  EXPECT_EQ(of("no address"), Caller{});
  EXPECT_NE(of("0.0.0.1"), Caller::of_key(1));
  EXPECT_NE(of("::"), of("0.0.0.0"));
}

}  // namespace
}  // namespace candlewick::api
