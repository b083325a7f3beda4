// Parts of what frames and replies of Bybit carry. Each refuses its document when something is
// missing or absurd.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange::bybit {

// A stream's candle, with its flag, and REST's, which nothing says to be final.
void read_kline(json::Value& row, Candle& candle);
void read_kline_columns(json::Value& row, Candle& candle);
// A stream's trade, and REST's, which returns the venue's symbol.
void read_trade(json::Value& row, Trade& trade);
std::string read_recent_trade(json::Value& row, Trade& trade);
// Returns the venue's symbol. REST tells best prices too.
std::string read_ticker(json::Value& row, Ticker& ticker);
// Returns the number that orders frames of all depths.
std::optional<std::uint64_t> read_book(json::Value& row, BookUpdate& book);
Instrument read_listing(json::Value& row);

}  // namespace candlewick::exchange::bybit
