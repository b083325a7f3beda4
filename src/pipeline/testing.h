// What the tests of this folder share: a market whose candles are a function of their time, events
// of it, an output that keeps rows, and a pipeline between them.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "exchange/registry.h"
#include "market/event.h"
#include "pipeline/venue_pipeline.h"
#include "schema/table.h"

namespace candlewick::pipeline::testing {

using namespace std::chrono_literals;

// 2024-05-01T12:00:00Z
inline constexpr Time noon = time_from_ms(1'714'564'800'000);

inline Decimal decimal(std::string_view text) {
  const auto value = Decimal::parse(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(Decimal{});
}

inline const Instrument& bitcoin() {
  static const Instrument instrument{.exchange = "binance",
                                     .symbol = "BTC/USDT",
                                     .exchange_symbol = "BTCUSDT",
                                     .base = "BTC",
                                     .quote = "USDT",
                                     .status = ListingStatus::trading};
  return instrument;
}

// Prices wander between 100 and 120 with two digits; each minute has volumes of its own.
inline Candle true_candle(Time open, Timeframe timeframe = Timeframe::m1) {
  const auto minute = std::chrono::floor<std::chrono::minutes>(open).time_since_epoch().count();
  const auto hundredths = [](std::int64_t count) {
    return Decimal::from_count(int128{count} * (Decimal::one / 100));
  };
  const auto price = [](std::int64_t at) { return 11'000 + (at * 7919 % 1999) - 999; };
  Candle candle;
  candle.origin.instrument = &bitcoin();
  candle.timeframe = timeframe;
  candle.open_time = open;
  candle.open = hundredths(price(minute));
  candle.close = hundredths(price(minute + 1));
  candle.high = hundredths(std::max(price(minute), price(minute + 1)) + 7);
  candle.low = hundredths(std::min(price(minute), price(minute + 1)) - 5);
  candle.volume = hundredths(100 + minute % 977);
  candle.quote_volume = hundredths(10'000 + minute * 31 % 99'991);
  candle.trade_count = static_cast<std::uint64_t>(minute % 500);
  candle.taker_buy_volume = hundredths(50 + minute % 487);
  candle.taker_buy_quote_volume = hundredths(5'000 + minute * 31 % 49'991);
  return candle;
}

// As a stream says it.
inline Candle closed_candle(Time open, Time said, Timeframe timeframe = Timeframe::m1) {
  Candle candle = true_candle(open, timeframe);
  candle.is_closed = true;
  candle.origin.exchange_time = said;
  candle.origin.received_time = said + 5ms;
  return candle;
}
inline Candle closed_candle(Time open) {
  return closed_candle(open, open + 1min + 50ms);
}

// Values that the candle had on its way.
inline Candle forming_candle(Time open, Time said, Timeframe timeframe = Timeframe::m1) {
  Candle candle = closed_candle(open, said, timeframe);
  candle.is_closed = false;
  candle.volume = Decimal::from_count(candle.volume.count() / 1000 * ((said - open) / 1ms % 900));
  candle.close = candle.open;
  return candle;
}

// A row of a REST reply: nothing in it says whether it is final.
inline Candle rest_candle(Time open, Time received, Timeframe timeframe = Timeframe::m1) {
  Candle candle = true_candle(open, timeframe);
  candle.source = Source::rest;
  candle.closed_is_known = false;
  candle.origin.received_time = received;
  return candle;
}

// What the venue answers to a request for candles at that time: at most a thousand, oldest first,
// the last one still forming, none before its first one.
inline Events history(const exchange::RestQuery& query, Time now, std::size_t most = 1000,
                      Time first = Time{}) {
  Events events;
  if (query.limit > 0) most = std::min(most, static_cast<std::size_t>(query.limit));
  for (Time open = open_of(query.timeframe, std::max(*query.start, first));
       open <= now && events.size() < most && (!query.end || open < *query.end);
       open = next_open(query.timeframe, open)) {
    Candle candle = rest_candle(open, now, query.timeframe);
    if (candle.end_time() > now) candle.volume = Decimal{};
    events.emplace_back(std::move(candle));
  }
  return events;
}

inline Event clock_reading(Time time) {
  return ClockReading{.exchange = "binance", .exchange_time = time, .received_time = time + 5ms};
}

class KeptOutput final : public PipelineOutput {
 public:
  void on_row(schema::Row row) override { rows.push_back(std::move(row)); }
  void on_event(const Event& event) override { events.push_back(event); }

  std::vector<schema::Row> of(const schema::Table& table) const {
    std::vector<schema::Row> found;
    for (const auto& row : rows) {
      if (row.table == &table) found.push_back(row);
    }
    return found;
  }

  std::vector<schema::Row> rows;
  Events events;
};

inline Time time_at(const schema::Row& row, std::string_view column) {
  return std::get<Time>(row.at(column));
}
inline double real_at(const schema::Row& row, std::string_view column) {
  const auto* value = std::get_if<double>(&row.at(column));
  EXPECT_NE(value, nullptr) << column << " is null in " << schema::to_json(row);
  return value == nullptr ? 0.0 : *value;
}
inline Decimal decimal_at(const schema::Row& row, std::string_view column) {
  const auto* value = std::get_if<Decimal>(&row.at(column));
  EXPECT_NE(value, nullptr) << column << " is null in " << schema::to_json(row);
  return value == nullptr ? Decimal{} : *value;
}
inline std::int64_t integer_at(const schema::Row& row, std::string_view column) {
  return std::get<std::int64_t>(row.at(column));
}

inline std::vector<Time> times(const std::vector<schema::Row>& rows, std::string_view column) {
  std::vector<Time> found;
  for (const auto& row : rows) found.push_back(time_at(row, column));
  return found;
}

// One row of the ledger, without what was answered.
struct Said {
  Time from;
  Time to;
  std::string state;
  std::string cause;  // empty: none
  friend bool operator==(const Said&, const Said&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Said& said) {
    return out << to_rfc3339(said.from) << " to " << to_rfc3339(said.to) << ' ' << said.state << ' '
               << said.cause;
  }
};

// What the ledger says of a stream of minutes, in the order in which it was said.
inline std::vector<Said> ledger_of(const KeptOutput& output, std::string_view stream = "candles") {
  std::vector<Said> said;
  for (const auto& row : output.of(schema::coverage)) {
    if (std::get<std::string>(row.at("stream")) != stream ||
        std::get<std::string>(row.at("timeframe")) != "1m") {
      continue;
    }
    const auto* why = std::get_if<std::string>(&row.at("cause"));
    said.push_back({time_at(row, "from"), time_at(row, "to"),
                    std::get<std::string>(row.at("state")), why == nullptr ? "" : *why});
  }
  return said;
}

// All that was said of one minute, the newest last: "missing silence", "backfilled silence",
// "live".
inline std::vector<std::string> said_of(const KeptOutput& output, Time minute,
                                        std::string_view stream = "candles") {
  std::vector<std::string> said;
  for (const auto& entry : ledger_of(output, stream)) {
    if (minute < entry.from || minute >= entry.to) continue;
    said.push_back(entry.cause.empty() ? entry.state : entry.state + " " + entry.cause);
  }
  return said;
}

struct Asked {
  feed::RequestId id;
  exchange::RestQuery query;
  feed::Priority priority;
};

// A pipeline and its surroundings; several of them can be compared.
class Line {
 public:
  explicit Line(PipelineOptions options = {}, bool with_history = true,
                const Instrument& instrument = bitcoin())
      : pipeline_(std::move(options), {&instrument}, board, output) {
    if (!with_history) return;
    pipeline_.connect([this](const exchange::RestQuery& query,
                             feed::Priority priority) -> std::optional<feed::RequestId> {
      if (!has_requests) return std::nullopt;
      asked.push_back({next_request, query, priority});
      all_asked.push_back(asked.back());
      return next_request++;
    });
  }

  VenuePipeline* operator->() { return &pipeline_; }

  void say(Event event) { pipeline_.on_events({std::move(event)}); }
  void clock(Time time) {
    now = time;
    say(clock_reading(time));
  }
  void close(Time open) {
    now = open + 1min + 50ms;
    say(closed_candle(open));
  }
  // Closes each minute up to that time; requests are answered as they come.
  void live(Time from, Time to) {
    for (Time open = from; open < to; open += 1min) {
      now = open + 30s;
      say(forming_candle(open, now));
      close(open);
      answer_all();
    }
  }
  void answer(const Asked& request) {
    Events events = history(request.query, now, 1000, first_candle);
    std::erase_if(events, [&](const Event& event) {
      const auto* candle = std::get_if<Candle>(&event);
      return candle != nullptr && has_no_row && has_no_row(candle->open_time);
    });
    pipeline_.on_reply(request.id, events);
  }
  void answer_all() {
    for (int round = 0; round < 20 && !asked.empty(); ++round) {
      for (const auto& request : std::exchange(asked, {})) answer(request);
    }
    EXPECT_TRUE(asked.empty()) << "it does not stop asking";
  }
  // As after a start: the clock, then all of history.
  void start(Time at = noon + 30s) {
    clock(at);
    answer_all();
  }
  std::vector<schema::Row> facts() const { return output.of(schema::fact_ohlcv); }
  std::vector<schema::Row> ticks() const { return output.of(schema::market_ticks); }
  std::vector<schema::Row> indicators() const { return output.of(schema::technical_indicators); }
  Latest latest() const { return board.read(0); }

  LatestBoard board;
  KeptOutput output;
  std::vector<Asked> asked;  // not answered yet
  std::vector<Asked> all_asked;
  feed::RequestId next_request = 1;
  bool has_requests = true;
  Time first_candle{};                   // that the venue has
  std::function<bool(Time)> has_no_row;  // of the candle that opens then, in REST answers
  Time now{};

 private:
  VenuePipeline pipeline_;
};

// The newest word about every minute from one time to another, and that there is one.
inline std::vector<std::string> newest_of(const Line& line, Time from, Time to,
                                          std::string_view stream = "candles") {
  std::vector<std::string> newest;
  for (Time open = from; open < to; open += 1min) {
    const auto said = said_of(line.output, open, stream);
    EXPECT_FALSE(said.empty()) << "nothing was said of " << to_rfc3339(open);
    newest.push_back(said.empty() ? "" : said.back());
  }
  return newest;
}

}  // namespace candlewick::pipeline::testing
