// Candles from the warehouse, joined at the newest end by what memory holds: the last closed
// candle, which may not be stored yet, and the one that is still forming.
#include <algorithm>
#include <map>

#include "api/json_form.h"
#include "api/paging.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

constexpr std::string_view route = "/v1/candles";

struct Page {
  std::vector<query::Candle> stored;
  std::vector<Candle> live;  // newer than all of the stored ones, oldest first
  bool has_more = false;
};

// Memory's candles that the question covers and the warehouse does not have.
std::vector<Candle> live_candles(const pipeline::Latest& latest, const HistoryQuestion& question,
                                 const std::optional<Time>& newest_stored) {
  std::vector<Candle> candles;
  if (latest.is_stale) return candles;
  for (const auto* known : {&latest.closed, &latest.forming}) {
    const auto found = known->find(question.timeframe);
    if (found == known->end()) continue;
    const Candle& candle = found->second;
    if (question.start && candle.open_time < *question.start) continue;
    if (question.end && candle.open_time >= *question.end) continue;
    if (newest_stored && candle.open_time <= *newest_stored) continue;
    if (!candles.empty() && candle.open_time <= candles.back().open_time) continue;
    candles.push_back(candle);
  }
  return candles;
}

Result<Page> read_page(const Site& site, warehouse::Database& database, const Series& series,
                       const HistoryQuestion& question, const std::optional<Time>& as_of,
                       bool closed_only) {
  // Memory first: a candle that is stored while we ask is then found twice rather than never.
  std::optional<pipeline::Latest> latest;
  if (series.slot && !as_of) latest = site.backend.board.read(*series.slot);
  // One more than asked for tells whether there is another page.
  auto stored = query::candles(database, {.exchange = series.exchange,
                                          .symbol = series.symbol,
                                          .timeframe = question.timeframe,
                                          .start = question.start,
                                          .end = question.end,
                                          .limit = question.limit + 1,
                                          .order = question.order,
                                          .as_of = as_of,
                                          .closed_only = closed_only});
  if (!stored) return candlewick::fail(std::move(stored.error()));
  Page page{.stored = std::move(*stored), .live = {}, .has_more = false};
  const bool is_ascending = question.order == query::Order::ascending;
  page.has_more = page.stored.size() > question.limit;
  if (latest && !(is_ascending && page.has_more)) {
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
    page.live = live_candles(*latest, question, newest_stored);
    if (closed_only)
      std::erase_if(page.live, [](const Candle& candle) { return !candle.is_closed; });
    if (auto* candle = newest(); candle != nullptr && !page.live.empty() &&
                                 page.live.front().open_time == candle->timestamp) {
      rows.erase(is_ascending ? rows.end() - 1 : rows.begin());
    }
  }
  return page;
}

void answer_page(Call& call, const Series& series, const HistoryQuestion& question, Page page) {
  const bool is_ascending = question.order == query::Order::ascending;
  std::string out;
  out.reserve(256 + std::min(question.limit, page.stored.size() + 2) * 320);
  json::Members members(out);
  members("exchange", series.exchange)("symbol", series.symbol)(
      "exchange_symbol", series.exchange_symbol)("timeframe", to_text(question.timeframe));
  members.name("data") += '[';
  std::size_t count = 0;
  Time last;
  const auto put = [&](const auto& candle, Time timestamp) {
    if (count == question.limit) {
      page.has_more = true;
      return;
    }
    if (count++ != 0) out += ',';
    append_candle(out, candle);
    last = timestamp;
  };
  const auto put_live = [&] {
    if (!is_ascending) std::ranges::reverse(page.live);
    for (const auto& candle : page.live) put(candle, candle.open_time);
  };
  if (!is_ascending) put_live();
  for (const auto& candle : page.stored) put(candle, candle.timestamp);
  if (is_ascending) put_live();
  out += ']';
  std::optional<std::int64_t> position;
  if (page.has_more) position = to_ns(last);
  append_next(members, call, route, position);
  members.close();
  call.json(std::move(out));
}

}  // namespace

void answer_candles(const Site& site, Call call) {
  HistoryQuestion question = read_history_question(site, call, route);
  const auto as_of = call.arguments.time("as_of");
  const bool closed_only = call.arguments.flag("closed_only");
  if (const auto& problem = call.arguments.problem()) return call.fail(*problem);
  std::string typed = question.typed;
  std::string exchange = question.exchange;
  ask_about_series(
      site, std::move(call), std::move(typed), std::move(exchange),
      [&site, question = std::move(question), as_of, closed_only](
          warehouse::Database& database, Call& asked, const Series& series) -> Result<void> {
        auto page = read_page(site, database, series, question, as_of, closed_only);
        if (!page) return candlewick::fail(std::move(page.error()));
        asked.arguments.set("exchange", series.exchange);  // later pages come from the same venue
        answer_page(asked, series, question, std::move(*page));
        return {};
      });
}

}  // namespace candlewick::api
