// Bitstamp spot, API v2. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::bitstamp {

extern const Venue bitstamp;

// "btcusd" is BTC/USD. Nullopt for derivatives, and where no known quote ends it.
std::optional<Pair> read_pair(std::string_view symbol);
std::string symbol_of(std::string_view base, std::string_view quote);
// What CCXT calls it.
std::string unified_asset(std::string_view asset);

// Of candles that last as many seconds, where the venue has them.
std::optional<Timeframe> timeframe_of_seconds(std::string_view seconds);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::bitstamp
