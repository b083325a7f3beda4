// Bitfinex spot's public protocol: REST under /v2/ (rest.cc), WebSocket under /ws/2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_bitfinex(Market& market, const Faults& faults);

namespace bitfinex {

// Everything that a request needs to know.
struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, int code, std::string_view words);

// A row, with its brackets.
std::string candle_text(const Row& row);
std::string trade_text(const MarketTrade& trade);
// Sold amounts are negative; a size of zero removes the level.
std::string level_text(const Level& level, bool is_bid);
// The rows of both sides.
std::string book_text(const Book& book);
std::string ticker_text(const DayFigures& day);

}  // namespace bitfinex
}  // namespace candlewick::simulator
