// Coinbase: the public feed and REST of Coinbase Exchange; frames of Advanced Trade are read as
// well. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::coinbase {

extern const Venue coinbase;

// "BTC-USD", by the names of the market. Nullopt for what is no pair ("BTC-PERP-INTX").
std::optional<Pair> read_pair(std::string_view product);

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::coinbase
