// Bitget's public v2 protocol for spot: REST under /api/v2 (rest.cc), streams at /v2/ws/public
// (bitget.cc).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_bitget(Market& market, const Faults& faults);

namespace bitget {

struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view code, std::string_view message);

// What a stream and REST write alike.
void append_candle(std::string& out, const Row& row);
// {"symbol":"BTCUSDT",…} of REST, {"instId":"BTCUSDT",…} of streams.
void append_ticker(std::string& out, const Subject& subject, const DayFigures& day, bool is_stream);
void append_trade(std::string& out, const Subject& subject, const MarketTrade& trade,
                  bool is_stream);
// Written with the listing's digits; a level that goes has size "0".
void append_levels(std::string& out, const Listing& listing, const std::vector<Level>& levels);

}  // namespace bitget
}  // namespace candlewick::simulator
