// Average true range.
#include "indicator/atr.h"

#include <algorithm>

namespace candlewick::indicator {

double true_range(const Bar& bar, std::optional<Decimal> last_close) {
  const double range = difference(bar.high, bar.low);
  if (!last_close) return range;
  return std::max({range, difference(bar.high, *last_close), difference(*last_close, bar.low)});
}

void Atr::push(const Bar& bar) {
  if (last_close_ || first_ == FirstRange::first_bar) average_.push(true_range(bar, last_close_));
  last_close_ = bar.close;
}

void Atr::save(StateWriter& out) const {
  out.integer(last_close_ ? 1 : 0);
  out.decimal(last_close_.value_or(Decimal{}));
  average_.save(out);
}

void Atr::load(StateReader& in) {
  const bool has_close = in.count(1) == 1;
  const Decimal close = in.decimal();
  last_close_ = has_close ? std::optional(close) : std::nullopt;
  average_.load(in);
}

}  // namespace candlewick::indicator
