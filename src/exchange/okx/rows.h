// One element of what a frame or a reply of OKX carries in `data`: written alike in both. Each
// refuses its document when something is missing or absurd.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange::okx {

// Columns and, if the candle's `closed_is_known`, the flag.
void read_candle(json::Value& row, Candle& candle);
// These return the venue's symbol.
std::string read_trade(json::Value& row, Trade& trade);
std::string read_ticker(json::Value& row, Ticker& ticker);
// Levels and time, and for the book of changes its numbers and checksum.
void read_book(json::Value& row, BookUpdate& book, bool has_numbers);
// None for what is not of spot, or is announced without saying what it is.
std::optional<Instrument> read_listing(json::Value& row);

}  // namespace candlewick::exchange::okx
