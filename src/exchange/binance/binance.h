// Binance spot, its USD-M futures, and Binance.US: one protocol, three sets of facts. See README.md
// beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::binance {

extern const Venue binance;
extern const Venue binance_us;
extern const Venue binance_usdm;

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::binance
