// Bollinger bands.
#include "indicator/bollinger.h"

namespace candlewick::indicator {

std::optional<Bollinger::Bands> Bollinger::value() const {
  if (!closes_.full()) return std::nullopt;
  const double middle = sum_to_double(closes_.sum()) / static_cast<double>(length_);
  const double reach = width_ * (closes_.population() / static_cast<double>(Decimal::one));
  return Bands{.upper = middle + reach, .middle = middle, .lower = middle - reach};
}

void Bollinger::outputs(std::span<Output> out) const {
  const auto bands = value();
  out[0] = bands ? Output{bands->upper} : std::nullopt;
  out[1] = bands ? Output{bands->middle} : std::nullopt;
  out[2] = bands ? Output{bands->lower} : std::nullopt;
}

}  // namespace candlewick::indicator
