// Gate.io spot, API v4. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::gateio {

extern const Venue gateio;

// "1m", "1h": a candle's length as Gate.io names it; empty when it has none of that length.
std::string_view interval_of(Timeframe timeframe);
std::optional<Timeframe> timeframe_of(std::string_view interval);

// "BTC_USDT", with the names that the market knows the assets by. Nullopt for another form.
std::optional<Pair> read_pair(std::string_view symbol);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::gateio
