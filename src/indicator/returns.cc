// Simple returns. The difference is exact; a quotient near 1 less 1 would lose digits.
#include "indicator/returns.h"

namespace candlewick::indicator {

void Returns::push(Decimal close, bool after_hole) {
  if (after_hole) closes_.clear();
  closes_.push(close);
}

Output Returns::value() const {
  if (!closes_.full() || closes_[0].is_zero()) return std::nullopt;
  return difference(closes_[closes_.size() - 1], closes_[0]) / closes_[0].to_double();
}

}  // namespace candlewick::indicator
