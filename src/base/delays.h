// How long things took, counted in fixed classes: plain numbers that one thread adds to and that
// others get copies of. Metrics::tell() makes a histogram of them.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace candlewick {

class Delays {
 public:
  // Upper ends, in seconds; one class more is for all that took longer.
  static constexpr std::array<double, 16> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                 0.5,   1,      2.5,   5,    10,    30,   60,  900};

  // Clocks of two machines differ: what seems to come from the future took no time.
  void add(Duration took) {
    const double seconds = std::max(0.0, std::chrono::duration<double>(took).count());
    const auto place = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
    ++counts_[static_cast<std::size_t>(place)];
    sum_seconds_ += seconds;
  }
  const std::array<std::uint64_t, bounds.size() + 1>& counts() const { return counts_; }
  double sum_seconds() const { return sum_seconds_; }

 private:
  std::array<std::uint64_t, bounds.size() + 1> counts_{};
  double sum_seconds_ = 0;
};

}  // namespace candlewick
