// Bitfinex spot, API v2. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::bitfinex {

extern const Venue bitfinex;

// "1m", "1D": a candle's length as Bitfinex names it; empty when it has none of that length.
std::string_view length_name(Timeframe timeframe);
std::optional<Timeframe> timeframe_of(std::string_view name);

// The message that subscribes to it; empty where there is no such channel.
std::string subscription(const Channel& channel);

// CRC-32 of the best 25 levels a side, their numbers written as JavaScript does. The digits that
// came with the update do not matter.
std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks, int price_digits,
                       int size_digits);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::bitfinex
