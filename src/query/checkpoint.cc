// One row a series.
#include "query/checkpoint.h"

#include <array>
#include <utility>

#include "query/select.h"

namespace candlewick::query {

Result<std::optional<Checkpoint>> checkpoint(warehouse::Database& database,
                                             std::string_view exchange, std::string_view symbol,
                                             std::string_view timeframe) {
  using enum schema::ColumnType;
  constexpr std::array types{time, text, time};
  const std::array<schema::Value, 3> series{std::string(exchange), std::string(symbol),
                                            std::string(timeframe)};
  auto rows = database.select(
      "SELECT candle_time, state, recorded_at FROM indicator_checkpoint "
      "WHERE exchange = $1 AND symbol = $2 AND timeframe = $3",
      series, types);
  if (!rows) return fail(std::move(rows.error()));
  if (rows->empty()) return std::optional<Checkpoint>{};
  auto& row = rows->front();
  return std::optional(Checkpoint{.candle_time = cell_or(row[0], Time{}),
                                  .state = cell_or(row[1], std::string{}),
                                  .recorded_at = cell_or(row[2], Time{})});
}

}  // namespace candlewick::query
