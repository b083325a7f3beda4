// Rows of a REST answer, in the order of their opens whatever order they came in.
#include "pipeline/candle_reply.h"

#include <algorithm>

namespace candlewick::pipeline {

using namespace std::chrono_literals;

Duration certainly_final_after(Timeframe timeframe) {
  return std::max<Duration>(2min, 2 * length_of(timeframe));
}

CandleReply read_candle_reply(const exchange::RestQuery& query, const Events& events,
                              Time venue_time) {
  CandleReply reply;
  std::vector<const Candle*> rows;
  bool is_cut = false;
  for (const auto& event : events) {
    const auto* gap = std::get_if<Gap>(&event);
    is_cut = is_cut || (gap != nullptr && gap->stream == Stream::candles);
    const auto* row = std::get_if<Candle>(&event);
    if (row == nullptr || row->timeframe != query.timeframe || row->open_time < *query.start ||
        (query.end && row->open_time >= *query.end)) {
      continue;
    }
    rows.push_back(row);
  }
  if (rows.empty()) return reply;
  std::ranges::stable_sort(rows, {}, &Candle::open_time);
  reply.rows = rows.size();
  reply.newest = rows.back()->open_time;
  // A start inside a period asks for the periods that open after it.
  Time covered = open_of(query.timeframe, *query.start);
  if (covered < *query.start) covered = next_open(query.timeframe, covered);
  if (const Time first = rows.front()->open_time; is_cut && covered < first) {
    reply.out_of_reach = {covered, first};
    covered = first;
  }
  for (const Candle* row : rows) {
    if (row->open_time < covered) continue;  // a repeated row
    if (row->open_time > covered) reply.absent.push_back({covered, row->open_time});
    covered = row->end_time();
    const bool is_final =
        row->end_time() <= venue_time &&
        ((row->open_time < *reply.newest && row->end_time() + rest_settling <= venue_time) ||
         row->end_time() + certainly_final_after(query.timeframe) <= venue_time);
    if (!is_final) continue;
    Candle& candle = reply.closed.emplace_back(*row);
    candle.is_closed = true;
    candle.closed_is_known = true;
  }
  return reply;
}

std::vector<std::string_view> differing_columns(const Candle& stored, const Candle& found) {
  std::vector<std::string_view> columns;
  const auto compare = [&](std::string_view name, const auto& a, const auto& b) {
    if (a != b) columns.push_back(name);
  };
  const auto compare_known = [&](std::string_view name, const auto& a, const auto& b) {
    if (a && b && *a != *b) columns.push_back(name);
  };
  compare("open", stored.open, found.open);
  compare("high", stored.high, found.high);
  compare("low", stored.low, found.low);
  compare("close", stored.close, found.close);
  compare("volume", stored.volume, found.volume);
  compare_known("quote_volume", stored.quote_volume, found.quote_volume);
  compare_known("trade_count", stored.trade_count, found.trade_count);
  compare_known("taker_buy_volume", stored.taker_buy_volume, found.taker_buy_volume);
  compare_known("taker_buy_quote_volume", stored.taker_buy_quote_volume,
                found.taker_buy_quote_volume);
  return columns;
}

}  // namespace candlewick::pipeline
