// High-low range.
#include "indicator/range.h"

namespace candlewick::indicator {

void Range::push(Decimal high, Decimal low, bool after_hole) {
  if (after_hole) {
    highest_.clear();
    lowest_.clear();
  }
  highest_.push(high);
  lowest_.push(low);
}

Output Range::value() const {
  if (!highest_.full()) return std::nullopt;
  return difference(highest_.value(), lowest_.value());
}

}  // namespace candlewick::indicator
