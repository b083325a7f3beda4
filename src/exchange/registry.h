// Every venue that is built in; adding one is a row in registry.cc.
#pragma once

#include <span>
#include <string_view>

#include "exchange/venue.h"

namespace candlewick::exchange {

// Sorted by name.
std::span<const Venue* const> all_venues();
// By what settings call it ("binance-usdm"); null when there is none.
const Venue* find_venue(std::string_view key);
// By name and market ("binance" and swap).
const Venue* find_venue(std::string_view name, Market market);
// "binance, binance-usdm": for messages.
std::string venue_names();
// What a service listens to for one instrument: candles where the venue streams them, its ticker,
// quotes, the book (else a ladder), derivatives' figures, and trades if wanted or if candles must
// be built of them.
std::vector<Channel> usual_channels(const Venue& venue, const Instrument& instrument,
                                    std::span<const Timeframe> timeframes, bool trades);
// An empty catalogue that knows how this venue spells symbols.
std::unique_ptr<Catalogue> make_catalogue(const Venue& venue);

}  // namespace candlewick::exchange
