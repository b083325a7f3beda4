// Candles of one instrument: as stored, and where a timeframe is not stored, rolled up exactly from
// closed one-minute candles, or from what is left of those that retention dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/decimal.h"
#include "base/time.h"
#include "market/timeframe.h"
#include "warehouse/database.h"

namespace candlewick::query {

enum class Order : unsigned char { ascending, descending };

struct CandleQuery {
  std::string exchange;
  std::string symbol;  // unified
  Timeframe timeframe = Timeframe::m1;
  std::optional<Time> start;  // inclusive
  std::optional<Time> end;    // exclusive
  std::size_t limit = 1000;
  Order order = Order::ascending;
  // What was known at that moment: later corrections are left out. Candles that were not closed
  // then are left out too: their earlier values are not kept. So are dropped ones.
  std::optional<Time> as_of;
  bool closed_only = false;
};

struct Candle {
  Time timestamp;  // open time
  Decimal open;
  Decimal high;
  Decimal low;
  Decimal close;
  Decimal volume;
  std::optional<Decimal> quote_volume;
  std::optional<std::int64_t> trade_count;
  std::optional<Decimal> taker_buy_volume;
  std::optional<Decimal> taker_buy_quote_volume;
  bool is_closed = false;
  std::string source;  // "ws", "rest", "trades"; "rollup" when made here
  std::int64_t revision = 0;
  Time ingested_at;
  // Of a rolled-up candle: how many minutes it holds. Null in stored ones.
  std::optional<std::int64_t> bars;
  // Holds every minute of its time. A stored candle is complete when it is closed.
  bool is_complete = false;
  friend bool operator==(const Candle&, const Candle&) = default;
};

Result<std::vector<Candle>> candles(warehouse::Database& database, const CandleQuery& query);

// Of closed ones, that timeframe as stored. Null when there is none.
Result<std::optional<Time>> latest_candle_time(warehouse::Database& database,
                                               std::string_view exchange, std::string_view symbol,
                                               Timeframe timeframe);

// The opens of closed candles of that timeframe as stored, ascending: what is there already.
struct StoredQuery {
  std::string exchange;
  std::string symbol;
  Timeframe timeframe = Timeframe::m1;
  Time start;  // inclusive
  Time end;    // exclusive
};
Result<std::vector<Time>> stored_times(warehouse::Database& database, const StoredQuery& query);
// The candles themselves, never rolled up.
Result<std::vector<Candle>> stored_candles(warehouse::Database& database, const StoredQuery& query);

}  // namespace candlewick::query
