// Bitfinex writes tBTCUSD and tDOGE:USD, and has names of its own for a good many assets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "market/instrument.h"

namespace candlewick::exchange::bitfinex {

// "tBTCUST" is BTC/USDT. Nullopt for what is no pair of spot.
std::optional<Pair> read_pair(std::string_view symbol);
// The venue's symbol of a pair, without regard to whether it is listed.
std::string symbol_of(std::string_view base, std::string_view quote);

}  // namespace candlewick::exchange::bitfinex
