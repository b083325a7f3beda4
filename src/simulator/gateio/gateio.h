// Gate.io's public protocol for spot: REST under /api/v4 (rest.cc), streams at /ws/v4 (gateio.cc).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_gateio(Market& market, const Faults& faults);

namespace gateio {

struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view label, std::string_view message);

// What a stream and REST write alike.
// [["41006.8","0.6"],…]
void append_levels(std::string& out, const std::vector<Level>& levels);
// The members of a ticker, without brackets.
void append_ticker(std::string& out, const Subject& subject, const DayFigures& day);
void append_trade(std::string& out, const Subject& subject, const MarketTrade& trade,
                  bool is_of_stream);

}  // namespace gateio
}  // namespace candlewick::simulator
