// Kraken spot's public protocol: REST under /0/public/ (rest.cc), WebSocket v2 under /v2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_kraken(Market& market, const Faults& faults);

namespace kraken {

// Everything that a request needs to know.
struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
// Refusals come with status 200.
Reply error(std::string_view words);
// What fronts say is no JSON.
Reply page(int status, std::string_view words);

// Volume traded at the mean price, as far as the pair's digits go; zero where nothing was traded.
Decimal mean_price(const Bar& bar);
// How Kraken writes prices and volumes: with all the digits of the pair, volumes with eight.
std::string price_text(const Listing& listing, Decimal price);
std::string volume_text(Decimal volume);

}  // namespace kraken
}  // namespace candlewick::simulator
