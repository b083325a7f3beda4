// What frames and replies of Gate.io carry: written alike in both, or nearly. Each refuses its
// document when something is missing or absurd.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange::gateio {

// A candle of a stream names what it is of: "1m_BTC_USDT". Empty for one without its volume in base
// units, which says too little.
std::string read_candle(json::Value& row, Candle& candle);
// A row of REST.
void read_candle_row(json::Value& row, Candle& candle);
// These return the venue's symbol, where the row names it.
std::string read_trade(json::Value& row, Trade& trade);
std::string read_ticker(json::Value& row, Ticker& ticker);
// Changes, a ladder or REST's book: named apart.
std::string read_book(json::Value& row, BookUpdate& book, bool has_changes);
// The best prices; nothing is put where a side is empty.
std::string read_best(json::Value& row, std::optional<Quote>& quote);
// None when it was refused.
std::optional<Instrument> read_listing(json::Value& row);

}  // namespace candlewick::exchange::gateio
