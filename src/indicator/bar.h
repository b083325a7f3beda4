// A closed candle as the indicators see it. Prices are in the quote currency, volume in the base
// currency, both exact; open_time is what names the bar.
#pragma once

#include <optional>

#include "base/decimal.h"
#include "base/time.h"

namespace candlewick::indicator {

struct Bar {
  Time open_time{};
  Decimal open{};
  Decimal high{};
  Decimal low{};
  Decimal close{};
  Decimal volume{};
  std::optional<Decimal> quote_volume{};
};

}  // namespace candlewick::indicator
