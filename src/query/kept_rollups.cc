// The grade shows in the tables that are there: one of five-minute roll-ups that were put aside, or
// a continuous aggregate for each length.
#include "query/kept_rollups.h"

#include <algorithm>
#include <array>
#include <utility>

#include "query/select.h"

namespace candlewick::query {
namespace {

using enum schema::ColumnType;
using warehouse::Database;

// Longest first; weeks are left out, since the borders of what is dropped are days.
constexpr std::array<std::pair<Timeframe, std::string_view>, 5> aggregates{
    {{Timeframe::d1, "rollup_1d"},
     {Timeframe::h4, "rollup_4h"},
     {Timeframe::h1, "rollup_1h"},
     {Timeframe::m15, "rollup_15m"},
     {Timeframe::m5, "rollup_5m"}}};

// Of both lengths, candles never begin within one another. Days, weeks and months begin at
// midnight.
bool divides(Timeframe part, Timeframe whole) {
  return length_of(part) <= length_of(whole) && length_of(whole) % length_of(part) == Duration{};
}

}  // namespace

Result<std::optional<KeptRollups>> kept_rollups(Database& database, Timeframe timeframe) {
  using Found = std::optional<KeptRollups>;
  if (database.dialect() != warehouse::Dialect::postgres) return Found{};
  if (!divides(Timeframe::m5, timeframe)) return Found{};
  constexpr std::array types{time, boolean};
  auto rows = database.select(
      "SELECT before, to_regclass('rollup_kept') IS NOT NULL FROM raw_horizon WHERE "
      "isfinite(before)",
      {}, types);
  if (!rows) return fail(std::move(rows.error()));
  if (rows->empty()) return Found{};
  const Time before = cell_or(rows->front()[0], Time{});
  if (cell_or(rows->front()[1], false)) {
    return Found({.before = before, .length = Timeframe::m5, .table = "rollup_kept"});
  }
  for (const auto& [length, table] : aggregates) {
    if (divides(length, timeframe) && open_of(length, before) == before) {
      return Found({.before = before, .length = length, .table = table});
    }
  }
  return Found{};
}

Result<std::vector<Candle>> kept_candles(Database& database, const KeptRollups& kept,
                                         const CandleQuery& query) {
  constexpr std::array types{time,    decimal, decimal, decimal, decimal, decimal,
                             decimal, integer, decimal, decimal, integer};
  Conditions conditions;
  add_instrument(conditions, query.exchange, query.symbol);
  conditions.add_if("timestamp >= {}", query.start);
  conditions.add("timestamp < {}", std::min(kept.before, query.end.value_or(kept.before)));
  const std::string limit = conditions.parameter(static_cast<std::int64_t>(query.limit));
  auto rows = database.select(
      fmt::format("SELECT timestamp, open, high, low, close, volume, quote_volume, trade_count, "
                  "taker_buy_volume, taker_buy_quote_volume, bars FROM {}{} ORDER BY timestamp {} "
                  "LIMIT {}",
                  kept.table, conditions.text(), query.order == Order::ascending ? "ASC" : "DESC",
                  limit),
      conditions.parameters(), types);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<Candle> candles;
  candles.reserve(rows->size());
  for (auto& row : *rows) {
    const Time open_time = cell_or(row[0], Time{});
    const Time end = next_open(kept.length, open_time);
    const auto bars = cell_or(row[10], std::int64_t{0});
    candles.push_back({.timestamp = open_time,
                       .open = cell_or(row[1], Decimal{}),
                       .high = cell_or(row[2], Decimal{}),
                       .low = cell_or(row[3], Decimal{}),
                       .close = cell_or(row[4], Decimal{}),
                       .volume = cell_or(row[5], Decimal{}),
                       .quote_volume = cell<Decimal>(row[6]),
                       .trade_count = cell<std::int64_t>(row[7]),
                       .taker_buy_volume = cell<Decimal>(row[8]),
                       .taker_buy_quote_volume = cell<Decimal>(row[9]),
                       .is_closed = true,
                       .source = "rollup",
                       .revision = 0,
                       .ingested_at = end,
                       .bars = bars,
                       .is_complete = bars == (end - open_time) / std::chrono::minutes{1}});
  }
  return candles;
}

}  // namespace candlewick::query
