// Relative strength index.
#include "indicator/rsi.h"

#include <algorithm>

namespace candlewick::indicator {

Rsi::Rsi(std::size_t length, Start start)
    : length_(static_cast<std::int64_t>(length)),
      start_(start),
      gain_(Ema::wilder(length)),
      loss_(Ema::wilder(length)) {}

void Rsi::push(Decimal close) {
  if (seen_ > 0) {
    const double change = difference(close, last_close_);
    gain_.push(std::max(change, 0.0));
    loss_.push(std::max(-change, 0.0));
  }
  last_close_ = close;
  if (seen_ < length_) ++seen_;
}

Output Rsi::value() const {
  Output gain = gain_.value();
  Output loss = loss_.value();
  if (!gain && start_ == Start::metastock && seen_ == length_) {
    gain = gain_.seed_sum();
    loss = loss_.seed_sum();
  }
  if (!gain || !loss) return std::nullopt;
  const double both = *gain + *loss;
  return both > 0 ? 100.0 * *gain / both : 0.0;
}

void Rsi::save(StateWriter& out) const {
  out.integer(seen_);
  out.decimal(last_close_);
  gain_.save(out);
  loss_.save(out);
}

void Rsi::load(StateReader& in) {
  seen_ = in.count(length_);
  last_close_ = in.decimal();
  gain_.load(in);
  loss_.load(in);
}

}  // namespace candlewick::indicator
