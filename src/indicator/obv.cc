// On-balance volume. The sum is wider than a Decimal: it has no window, so nothing bounds it.
#include "indicator/obv.h"

namespace candlewick::indicator {

void Obv::push(Decimal close, Decimal volume) {
  if (!last_close_) {
    if (start_ == Start::first_volume) balance_ = Wide{volume.count()};
  } else if (close > *last_close_) {
    balance_ += Wide{volume.count()};
  } else if (close < *last_close_) {
    balance_ -= Wide{volume.count()};
  }
  last_close_ = close;
}

Output Obv::value() const {
  if (!last_close_) return std::nullopt;
  return sum_to_double(balance_);
}

void Obv::save(StateWriter& out) const {
  out.integer(last_close_ ? 1 : 0);
  out.decimal(last_close_.value_or(Decimal{}));
  out.wide(balance_);
}

void Obv::load(StateReader& in) {
  const bool has_close = in.count(1) == 1;
  const Decimal close = in.decimal();
  last_close_ = has_close ? std::optional(close) : std::nullopt;
  balance_ = in.wide();
}

}  // namespace candlewick::indicator
