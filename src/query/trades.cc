// The key of the table gives the order of time; only trades of one moment are sorted, by a rule
// that needs no column of its own: of two numbers the longer one is greater.
#include "query/trades.h"

#include <array>
#include <utility>

#include "query/select.h"

namespace candlewick::query {

using warehouse::Database;

Result<std::vector<Trade>> trades(Database& database, const TradeQuery& query) {
  using enum schema::ColumnType;
  const bool is_ascending = query.order == Order::ascending;
  Conditions conditions;
  add_instrument(conditions, query.exchange, query.symbol);
  conditions.add_if("exchange_time >= {}", query.start);
  conditions.add_if("exchange_time < {}", query.end);
  if (query.after) {
    const std::string moment = conditions.parameter(query.after->exchange_time);
    const std::string id = conditions.parameter(query.after->trade_id);
    const char sign = is_ascending ? '>' : '<';
    // The first part alone is what the key can be searched by.
    conditions.add_plain(
        fmt::format("exchange_time {0}= {1} AND (exchange_time {0} {1} OR (length(trade_id), "
                    "trade_id) {0} (length(CAST({2} AS text)), CAST({2} AS text)))",
                    sign, moment, id));
  }
  const std::string limit = conditions.parameter(static_cast<std::int64_t>(query.limit));
  const std::string_view direction = is_ascending ? "ASC" : "DESC";
  constexpr std::array types{text, time, decimal, decimal, decimal, text, time};
  auto found = database.select(
      fmt::format("SELECT trade_id, exchange_time, price, size, quote_size, taker_side, "
                  "ingested_at FROM fact_trade{0} ORDER BY exchange_time {1}, length(trade_id) "
                  "{1}, trade_id {1} LIMIT {2}",
                  conditions.text(), direction, limit),
      conditions.parameters(), types);
  if (!found) return fail(std::move(found.error()));
  std::vector<Trade> trades;
  trades.reserve(found->size());
  for (auto& row : *found) {
    trades.push_back({.trade_id = cell_or<std::string>(row[0], {}),
                      .exchange_time = cell_or<Time>(row[1], {}),
                      .price = cell_or<Decimal>(row[2], {}),
                      .size = cell_or<Decimal>(row[3], {}),
                      .quote_size = cell<Decimal>(row[4]),
                      .taker_side = cell_or<std::string>(row[5], {}),
                      .ingested_at = cell_or<Time>(row[6], {})});
  }
  return trades;
}

}  // namespace candlewick::query
