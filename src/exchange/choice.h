// Which instruments of a venue's list a rule means (base/selection.h).
#pragma once

#include <unordered_map>
#include <vector>

#include "base/selection.h"
#include "market/event.h"
#include "market/instrument.h"

namespace candlewick::exchange {

// What the venue's tickers say of 24 hours. In doubles: this decides an order, nothing is stored.
struct DayVolume {
  double last = 0;
  double quote_volume = 0;  // in the quote asset
};
using DayVolumes = std::unordered_map<const Instrument*, DayVolume>;

// Nullopt when the ticker does not tell.
std::optional<DayVolume> day_volume_of(const Ticker& ticker);

// Those that are listed and do not stand still, as far as the venue tells. With `top`: the most
// traded first, as many as there are at most; volumes in different quote assets are compared in US
// dollars by the venue's own prices, and what those cannot tell is left out. Else by symbol.
std::vector<const Instrument*> instruments_of_rule(const Selection& rule,
                                                   const Catalogue& catalogue,
                                                   const DayVolumes& volumes);

}  // namespace candlewick::exchange
