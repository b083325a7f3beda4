// OKX's public v5 protocol for spot: REST under /api/v5 (rest.cc), streams at /ws/v5/public and,
// for candles, /ws/v5/business (okx.cc).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_okx(Market& market, const Faults& faults);

namespace okx {

struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view code, std::string_view message);

// What a stream and REST write alike, each ending with a quoted time or flag.
void append_candle(std::string& out, const Row& row, bool is_closed);
void append_ticker(std::string& out, const Subject& subject, const DayFigures& day);
// [["41006.8","0.6","0","1"],…]
void append_levels(std::string& out, const std::vector<Level>& levels);
// Milliseconds, quoted.
void append_time(std::string& out, Time time);

}  // namespace okx
}  // namespace candlewick::simulator
