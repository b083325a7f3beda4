// Kept trades of one instrument, in the order of their time; of one moment in the order of their
// ids, which is that of numbers where ids are numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/decimal.h"
#include "base/time.h"
#include "query/candles.h"
#include "warehouse/database.h"

namespace candlewick::query {

struct Trade {
  std::string trade_id;  // the venue's; begins with "@" where that has none
  Time exchange_time;
  Decimal price;
  Decimal size;
  std::optional<Decimal> quote_size;
  std::string taker_side;
  Time ingested_at;
};

// Behind which row a page begins.
struct TradePosition {
  Time exchange_time;
  std::string trade_id;
};

struct TradeQuery {
  std::string exchange;
  std::string symbol;         // unified
  std::optional<Time> start;  // inclusive
  std::optional<Time> end;    // exclusive
  std::optional<TradePosition> after;
  std::size_t limit = 1000;
  Order order = Order::ascending;
};

Result<std::vector<Trade>> trades(warehouse::Database& database, const TradeQuery& query);

}  // namespace candlewick::query
