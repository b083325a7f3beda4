// Volume-weighted average price of the UTC day.
#include "indicator/vwap.h"

namespace candlewick::indicator {

void Vwap::push(const Bar& bar) {
  const auto since_epoch = std::chrono::floor<std::chrono::days>(bar.open_time).time_since_epoch();
  if (since_epoch.count() != day_) {
    day_ = since_epoch.count();
    turnover_ = Wide{};
    volume_ = Wide{};
  }
  const Wide volume{bar.volume.count()};
  const Wide prices = Wide{bar.high.count()} + Wide{bar.low.count()} + Wide{bar.close.count()};
  turnover_ += prices * volume;
  volume_ += volume;
}

Output Vwap::value() const {
  if (volume_.is_zero() || volume_.is_negative()) return std::nullopt;
  const Wide parts{int128{3} * Decimal::one};  // thirds, and 10^-36 against 10^-18
  return ratio(turnover_, volume_ * parts);
}

void Vwap::save(StateWriter& out) const {
  out.integer(day_);
  out.wide(turnover_);
  out.wide(volume_);
}

void Vwap::load(StateReader& in) {
  day_ = in.integer();
  turnover_ = in.wide();
  volume_ = in.wide();
}

}  // namespace candlewick::indicator
