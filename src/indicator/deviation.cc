// One multiplication of 384 bits in and one out a push; the rest is additions.
#include "indicator/deviation.h"

#include <cmath>

namespace candlewick::indicator {

void Deviation::push(int128 value) {
  const auto left = window_.push(value);
  const Wide entered{value};
  sum_ += entered;
  squares_ += entered * entered;
  if (!left) return;
  const Wide gone{*left};
  sum_ -= gone;
  squares_ -= gone * gone;
}

void Deviation::clear() {
  window_.clear();
  sum_ = Wide{};
  squares_ = Wide{};
}

Wide Deviation::spread() const {
  return Wide{static_cast<int128>(window_.size())} * squares_ - sum_ * sum_;
}

double Deviation::population() const {
  return std::sqrt(spread().to_double()) / static_cast<double>(window_.size());
}

double Deviation::sample() const {
  const auto n = static_cast<double>(window_.size());
  return std::sqrt(spread().to_double() / (n * (n - 1)));
}

}  // namespace candlewick::indicator
