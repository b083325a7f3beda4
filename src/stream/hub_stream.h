// One stream as the hub keeps it. For the files of the hub only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/coverage_spans.h"
#include "stream/hub.h"

namespace candlewick::stream {

// What a new row of tickers is told for: that something came, or what it says.
struct TickerFacts {
  bool has_data = false;
  bool is_stale = false;
  std::optional<Time> received_time;
  std::optional<Time> ticker_time;
  std::optional<Decimal> last_price;
  friend bool operator==(const TickerFacts&, const TickerFacts&) = default;
};

template <class Value, class Append>
std::string text_of(const Value& value, Append append) {
  std::string out;
  append(out, value);
  return out;
}

// Of a market tick or a row of indicators.
inline std::optional<Time> instant_of(const schema::Row& row) {
  const auto* time = std::get_if<Time>(&row.at("exchange_ts"));
  return time == nullptr ? std::nullopt : std::optional(*time);
}

struct Hub::Stream {
  // Of what is paced, what was told last.
  TickerFacts ticker;
  std::optional<Quote> quote;
  std::optional<Candle> forming;
  std::optional<Candle> looked_at;  // what the board had before the queue was emptied
  std::optional<BookUpdate> book;

  StreamKey key;
  std::string head;
  std::uint64_t sequence = 0;  // of the newest event
  std::uint64_t number = 0;    // the same by the intake's count
  KeptEvents kept;
  std::vector<Listener*> listeners;
  SteadyTime left_at{};  // by the last listener
  SteadyTime due{};      // not told of before

  // What a snapshot shows: the value, or both candles, or the spans.
  std::string newest = "null";
  std::optional<Time> newest_instant;  // of rows
  std::optional<Time> closed_open;
  std::string closed;
  std::string forming_text;
  std::optional<CoverageSpans> spans;  // null: not known yet
  Text stale_text;                     // what was said when it became so

  std::vector<Listener*> waiting;  // for the spans; they hear nothing before
  SteadyTime ask_at{};
  bool is_asking = false;
  bool is_active = false;
  bool was_active = false;
  bool is_stale = false;
};

}  // namespace candlewick::stream
