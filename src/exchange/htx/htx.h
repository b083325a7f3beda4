// HTX spot (once Huobi). See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::htx {

extern const Venue htx;

// "1min", "60min": a candle's length as HTX names it; empty when it has none of that length.
std::string_view period_of(Timeframe timeframe);
std::optional<Timeframe> timeframe_of(std::string_view period);

// "btcusdt" is BTC/USDT. Nullopt for contracts, and where no known quote ends it.
std::optional<Pair> read_pair(std::string_view symbol);
std::string symbol_of(std::string_view base, std::string_view quote);
// What CCXT calls it.
std::string unified_asset(std::string_view asset);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::htx
