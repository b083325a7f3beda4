// Coinbase: the public feed and REST of Coinbase Exchange; frames of Advanced Trade are read as
// well. See README.md beside this.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::coinbase {

extern const Venue coinbase;

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::coinbase
