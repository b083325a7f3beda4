// Market ticks and technical indicators. Rows come as the schema lists their columns, so a new
// column is here by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "query/candles.h"
#include "schema/table.h"
#include "warehouse/database.h"

namespace candlewick::query {

struct SnapshotQuery {
  std::optional<std::string> exchange;
  std::optional<std::string> symbol;  // either spelling
  std::optional<std::string> window_interval;
  std::optional<Time> start;  // inclusive, of exchange_ts
  std::optional<Time> end;    // exclusive
  std::size_t limit = 1000;
  Order order = Order::ascending;
};

Result<std::vector<schema::Row>> ticks(warehouse::Database& database, const SnapshotQuery& query);
Result<std::vector<schema::Row>> indicators(warehouse::Database& database,
                                            const SnapshotQuery& query);

// The newest one of each (exchange, symbol, window_interval); `limit` counts those.
Result<std::vector<schema::Row>> latest_ticks(warehouse::Database& database,
                                              const SnapshotQuery& query);
Result<std::vector<schema::Row>> latest_indicators(warehouse::Database& database,
                                                   const SnapshotQuery& query);

}  // namespace candlewick::query
