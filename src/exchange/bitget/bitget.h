// Bitget spot, API v2. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::bitget {

extern const Venue bitget;

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

// "1min" of REST and "1m" of streams: the venue has a word for each.
std::string_view granularity_of(Timeframe timeframe);
std::optional<Timeframe> timeframe_of_granularity(std::string_view name);
std::string_view channel_of(Timeframe timeframe);
std::optional<Timeframe> timeframe_of_channel(std::string_view name);

// Of the 25 best levels as they were written, bid and ask in turn.
std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks, int price_digits,
                       int size_digits);

}  // namespace candlewick::exchange::bitget
