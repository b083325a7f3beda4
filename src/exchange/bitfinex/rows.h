// Bitfinex sends everything as rows of numbers whose meaning is their place. A row may have more
// at its end than is known here, and null where something is yet to come.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "exchange/venue.h"

namespace candlewick::exchange::bitfinex {

struct Row {
  std::array<std::optional<Decimal>, 10> columns{};
  std::bitset<10> nulls;  // which of them were written so
};

struct Rows {
  std::vector<Row> rows;
  bool is_list = false;  // [[…],…] and not […]
};
// Replaces `into`.
void read_rows(json::Value& value, Rows& into);

// ["tBTCUSD",…]: one of many, behind its name.
struct NamedRow {
  std::string name;
  Row row;
};
NamedRow read_named_row(json::Value& value);

// Errors: malformed, when a column is missing or absurd.
Result<Trade> trade_of(const Row& row, const Origin& origin);
Result<Candle> candle_of(const Row& row, const Origin& origin, Timeframe timeframe);
Result<Ticker> ticker_of(const Row& row, const Origin& origin);
// Adds the level to its side: bought amounts are positive, sold ones negative, and a count of zero
// removes it.
Result<void> add_level(const Row& row, BookUpdate& book);
// In the order that snapshots have.
void sort_sides(BookUpdate& book);

}  // namespace candlewick::exchange::bitfinex
