// HTX spot's public protocol: REST (rest.cc), WebSocket under /ws and, for books with numbers,
// /feed. Frames leave compressed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_htx(Market& market, const Faults& faults);

namespace htx {

// Everything that a request needs to know.
struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view code, std::string_view words, Time now);

// {"id":…,"open":…}
std::string candle_text(const Row& row);
// REST names the trade's number in another way.
std::string trade_text(const MarketTrade& trade, std::string_view number_name);
// Open, close, low, high, amount, vol and count; no brackets.
std::string day_text(const DayFigures& day);
// [[price,size],…]
std::string levels_text(const std::vector<Level>& levels);

}  // namespace htx
}  // namespace candlewick::simulator
