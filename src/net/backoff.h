// How long to wait before the next attempt: exponential, capped and jittered, so that many clients
// of a server that failed do not come back at the same instant.
#pragma once

#include <cstdint>
#include <random>

#include "base/time.h"

namespace candlewick::net {

struct BackoffOptions {
  Duration first = std::chrono::milliseconds{500};
  Duration cap = std::chrono::seconds{60};
  double factor = 2.0;  // at least 1
};

class Backoff {
 public:
  Backoff(BackoffOptions options, std::uint64_t seed) : options_(options), random_(seed) {}

  // The n-th delay lies evenly between half and all of min(cap, first × factorⁿ). Not shorter than
  // `at_least` (a server's Retry-After), which the cap does not shorten.
  Duration next(Duration at_least = Duration::zero());
  // After a success: the next delay is the first again.
  void reset() { attempts_ = 0; }
  // Delays given since the last reset.
  std::uint32_t attempts() const { return attempts_; }

 private:
  BackoffOptions options_;
  std::mt19937_64 random_;
  std::uint32_t attempts_ = 0;
};

}  // namespace candlewick::net
