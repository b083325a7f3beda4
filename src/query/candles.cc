// Stored candles first; the holes between them are filled from one-minute candles where that gives
// something, and from the roll-ups of those that were dropped. They are read in slices, so that
// memory does not grow with the question.
#include "query/candles.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <utility>

#include "query/kept_rollups.h"
#include "query/rollup.h"
#include "query/select.h"

namespace candlewick::query {
namespace {

using enum schema::ColumnType;
using schema::Value;
using warehouse::Database;

constexpr std::array value_types{time,    decimal, decimal, decimal, decimal, decimal, decimal,
                                 integer, decimal, decimal, boolean, text,    integer, time};
constexpr std::string_view value_columns =
    "timestamp, open, high, low, close, volume, quote_volume, trade_count, taker_buy_volume, "
    "taker_buy_quote_volume, is_closed, source, revision, ingested_at";

// How many minutes are held at once.
constexpr std::int64_t slice_minutes = 100'000;

Candle to_candle(warehouse::Values& row) {
  Candle candle{.timestamp = cell_or(row[0], Time{}),
                .open = cell_or(row[1], Decimal{}),
                .high = cell_or(row[2], Decimal{}),
                .low = cell_or(row[3], Decimal{}),
                .close = cell_or(row[4], Decimal{}),
                .volume = cell_or(row[5], Decimal{}),
                .quote_volume = cell<Decimal>(row[6]),
                .trade_count = cell<std::int64_t>(row[7]),
                .taker_buy_volume = cell<Decimal>(row[8]),
                .taker_buy_quote_volume = cell<Decimal>(row[9]),
                .is_closed = cell_or(row[10], false),
                .source = cell_or(row[11], std::string{}),
                .revision = cell_or(row[12], std::int64_t{0}),
                .ingested_at = cell_or(row[13], Time{}),
                .bars = std::nullopt,
                .is_complete = false};
  candle.is_complete = candle.is_closed;
  return candle;
}

void add_range(Conditions& conditions, const CandleQuery& query) {
  add_instrument(conditions, query.exchange, query.symbol);
  conditions.add("timeframe = {}", std::string(to_text(query.timeframe)));
  conditions.add_if("timestamp >= {}", query.start);
  conditions.add_if("timestamp < {}", query.end);
  if (query.closed_only || query.as_of) conditions.add_plain("is_closed");
}

Result<std::vector<Candle>> stored(Database& database, const CandleQuery& query) {
  Conditions conditions;
  add_range(conditions, query);
  std::string from = "fact_ohlcv" + conditions.text();
  if (query.as_of) {
    // Of all values of a candle, those known by then; the newest of them counts.
    conditions.add("ingested_at <= {}", *query.as_of);
    from = fmt::format(
        "(SELECT {0}, row_number() OVER (PARTITION BY timestamp ORDER BY revision DESC) AS newest "
        "FROM (SELECT {0} FROM fact_ohlcv{1} UNION ALL SELECT {0} FROM fact_ohlcv_revision{1}) AS "
        "known) AS ranked WHERE newest = 1",
        value_columns, conditions.text());
  }
  const std::string limit = conditions.parameter(static_cast<std::int64_t>(query.limit));
  const std::string sql =
      fmt::format("SELECT {} FROM {} ORDER BY timestamp {} LIMIT {}", value_columns, from,
                  query.order == Order::ascending ? "ASC" : "DESC", limit);
  auto rows = database.select(sql, conditions.parameters(), value_types);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<Candle> candles;
  candles.reserve(rows->size());
  for (auto& row : *rows) candles.push_back(to_candle(row));
  return candles;
}

CandleQuery closed_of(const StoredQuery& query) {
  return {.exchange = query.exchange,
          .symbol = query.symbol,
          .timeframe = query.timeframe,
          .start = query.start,
          .end = query.end,
          .limit = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()),
          .closed_only = true};
}

// What longer candles are made of: closed minutes, and where those were dropped, what was kept of
// them. A minute that came for a dropped time is not told apart from those that are in there.
class Minutes {
 public:
  Minutes(Database& database, const CandleQuery& query, const std::optional<KeptRollups>& kept)
      : database_(database), query_(query), kept_(kept) {}

