// Gemini's public protocol for spot: REST under /v1 and /v2 (rest.cc), market data at
// /v2/marketdata (gemini.cc).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_gemini(Market& market, const Faults& faults);

namespace gemini {

struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view reason, std::string_view message);

// What a stream and REST write alike: [1559755800000,7781.6,7820.23,7776.56,7819.39,34.76]
void append_candle(std::string& out, const Row& row);

}  // namespace gemini
}  // namespace candlewick::simulator
