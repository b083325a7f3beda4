// Places are made one by one as far as the page reaches, so a hole of years costs no more than one
// page of it.
#include "api/candle_fill.h"

#include "api/json_form.h"

namespace candlewick::api {
namespace {

// The first place that is not before `time`.
Time place_at(Timeframe timeframe, Time time) {
  const Time open = open_of(timeframe, time);
  return open < time ? next_open(timeframe, open) : open;
}

PlacedCandle empty_place(const FillRange& range, Time at, const std::optional<Decimal>& before) {
  return {.open_time = at,
          .close = range.fill == Fill::previous ? before : std::nullopt,
          .stored = nullptr,
          .live = nullptr};
}

std::vector<PlacedCandle> fill_up(std::span<const PlacedCandle> candles, const FillRange& range,
                                  std::size_t limit, bool has_more) {
  std::vector<PlacedCandle> rows;
  std::size_t next = 0;
  Time place = place_at(range.timeframe, range.begin);
  std::optional<Decimal> before = range.close_before;
  while (rows.size() < limit) {
    const bool has_next = next < candles.size();
    if (has_next && candles[next].open_time <= place) {
      const PlacedCandle& candle = candles[next++];
      rows.push_back(candle);
      before = candle.close;
      if (candle.open_time == place) place = next_open(range.timeframe, place);
    } else if (place < range.end && (has_next || !has_more)) {
      rows.push_back(empty_place(range, place, before));
      place = next_open(range.timeframe, place);
    } else if (has_next) {
      rows.push_back(candles[next++]);
    } else {
      break;
    }
  }
  return rows;
}

std::vector<PlacedCandle> fill_down(std::span<const PlacedCandle> candles, const FillRange& range,
                                    std::size_t limit, bool has_more) {
  std::vector<PlacedCandle> rows;
  std::size_t next = 0;
  Time place = previous_open(range.timeframe, place_at(range.timeframe, range.end));
  while (rows.size() < limit) {
    const bool has_next = next < candles.size();
    if (has_next && candles[next].open_time >= place) {
      const PlacedCandle& candle = candles[next++];
      rows.push_back(candle);
      if (candle.open_time == place) place = previous_open(range.timeframe, place);
    } else if (place >= range.begin && (has_next || !has_more)) {
      rows.push_back(
          empty_place(range, place, has_next ? candles[next].close : range.close_before));
      place = previous_open(range.timeframe, place);
    } else if (has_next) {
      rows.push_back(candles[next++]);
    } else {
      break;
    }
  }
  return rows;
}

void append_empty(std::string& out, const PlacedCandle& row) {
  json::Members members(out);
  members("timestamp", row.open_time);
  for (const auto* name : {"open", "high", "low", "close"}) members.nullable(name, row.close);
  const std::string_view amount = row.close ? "0" : "null";
  for (const auto* name :
       {"volume", "quote_volume", "trade_count", "taker_buy_volume", "taker_buy_quote_volume"}) {
    members.raw(name, amount);
  }
  members("is_closed", true)("source", "fill")("revision", 0);
  members.raw("ingested_at", "null").raw("bars", "null")("is_complete", false).close();
}

}  // namespace

void append_placed(std::string& out, const PlacedCandle& row) {
  if (row.stored != nullptr) {
    append_candle(out, *row.stored);
  } else if (row.live != nullptr) {
    append_candle(out, *row.live);
  } else {
    append_empty(out, row);
  }
}

std::vector<PlacedCandle> filled(std::span<const PlacedCandle> candles, const FillRange& range,
                                 query::Order order, std::size_t limit, bool has_more) {
  return order == query::Order::ascending ? fill_up(candles, range, limit, has_more)
                                          : fill_down(candles, range, limit, has_more);
}

}  // namespace candlewick::api