  // The first or last one of [from, to).
  Result<std::optional<Time>> edge(std::optional<Time> from, std::optional<Time> to,
                                   Order order) const {
    for (const bool is_kept : {order == Order::ascending, order != Order::ascending}) {
      auto found = part(is_kept, from, to, order, 1);
      if (!found) return fail(std::move(found.error()));
      if (!found->empty()) return std::optional(found->front().timestamp);
    }
    return std::optional<Time>{};
  }

  // `over`: what ends by then is closed.
  Result<std::vector<Candle>> rolled(Time from, Time to, Time over) const {
    auto all = part(true, from, to, Order::ascending, everything);
    if (!all) return all;
    auto minutes = part(false, from, to, Order::ascending, everything);
    if (!minutes) return minutes;
    std::ranges::move(*minutes, std::back_inserter(*all));
    return roll_up(*all, query_.timeframe, kept_ ? std::max(kept_->before, over) : over);
  }

 private:
  static constexpr auto everything =
      static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());

  Result<std::vector<Candle>> part(bool is_kept, std::optional<Time> from, std::optional<Time> to,
                                   Order order, std::size_t limit) const {
    CandleQuery one = query_;
    one.timeframe = Timeframe::m1;
    one.closed_only = true;
    one.start = from;
    one.end = to;
    one.order = order;
    one.limit = limit;
    if (!is_kept) {
      if (kept_) one.start = std::max(kept_->before, from.value_or(kept_->before));
      return stored(database_, one);
    }
    return kept_ ? kept_candles(database_, *kept_, one) : Result<std::vector<Candle>>{};
  }

  Database& database_;
  const CandleQuery& query_;
  const std::optional<KeptRollups>& kept_;
};

struct Range {
  Time from;
  Time to;
};

// Up to `limit` buckets of the range, whose ends are bucket borders, in the question's order. A
// bucket that ends by `over` is closed, wherever slices end.
Result<std::vector<Candle>> rolled(const Minutes& minutes, const CandleQuery& query, Range range,
                                   Time over, std::size_t limit) {
  auto [from, to] = range;
  std::vector<Candle> result;
  const bool is_ascending = query.order == Order::ascending;
  const auto per_bucket =
      std::max<std::int64_t>(1, length_of(query.timeframe) / std::chrono::minutes{1});
  auto wanted =
      std::min<std::int64_t>(static_cast<std::int64_t>(limit), slice_minutes / per_bucket);
  wanted = std::max<std::int64_t>(1, wanted);
  while (from < to && result.size() < limit) {
    // Skips what is empty: the slice begins at the next minute that there is.
    const auto begin = minutes.edge(from, to, query.order);
    if (!begin) return fail(begin.error());
    if (!*begin) break;
    Time near = open_of(query.timeframe, **begin);
    Time far = near;
    if (is_ascending) {
      for (std::int64_t i = 0; i < wanted && far < to; ++i) far = next_open(query.timeframe, far);
      far = std::min(far, to);
    } else {
      far = next_open(query.timeframe, near);
      for (std::int64_t i = 1; i < wanted && near > from; ++i)
        near = previous_open(query.timeframe, near);
      near = std::max(near, from);
      far = std::min(far, to);
    }
    auto buckets = minutes.rolled(near, far, over);
    if (!buckets) return buckets;
    if (!is_ascending) std::ranges::reverse(*buckets);
    std::ranges::move(*buckets, std::back_inserter(result));
    (is_ascending ? from : to) = is_ascending ? far : near;
  }
  if (result.size() > limit) result.resize(limit);
  return result;
}

// The buckets between the stored ones, in the question's order. Whole buckets only: one that begins
// before `start` is not asked for.
std::vector<Range> holes_between(const std::vector<Candle>& found, const CandleQuery& query,
                                 Time low, Time high) {
  std::vector<Range> holes;
  const bool is_ascending = query.order == Order::ascending;
  Time next = is_ascending ? low : high;
  for (const auto& candle : found) {
    const Time after = next_open(query.timeframe, candle.timestamp);
    if (is_ascending) {
      if (next < candle.timestamp) holes.push_back({next, candle.timestamp});
      next = std::max(next, after);
    } else {
      if (after < next) holes.push_back({after, next});
      next = std::min(next, candle.timestamp);
    }
  }
  // When the limit is reached, nothing after the last one is asked for.
  if (found.size() < query.limit) {
    const Range rest = is_ascending ? Range{next, high} : Range{low, next};
    if (rest.from < rest.to) holes.push_back(rest);
  }
  return holes;
}

