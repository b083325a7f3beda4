// OKX spot, API v5. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::okx {

extern const Venue okx;

// "1m", "1H", "6Hutc": a candle's length as OKX names it; empty when it has none of that length.
std::string_view bar_of(Timeframe timeframe);
std::optional<Timeframe> timeframe_of(std::string_view bar);

// CRC-32 over price and size of the best 25 levels a side, bid and ask in turn, as the venue sent
// it until about May 2026. It wrote no zeros at a fraction's end.
std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks, int price_digits,
                       int size_digits);

// "BTC-USDT", by the names of the market. Nullopt for what is not of spot ("BTC-USDT-SWAP").
std::optional<Pair> read_pair(std::string_view symbol);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::okx
