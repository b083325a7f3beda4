// Parts of what frames and replies of HTX carry. Each refuses its document when something is
// missing or absurd.
#pragma once

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange::htx {

void read_candle(json::Value& row, Candle& candle);
void read_trade(json::Value& row, Trade& trade);
void read_quote(json::Value& tick, Quote& quote);
// Of 24 hours; the best prices where it has them.
// Returns the symbol, where it is named.
std::string read_ticker(json::Value& tick, Ticker& ticker);
// Numbers, where it has them, are those of a book that is kept.
void read_book(json::Value& tick, BookUpdate& book);
Instrument read_listing(json::Value& row);

}  // namespace candlewick::exchange::htx
