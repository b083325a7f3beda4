// Kraken spot: WebSocket API v2 and the public REST; frames of v1 are read as well. See README.md
// beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::kraken {

extern const Venue kraken;

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

// CRC-32 of the best ten asks and bids, each price and size written without point and leading
// zeros.
std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks, int price_digits,
                       int size_digits);

}  // namespace candlewick::exchange::kraken
