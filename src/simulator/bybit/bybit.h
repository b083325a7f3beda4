// Bybit's public v5 protocol for spot: REST under /v5/market (rest.cc), streams at /v5/public/spot
// (bybit.cc).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_bybit(Market& market, const Faults& faults);

namespace bybit {

struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, int code, std::string_view message, Time now);

// "lastPrice":"21109.77",…: members that a stream and REST write alike.
void append_day(std::string& out, const DayFigures& day);
// [["28162.57","0.07562"],…]
void append_levels(std::string& out, const std::vector<Level>& levels);

}  // namespace bybit
}  // namespace candlewick::simulator
