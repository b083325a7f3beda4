// Gemini spot: REST v1 and v2, market data by WebSocket v2. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::gemini {

extern const Venue gemini;

// A candle's length as the stream names it ("1h") and as REST does ("1hr"); empty when Gemini has
// none of that length.
std::string_view stream_name_of(Timeframe timeframe);
std::string_view rest_name_of(Timeframe timeframe);
// Either of them.
std::optional<Timeframe> timeframe_of(std::string_view name);

// "BTCUSD", in any case. Nullopt for what is no spot pair.
std::optional<Pair> read_pair(std::string_view symbol);
// The same with all the symbols in capitals that there are, sorted: "MOODENGUSD" is no MOODEN in
// GUSD where there is no MOODENUSD.
std::optional<Pair> read_pair_among(std::string_view symbol, std::span<const std::string> listed);
bool is_perpetual(std::string_view symbol);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::gemini
