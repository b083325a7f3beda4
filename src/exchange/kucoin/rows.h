// What frames and replies of KuCoin carry in `data`: written alike in both, or nearly. Each refuses
// its document when something is missing or absurd.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange::kucoin {

void read_candle(json::Value& row, Candle& candle);
// These return the venue's symbol, where the row names it.
std::string read_trade(json::Value& row, Trade& trade);
std::string read_ticker(json::Value& row, Ticker& ticker);
// Changes with their numbers.
std::string read_changes(json::Value& row, BookUpdate& book);
// The best levels, with a number if it has one.
void read_levels_of(json::Value& row, BookUpdate& book);
// Both sides' best: [price, size] each. Empty for an empty side.
std::optional<Quote> read_best(json::Value& row);
// None when it was refused, or is no pair.
std::optional<Instrument> read_symbol(json::Value& row);

}  // namespace candlewick::exchange::kucoin