Result<std::vector<Candle>> with_rollups(Database& database, const CandleQuery& query,
                                         const std::optional<KeptRollups>& kept) {
  auto found = stored(database, query);
  if (!found) return found;
  const Minutes minutes(database, query, kept);
  std::optional<Time> until;
  if (query.end) until = next_open(query.timeframe, open_of(query.timeframe, *query.end));
  const auto first = minutes.edge(query.start, until, Order::ascending);
  if (!first) return fail(first.error());
  if (!*first) return found;
  const auto last = minutes.edge(query.start, until, Order::descending);
  if (!last) return fail(last.error());
  Time low = open_of(query.timeframe, **first);
  if (query.start && low < *query.start) low = next_open(query.timeframe, low);
  Time high = next_open(query.timeframe, open_of(query.timeframe, **last));
  if (query.end) {
    const Time last_open = open_of(query.timeframe, *query.end);
    high =
        std::min(high, last_open < *query.end ? next_open(query.timeframe, last_open) : last_open);
  }

  std::vector<Candle> made;
  for (const auto& hole : holes_between(*found, query, low, high)) {
    if (made.size() >= query.limit) break;
    auto part = rolled(minutes, query, hole, **last, query.limit - made.size());
    if (!part) return part;
    std::ranges::move(*part, std::back_inserter(made));
  }
  if (query.closed_only || query.as_of) {
    std::erase_if(made, [](const Candle& candle) { return !candle.is_closed; });
  }
  if (made.empty()) return found;
  std::vector<Candle> merged;
  merged.reserve(found->size() + made.size());
  const bool is_ascending = query.order == Order::ascending;
  std::ranges::merge(
      *found, made, std::back_inserter(merged),
      [is_ascending](Time a, Time b) { return is_ascending ? a < b : b < a; }, &Candle::timestamp,
      &Candle::timestamp);
  if (merged.size() > query.limit) merged.resize(query.limit);
  return merged;
}

}  // namespace

Result<std::vector<Candle>> candles(Database& database, const CandleQuery& query) {
  if (length_of(query.timeframe) <= std::chrono::minutes{1}) return stored(database, query);
  // What was known at a moment is told by minutes alone: their stamps are not kept.
  if (query.as_of) return with_rollups(database, query, std::nullopt);
  auto kept = kept_rollups(database, query.timeframe);
  if (!kept) return fail(std::move(kept.error()));
  while (true) {
    auto answer = with_rollups(database, query, *kept);
    if (!answer) return answer;
    // Minutes that were dropped in between are in neither part.
    auto after = kept_rollups(database, query.timeframe);
    if (!after) return fail(std::move(after.error()));
    if (*after == *kept) return answer;
    kept = std::move(after);
  }
}

Result<std::optional<Time>> latest_candle_time(Database& database, std::string_view exchange,
                                               std::string_view symbol, Timeframe timeframe) {
  const auto newest = stored(database, {.exchange = std::string(exchange),
                                        .symbol = std::string(symbol),
                                        .timeframe = timeframe,
                                        .limit = 1,
                                        .order = Order::descending,
                                        .closed_only = true});
  if (!newest) return fail(newest.error());
  if (newest->empty()) return std::optional<Time>{};
  return std::optional(newest->front().timestamp);
}

Result<std::vector<Time>> stored_times(Database& database, const StoredQuery& query) {
  constexpr std::array types{time};
  Conditions conditions;
  add_range(conditions, closed_of(query));
  auto rows = database.select(
      fmt::format("SELECT timestamp FROM fact_ohlcv{} ORDER BY timestamp", conditions.text()),
      conditions.parameters(), types);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<Time> times;
  times.reserve(rows->size());
  for (auto& row : *rows) times.push_back(cell_or(row[0], Time{}));
  return times;
}

Result<std::vector<Candle>> stored_candles(Database& database, const StoredQuery& query) {
  return stored(database, closed_of(query));
}

}  // namespace candlewick::query
