// CoinGecko's REST as far as a service needs it: /api/v3/ping, /coins/list, /coins/markets and
// /coins/{id}. No venue, but served like one: prices are the market's, names the built-in
// catalogue's, supplies made up. Every coin has a lookalike with the same ticker that is worth next
// to nothing. Keys begin with "CG-"; others are refused.
#pragma once

#include <memory>

#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_coingecko(Market& market, const Faults& faults);

}  // namespace candlewick::simulator
