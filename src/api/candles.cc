// Candles from the warehouse, joined at the newest end by what memory holds: the last closed
// candle, which may not be stored yet, and the one that is still forming.
#include <algorithm>
#include <map>

#include "api/candle_fill.h"
#include "api/candle_points.h"
#include "api/history.h"
#include "api/json_form.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

constexpr std::array<std::string_view, 16> columns{"timestamp",
                                                   "open",
                                                   "high",
                                                   "low",
                                                   "close",
                                                   "volume",
                                                   "quote_volume",
                                                   "trade_count",
                                                   "taker_buy_volume",
                                                   "taker_buy_quote_volume",
                                                   "is_closed",
                                                   "source",
                                                   "revision",
                                                   "ingested_at",
                                                   "bars",
                                                   "is_complete"};

constexpr Duration fill_grace = std::chrono::minutes{1};

struct Options {
  std::optional<Time> as_of;
  bool closed_only = false;
  Fill fill = Fill::none;
};

struct Page {
  std::vector<query::Candle> stored;
  std::vector<Candle> live;  // newer than all of the stored ones, oldest first
  bool has_more = false;     // of the stored ones
};

// The newest closed candle and the one that forms, as far as memory has them.
std::vector<Candle> remembered_candles(const Site& site, const Series& series,
                                       Timeframe timeframe) {
  std::vector<Candle> candles;
  if (!series.slot) return candles;
  site.backend.board.look(*series.slot, [&](const pipeline::Latest& latest) {
    if (latest.is_stale) return;
    for (const auto* known : {&latest.closed, &latest.forming}) {
      const auto found = known->find(timeframe);
      if (found != known->end()) candles.push_back(found->second);
    }
  });
  return candles;
}

// Those of them that the question covers and the warehouse does not have.
std::vector<Candle> live_candles(const std::vector<Candle>& remembered,
                                 const HistoryQuestion& question,
                                 const std::optional<Time>& newest_stored) {
  std::vector<Candle> candles;
  for (const Candle& candle : remembered) {
    if (question.start && candle.open_time < *question.start) continue;
    if (question.end && candle.open_time >= *question.end) continue;
    if (newest_stored && candle.open_time <= *newest_stored) continue;
    if (!candles.empty() && candle.open_time <= candles.back().open_time) continue;
    candles.push_back(candle);
  }
  return candles;
}

std::string memory_of(const Site& site, const Series& series, Timeframe timeframe) {
  // What is followed decides which venue a symbol means.
  std::string words = fmt::format("{} {}", site.backend.board.version(), series.exchange);
  for (const auto& candle : remembered_candles(site, series, timeframe)) {
    append_candle(words, candle);
  }
  return words;
}

query::CandleQuery to_query(const Series& series, const HistoryQuestion& question,
                            const Options& options) {
  return {.exchange = series.exchange,
          .symbol = series.symbol,
          .timeframe = question.timeframe,
          .start = question.start,
          .end = question.end,
          .limit = question.limit + 1,  // whether there is another page
          .order = question.order,
          .as_of = options.as_of,
          .closed_only = options.closed_only};
}

Result<Page> read_page(const Site& site, warehouse::Database& database, const Series& series,
                       const HistoryQuestion& question, const Options& options) {
  // Memory first: a candle that is stored while we ask is then found twice rather than never.
  std::vector<Candle> remembered;
  if (!options.as_of) remembered = remembered_candles(site, series, question.timeframe);
  auto stored = query::candles(database, to_query(series, question, options));
  if (!stored) return candlewick::fail(std::move(stored.error()));
  Page page{.stored = std::move(*stored), .live = {}, .has_more = false};
  const bool is_ascending = question.order == query::Order::ascending;
  page.has_more = page.stored.size() > question.limit;
  if (!remembered.empty() && !(is_ascending && page.has_more)) {
    // A stored candle that was not closed then is replaced by what memory knows of it now.
    auto& rows = page.stored;
    const auto newest = [&]() -> query::Candle* {
      if (rows.empty()) return nullptr;
      return is_ascending ? &rows.back() : &rows.front();
    };
    std::optional<Time> newest_stored;
    if (auto* candle = newest(); candle != nullptr) {
      newest_stored = candle->timestamp;
      if (!candle->is_closed) newest_stored = candle->timestamp - Duration{1};
    }
    page.live = live_candles(remembered, question, newest_stored);
    if (options.closed_only)
      std::erase_if(page.live, [](const Candle& candle) { return !candle.is_closed; });
    if (auto* candle = newest(); candle != nullptr && !page.live.empty() &&
                                 page.live.front().open_time == candle->timestamp) {
      rows.erase(is_ascending ? rows.end() - 1 : rows.begin());
    }
  }
  return page;
}

// What is filled in begins with the first candle there is, and ends before the one that forms.
Result<FillRange> fill_range(const Site& site, warehouse::Database& database, const Series& series,
                             const HistoryQuestion& question, const Options& options) {
  FillRange range{.fill = options.fill, .timeframe = question.timeframe};
  auto query = to_query(series, question, options);
  query.limit = 1;
  query.closed_only = true;
  query.start.reset();
  query.end.reset();
  query.order = query::Order::ascending;
  const auto oldest = query::candles(database, query);
  if (!oldest) return candlewick::fail(oldest.error());
  if (oldest->empty()) return range;
  range.begin = oldest->front().timestamp;
  const Time now = site.backend.clock.now();
  const Time forming = open_of(question.timeframe, std::min(options.as_of.value_or(now), now));
  // A candle that ended just now may be neither remembered nor stored yet: no row stands in for it.
  const Time old_enough = open_of(question.timeframe, now - fill_grace);
  range.end = std::min({question.end.value_or(forming), forming, old_enough});
  if (!question.start || *question.start <= range.begin) return range;
  range.begin = *question.start;
  query.end = question.start;
  query.order = query::Order::descending;
  const auto before = query::candles(database, query);
  if (!before) return candlewick::fail(before.error());
  if (!before->empty()) range.close_before = before->front().close;
  return range;
}

