// The text form of events: one JSON object a line, decimals as JSON numbers with their exact
// digits, times in RFC 3339. Scripts rely on it; absent values are left out.
#pragma once

#include <string>

#include "market/event.h"

namespace candlewick {

// Without a line break.
void append_json(std::string& out, const Event& event);
std::string to_json(const Event& event);

// [["price","size"],…]: strings, best first, as Binance sends ladders; at most `limit` levels.
void append_ladder(std::string& out, const std::vector<Level>& levels, std::size_t limit);

}  // namespace candlewick
