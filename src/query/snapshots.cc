// Both tables have the same key, so the questions are the same.
#include "query/snapshots.h"

#include <utility>

#include "query/select.h"

namespace candlewick::query {
namespace {

using schema::Row;
using schema::Table;
using warehouse::Database;

std::string columns_of(const Table& table, std::string_view prefix) {
  std::string columns;
  for (const auto& column : table.columns) {
    columns += fmt::format("{}{}\"{}\"", columns.empty() ? "" : ", ", prefix, column.name);
  }
  return columns;
}

Result<std::vector<Row>> rows_of(Database& database, const Table& table, const std::string& sql,
                                 const Conditions& conditions) {
  std::vector<schema::ColumnType> types;
  for (const auto& column : table.columns) types.push_back(column.type);
  auto found = database.select(sql, conditions.parameters(), types);
  if (!found) return fail(std::move(found.error()));
  std::vector<Row> rows;
  rows.reserve(found->size());
  for (auto& values : *found) rows.push_back({.table = &table, .values = std::move(values)});
  return rows;
}

Conditions conditions_of(const SnapshotQuery& query) {
  Conditions conditions;
  conditions.add_if("t.exchange = {}", query.exchange);
  if (query.symbol) {
    const std::string place = conditions.parameter(*query.symbol);
    conditions.add_plain(fmt::format("(t.symbol = {0} OR t.exchange_symbol = {0})", place));
  }
  conditions.add_if("t.window_interval = {}", query.window_interval);
  conditions.add_if("t.exchange_ts >= {}", query.start);
  conditions.add_if("t.exchange_ts < {}", query.end);
  return conditions;
}

Result<std::vector<Row>> history(Database& database, const Table& table,
                                 const SnapshotQuery& query) {
  Conditions conditions = conditions_of(query);
  const std::string limit = conditions.parameter(static_cast<std::int64_t>(query.limit));
  const std::string_view order = query.order == Order::ascending ? "ASC" : "DESC";
  return rows_of(database, table,
                 fmt::format("SELECT {} FROM {} t{} ORDER BY t.exchange_ts {}, t.exchange {}, "
                             "t.symbol {}, t.window_interval {} LIMIT {}",
                             columns_of(table, "t."), table.name, conditions.text(), order, order,
                             order, order, limit),
                 conditions);
}

// The series are found by skipping from key to key, which an index answers at once however long the
// table is; max() over a whole series would read all of it.
Result<std::vector<Row>> latest(Database& database, const Table& table,
                                const SnapshotQuery& query) {
  Conditions conditions = conditions_of(query);
  const std::string limit = conditions.parameter(static_cast<std::int64_t>(query.limit));
  const std::string sql = fmt::format(
      "WITH RECURSIVE series(exchange, symbol, window_interval) AS ("
      "SELECT * FROM (SELECT exchange, symbol, window_interval FROM {0} "
      "ORDER BY exchange, symbol, window_interval LIMIT 1) AS head "
      "UNION ALL "
      "SELECT n.exchange, n.symbol, n.window_interval FROM series s, {0} n "
      "WHERE (n.exchange, n.symbol, n.window_interval, n.exchange_ts) = ("
      "SELECT m.exchange, m.symbol, m.window_interval, m.exchange_ts FROM {0} m "
      "WHERE (m.exchange, m.symbol, m.window_interval) > (s.exchange, s.symbol, s.window_interval) "
      "ORDER BY m.exchange, m.symbol, m.window_interval, m.exchange_ts LIMIT 1)) "
      "SELECT {1} FROM series s JOIN {0} t ON t.exchange = s.exchange AND t.symbol = s.symbol "
      "AND t.window_interval = s.window_interval AND t.exchange_ts = ("
      "SELECT max(x.exchange_ts) FROM {0} x WHERE x.exchange = s.exchange AND x.symbol = s.symbol "
      "AND x.window_interval = s.window_interval){2} "
      "ORDER BY t.exchange, t.symbol, t.window_interval LIMIT {3}",
      table.name, columns_of(table, "t."), conditions.text(), limit);
  return rows_of(database, table, sql, conditions);
}

}  // namespace

Result<std::vector<Row>> ticks(Database& database, const SnapshotQuery& query) {
  return history(database, schema::market_ticks, query);
}
Result<std::vector<Row>> indicators(Database& database, const SnapshotQuery& query) {
  return history(database, schema::technical_indicators, query);
}
Result<std::vector<Row>> latest_ticks(Database& database, const SnapshotQuery& query) {
  return latest(database, schema::market_ticks, query);
}
Result<std::vector<Row>> latest_indicators(Database& database, const SnapshotQuery& query) {
  return latest(database, schema::technical_indicators, query);
}

}  // namespace candlewick::query
