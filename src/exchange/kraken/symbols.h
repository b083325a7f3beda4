// How Kraken writes its pairs: "BTC/USD" on WebSocket v2, which is the venue's symbol here,
// "XBT/USD" on v1, "XBTUSD" in REST requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "market/instrument.h"

namespace candlewick::exchange::kraken {

// "XBT/USD" or "BTC/USD" → "BTC/USD".
std::string v2_symbol(std::string_view symbol);
// "BTC/USD" → "XBTUSD".
std::string rest_pair(std::string_view v2_symbol);
// What the market calls the asset: Kraken's LUNA is Luna Classic.
std::string unified_asset(std::string_view asset);
// "LUNA/USD", by the names of the market.
std::optional<Pair> read_pair(std::string_view symbol);
// By a REST pair in any spelling: "XBTUSD", "XXBTZUSD", "XBT/USD". Null when it cannot be told.
const Instrument* instrument_of_pair(Catalogue& catalogue, std::string_view pair);
// By the symbol of either WebSocket version. Null likewise.
const Instrument* instrument_of(Catalogue& catalogue, std::string_view symbol);

}  // namespace candlewick::exchange::kraken
