// Bitstamp spot's public protocol: REST under /api/v2/ (rest.cc), WebSocket under /.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_bitstamp(Market& market, const Faults& faults);

namespace bitstamp {

// Everything that a request needs to know.
struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view reason);

std::string price_text(const Listing& listing, Decimal price);
std::string size_text(Decimal size);
// "timestamp":…,"microtimestamp":…,"bids":…,"asks":…; no brackets.
std::string book_text(const Listing& listing, const std::vector<Level>& bids,
                      const std::vector<Level>& asks, Time at);

}  // namespace bitstamp
}  // namespace candlewick::simulator
