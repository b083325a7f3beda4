// Delays grow, stay under the cap, differ between clients and begin again after a success.
#include "net/backoff.h"

#include <gtest/gtest.h>

#include <cmath>

namespace candlewick::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, GrowsWithinItsBoundsUpToTheCap) {
  const BackoffOptions options{.first = milliseconds{100}, .cap = seconds{5}, .factor = 2.0};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Backoff backoff(options, seed);
    for (int attempt = 0; attempt < 2000; ++attempt) {
      const double whole = std::min(5e9, 1e8 * std::pow(2.0, attempt));
      const auto delay = static_cast<double>(backoff.next().count());
      EXPECT_GE(delay, whole * 0.5 - 1);
      EXPECT_LE(delay, whole);
    }
    EXPECT_EQ(backoff.attempts(), 2000U);
  }
}

TEST(Backoff, SpreadsClientsAndRepeatsForOneSeed) {
  Backoff one({}, 1);
  Backoff same({}, 1);
  Backoff other({}, 2);
  const Duration first = one.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other.next());
}

TEST(Backoff, BeginsAgainAfterASuccess) {
  Backoff backoff({.first = milliseconds{100}, .cap = seconds{60}}, 7);
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(backoff.next());
  }
  backoff.reset();
  EXPECT_EQ(backoff.attempts(), 0U);
  EXPECT_LE(backoff.next(), milliseconds{100});
}

TEST(Backoff, WaitsAtLeastAsLongAsTheServerAsked) {
  Backoff backoff({.first = milliseconds{100}, .cap = seconds{1}}, 7);
  EXPECT_EQ(backoff.next(seconds{30}), seconds{30});
  EXPECT_LE(backoff.next(), milliseconds{200});
}

}  // namespace
}  // namespace candlewick::net
