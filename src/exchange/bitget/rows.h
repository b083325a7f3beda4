// One element of what a frame or a reply of Bitget carries in `data`: written nearly alike in both.
// Each refuses its document when something is missing or absurd.
#pragma once

#include <string>

#include "base/json.h"
#include "exchange/reading.h"
#include "market/event.h"

namespace candlewick::exchange::bitget {

void read_candle(json::Value& row, Candle& candle);
void read_trade(json::Value& row, Trade& trade);
// Returns the venue's symbol; empty when the row has none.
std::string read_ticker(json::Value& row, Ticker& ticker);
// Levels, time, number and checksum. `digits` are the most that this book was ever written with.
void read_book(json::Value& row, BookUpdate& book, LevelDigits& digits);
Instrument read_listing(json::Value& row);

}  // namespace candlewick::exchange::bitget
