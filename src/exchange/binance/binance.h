// Binance spot and Binance.US: one protocol, two sets of facts. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::binance {

extern const Venue binance;
extern const Venue binance_us;

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::binance
