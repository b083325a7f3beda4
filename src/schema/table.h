// The warehouse's tables as data: what the log carries, what every sink writes and what the reading
// side asks for is derived from these lists, so a column is added in one place.
//
// Facts refer to instruments by natural key (exchange, symbol): surrogate ids are a warehouse's own
// business and differ from one to the next.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "schema/value.h"

namespace candlewick::schema {

enum class ColumnType : unsigned char { text, integer, boolean, decimal, real, time, json };

struct Column {
  std::string_view name;
  ColumnType type;
  bool nullable = true;
};

// What happens when a row's key is there already.
enum class Conflict : unsigned char {
  keep,        // immutable rows: the first one stays
  newer_wins,  // replaced only if (is_closed, revision) grows
  replace,     // current state: the last one wins
  append,      // no key: every row is kept once, told apart by the log's sequence
};

struct Table {
  std::string_view name;
  std::span<const Column> columns;
  std::span<const std::string_view> key;
  Conflict conflict;

  // Position of a column; npos when there is none.
  std::size_t index_of(std::string_view column) const;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

// In the order in which a fresh warehouse makes them.
extern const Table instruments;  // → dim_cryptocurrency, dim_exchange, dim_listing
extern const Table assets;       // what is known of a traded asset; also names dim_cryptocurrency
extern const Table fact_ohlcv;
extern const Table fact_ohlcv_revision;
extern const Table fact_trade;  // empty unless trades are kept
extern const Table market_ticks;
extern const Table technical_indicators;
extern const Table coverage;
extern const Table
    indicator_checkpoint;         // the state of recursive indicators, with the row they follow
extern const Table verification;  // one row for each comparison that was made
extern const Table verification_mismatch;  // what a comparison found different, candle by candle

std::span<const Table* const> all_tables();
const Table* find_table(std::string_view name);

// One row, values in the order of the table's columns.
struct Row {
  const Table* table = nullptr;
  std::vector<Value> values;

  const Value& at(std::string_view column) const;
  friend bool operator==(const Row&, const Row&) = default;
};

// {"table":"fact_ohlcv","exchange":"binance",…}: columns in order, nulls included. Decimals and
// reals as JSON numbers, times as RFC 3339 text.
void append_json(std::string& out, const Row& row);
std::string to_json(const Row& row);

// The same text back into rows; keep one, its buffers are reused. Columns that the text lacks
// become null; unknown tables and columns, and nulls where none may be, are refused by name
// (malformed).
class RowReader {
 public:
  Result<Row> read(std::string_view text);

 private:
  json::Reader reader_;
};

// The row's natural key as text, for de-duplication and hashes: "binance|BTC/USDT|1m|2024-…".
std::string key_text(const Row& row);

}  // namespace candlewick::schema
