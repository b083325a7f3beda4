// Simple moving average.
#include "indicator/sma.h"

namespace candlewick::indicator {

void Sma::push(Decimal value) {
  const auto left = window_.push(value);
  sum_ += Wide{value.count()};
  if (left) sum_ -= Wide{left->count()};
}

Output Sma::value() const {
  if (!window_.full()) return std::nullopt;
  return sum_to_double(sum_) / static_cast<double>(window_.length());
}

}  // namespace candlewick::indicator
