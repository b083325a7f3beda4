// Bybit spot, API v5. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::bybit {

extern const Venue bybit;

// "1", "60", "D": a candle's length as Bybit names it; empty when it has none of that length.
std::string_view interval_of(Timeframe timeframe);
std::optional<Timeframe> timeframe_of(std::string_view interval);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::bybit
