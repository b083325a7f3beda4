// KuCoin spot, the classic API. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::kucoin {

extern const Venue kucoin;

// "1min", "1hour": a candle's length as KuCoin names it; empty when it has none of that length.
std::string_view type_of(Timeframe timeframe);
std::optional<Timeframe> timeframe_of(std::string_view type);

// "BTC-USDT". Nullopt for what is no pair.
std::optional<Pair> read_pair(std::string_view symbol);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::kucoin
