// Parts of Gemini's frames and replies. Each refuses its document when something is missing or
// absurd.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange::gemini {

void read_candle(json::Value& row, Candle& candle);
// Of the stream or of REST. Returns the symbol, where the row names it. `is_match` becomes false
// for what has no taker (auctions, block trades) or was taken back.
std::string read_trade(json::Value& row, Trade& trade, bool& is_match);
// [["buy","302.75","0.00001"],…]
void read_changes(json::Value& changes, BookUpdate& book);
// REST's book.
void read_book(json::Value& row, BookUpdate& book);
// Both forms; volumes are told under the assets' names.
void read_ticker(json::Value& row, const Instrument& instrument, Ticker& ticker);
// None for what is no spot pair, or when it was refused.
std::optional<Instrument> read_details(json::Value& row);

}  // namespace candlewick::exchange::gemini