// Candles in the order asked for, live ones in their place.
std::vector<PlacedCandle> placed(const Page& page, const HistoryQuestion& question) {
  std::vector<PlacedCandle> candles;
  candles.reserve(page.stored.size() + page.live.size());
  for (const auto& candle : page.stored) {
    candles.push_back({.open_time = candle.timestamp, .close = candle.close, .stored = &candle});
  }
  const bool is_ascending = question.order == query::Order::ascending;
  const auto at = is_ascending ? candles.end() : candles.begin();
  std::vector<PlacedCandle> live;
  for (const auto& candle : page.live) {
    live.push_back({.open_time = candle.open_time, .close = candle.close, .live = &candle});
  }
  if (!is_ascending) std::ranges::reverse(live);
  candles.insert(at, live.begin(), live.end());
  return candles;
}

// Every place that the page speaks of has its closed candle in the warehouse: what is not there may
// still come, from the log or from the venue.
bool is_settled(const Page& page, const HistoryQuestion& question) {
  if (!page.live.empty() || page.stored.empty()) return false;
  const bool is_ascending = question.order == query::Order::ascending;
  const auto& first = is_ascending ? page.stored.front() : page.stored.back();
  const auto& last = is_ascending ? page.stored.back() : page.stored.front();
  const Timeframe timeframe = question.timeframe;
  // A page that is cut says nothing of what lies beyond its last row.
  if (is_ascending || !page.has_more) {
    if (!question.start || open_of(timeframe, first.timestamp - Duration{1}) >= *question.start)
      return false;
  }
  if (!is_ascending || !page.has_more) {
    if (!question.end || next_open(timeframe, last.timestamp) < *question.end) return false;
  }
  for (std::size_t i = 0; i < page.stored.size(); ++i) {
    if (!page.stored[i].is_closed) return false;
    if (i == 0) continue;
    const auto& before = page.stored[is_ascending ? i - 1 : i];
    const auto& after = page.stored[is_ascending ? i : i - 1];
    if (next_open(timeframe, before.timestamp) != after.timestamp) return false;
  }
  return true;
}

// The next page; the question goes on behind it.
Result<RowPage> read_rows(const Site& site, warehouse::Database& database, const Series& series,
                          HistoryQuestion& question, const Options& options) {
  auto page = read_page(site, database, series, question, options);
  if (!page) return candlewick::fail(std::move(page.error()));
  auto candles = placed(*page, question);
  if (options.fill != Fill::none) {
    const auto range = fill_range(site, database, series, question, options);
    if (!range) return candlewick::fail(range.error());
    candles = filled(candles, *range, question.order, question.limit + 1, page->has_more);
  }
  RowPage out{.is_settled = is_settled(*page, question)};
  const std::size_t count = std::min(candles.size(), question.limit);
  out.rows.reserve(count * 320);
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) out.rows += ',';
    append_placed(out.rows, candles[i]);
  }
  if (candles.size() > count) {
    const Time last = candles[count - 1].open_time;
    out.next = Place{.position = to_ns(last)};
    question.continue_after(last);
  }
  return out;
}

CandlePoint point_of(const PlacedCandle& placed) {
  const auto of = [&](const auto& candle) {
    return CandlePoint{.open_time = placed.open_time,
                       .open = candle.open,
                       .high = candle.high,
                       .low = candle.low,
                       .close = candle.close,
                       .volume = candle.volume};
  };
  return placed.stored != nullptr ? of(*placed.stored) : of(*placed.live);
}

}  // namespace

Result<std::vector<CandlePoint>> candle_points(const Site& site, warehouse::Database& database,
                                               const Series& series,
                                               const HistoryQuestion& question) {
  auto page = read_page(site, database, series, question, {});
  if (!page) return candlewick::fail(std::move(page.error()));
  std::vector<CandlePoint> points;
  for (const auto& candle : placed(*page, question)) points.push_back(point_of(candle));
  return points;
}

void answer_candles(const Site& site, Call call) {
  HistoryQuestion question = read_history_question(site, call, "/v1/candles");
  const Options options{.as_of = call.arguments.time("as_of"),
                        .closed_only = call.arguments.flag("closed_only"),
                        .fill = static_cast<Fill>(call.arguments.choice("fill", fill_names))};
  MemoryOf memory;
  // Places are filled up to the present, which is neither in memory nor in the warehouse.
  if (options.fill == Fill::none) {
    memory = [&site, timeframe = question.timeframe](const Series& series) {
      return memory_of(site, series, timeframe);
    };
  }
  answer_history(site, std::move(call),
                 {.route = "/v1/candles",
                  .columns = columns,
                  .typed = question.typed,
                  .exchange = question.exchange,
                  .limit = question.limit,
                  .timeframe = question.timeframe,
                  .read =
                      [&site, options, question](warehouse::Database& database,
                                                 const Series& series, std::size_t limit) mutable {
                        question.limit = limit;
                        return read_rows(site, database, series, question, options);
                      },
                  .memory = std::move(memory)});
}

}  // namespace candlewick::api
