// Parts of what frames and replies of Bitstamp carry. Each refuses its document when something is
// missing or absurd.
#pragma once

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange::bitstamp {

// Of the stream, and of REST, whose times are to the second.
void read_trade(json::Value& row, Trade& trade);
void read_transaction(json::Value& row, Trade& trade);
void read_book(json::Value& data, BookUpdate& book);
void read_candle(json::Value& row, Candle& candle);
// Returns the pair, where it is named: "BTC/USD".
std::string read_ticker(json::Value& root, Ticker& ticker);
// Without a base: a derivative.
Instrument read_listing(json::Value& row);

}  // namespace candlewick::exchange::bitstamp
