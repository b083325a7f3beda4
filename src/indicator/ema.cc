// Exponential moving average.
#include "indicator/ema.h"

#include "base/check.h"

namespace candlewick::indicator {

Ema::Ema(std::size_t length, Seed seed)
    : Ema(length, seed, 2.0 / (static_cast<double>(length) + 1.0)) {}

Ema::Ema(std::size_t length, Seed seed, double factor)
    : seed_length_(seed == Seed::first_value ? 1 : static_cast<std::int64_t>(length)),
      factor_(factor) {
  check(length > 0, "a window is empty");
}

Ema Ema::wilder(std::size_t length) {
  return Ema(length, Seed::simple_average, 1.0 / static_cast<double>(length));
}

void Ema::push(double value) {
  if (seen_ == seed_length_) {
    state_ += factor_ * (value - state_);
    return;
  }
  state_ += value;
  if (++seen_ == seed_length_) state_ /= static_cast<double>(seed_length_);
}

Output Ema::value() const {
  if (seen_ < seed_length_) return std::nullopt;
  return state_;
}

void Ema::save(StateWriter& out) const {
  out.integer(seen_);
  out.real(state_);
}

void Ema::load(StateReader& in) {
  seen_ = in.count(seed_length_);
  state_ = in.real();
}

}  // namespace candlewick::indicator
