// The answers are read leniently: a newer service may tell more, an older one less.
#include "app/top_state.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"

namespace candlewick::app {
namespace {

std::string text_or_empty(json::Value& value) {
  return value.is_null() ? std::string() : std::string(value.string());
}
std::optional<std::int64_t> integer_or_null(json::Value& value) {
  if (value.is_null()) return std::nullopt;
  return value.integer();
}
std::optional<Decimal> decimal_or_null(json::Value& value) {
  if (value.is_null()) return std::nullopt;
  return value.decimal();
}

TopFeed read_feed(json::Value item) {
  TopFeed feed;
  item.members([&](std::string_view key, json::Value value) {
    if (key == "venue") feed.venue = value.string();
    if (key == "connected") feed.is_connected = value.boolean();
    if (key == "paused") feed.is_paused = value.boolean();
    if (key == "sessions") feed.sessions = value.integer();
    if (key == "live_sessions") feed.live_sessions = value.integer();
    if (key == "last_event_age_ms") feed.age_ms = integer_or_null(value);
    if (key == "frames") feed.frames = value.integer();
    if (key == "reconnects") feed.reconnects = value.integer();
    if (key == "last_error") feed.last_error = text_or_empty(value);
  });
  return feed;
}

std::string read_error(json::Value error) {
  std::string message;
  if (error.is_null()) return message;
  error.members([&](std::string_view key, json::Value value) {
    if (key == "message") message = value.string();
  });
  return message;
}

TopSink read_sink(json::Value item) {
  TopSink sink;
  item.members([&](std::string_view key, json::Value value) {
    if (key == "sink") sink.name = value.string();
    if (key == "state") sink.state = value.string();
    if (key == "lag_rows") sink.lag_rows = value.integer();
    if (key == "lag_seconds") sink.lag_seconds = value.floating();
    if (key == "rows_per_second") sink.rows_per_second = value.floating();
    if (key.ends_with("_errors")) sink.errors += value.integer();
    if (key == "dead_letters_now") sink.dead_letters = value.integer();
    if (key == "dropped_rows") sink.dropped_rows = value.integer();
    if (key == "last_error") sink.last_error = read_error(value);
  });
  return sink;
}

TopLog read_log(json::Value item) {
  TopLog log;
  item.members([&](std::string_view key, json::Value value) {
    if (key == "committed_rows") log.committed_rows = value.integer();
    if (key == "last_sequence") log.last_sequence = value.integer();
    if (key == "queued_rows") log.queued_rows = value.integer();
    if (key == "bytes") log.bytes = value.integer();
    if (key == "budget_bytes") log.budget_bytes = value.integer();
    if (key == "is_failing") log.is_failing = value.boolean();
  });
  return log;
}

// "closed_candle":{"1m":{"timestamp":…},"1h":…}: the shortest timeframe comes first.
std::optional<Time> read_newest_candle(json::Value candles) {
  std::optional<Time> newest;
  candles.members([&](std::string_view /*timeframe*/, json::Value candle) {
    candle.members([&](std::string_view key, json::Value value) {
      if (key != "timestamp") return;
      const Time time = value.time_text();
      newest = newest ? std::max(*newest, time) : time;
    });
  });
  return newest;
}

void read_prices(json::Value part, TopInstrument& instrument) {
  if (part.is_null()) return;
  part.members([&](std::string_view key, json::Value value) {
    if (key == "change_pct_24h" && !value.is_null()) instrument.change_pct_24h = value.floating();
    if (key == "bid" && !value.is_null()) instrument.bid = value.decimal();
    if (key == "ask" && !value.is_null()) instrument.ask = value.decimal();
  });
}

TopInstrument read_instrument(json::Value item) {
  TopInstrument instrument;
  item.members([&](std::string_view key, json::Value value) {
    if (key == "exchange") instrument.exchange = value.string();
    if (key == "symbol") instrument.symbol = value.string();
    if (key == "stale") instrument.is_stale = value.boolean();
    if (key == "last_price") instrument.last_price = decimal_or_null(value);
    if (key == "age_ms") instrument.age_ms = integer_or_null(value);
    // The quote is written behind the ticker, and newer.
    if (key == "ticker" || key == "quote") read_prices(value, instrument);
    if (key == "closed_candle") instrument.newest_candle = read_newest_candle(value);
  });
  return instrument;
}

// "data":[…] of an answer, each element to `take`.
template <class Take>
Result<void> read_data(std::string_view json, Take&& take) {
  json::Reader reader;
  bool has_data = false;
  auto read = reader.read(json, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value list) {
      if (key != "data") return;
      has_data = true;
      list.elements(take);
    });
  });
  if (read && !has_data) return fail(ErrorKind::malformed, "the answer has no data");
  return read;
}

TopInstrument* find(TopState& state, const TopInstrument& like) {
  const auto found = std::ranges::find_if(state.instruments, [&](const TopInstrument& one) {
    return one.exchange == like.exchange && one.symbol == like.symbol;
  });
  return found == state.instruments.end() ? nullptr : &*found;
}

}  // namespace

Result<void> take_health(TopState& state, std::string_view json) {
  TopState told;
  json::Reader reader;
  auto read = reader.read(json, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "status") told.status = value.string();
      if (key == "version") told.version = value.string();
      if (key == "warehouse") told.warehouse = value.string();
      if (key == "time") told.time = value.time_text();
      if (key == "problems" || key == "warnings") {
        value.elements([&](json::Value text) { told.problems.emplace_back(text.string()); });
      }
      if (key == "feeds")
        value.elements([&](json::Value item) { told.feeds.push_back(read_feed(item)); });
      if (key == "sinks")
        value.elements([&](json::Value item) { told.sinks.push_back(read_sink(item)); });
      if (key == "log" && !value.is_null()) told.log = read_log(value);
    });
  });
  if (!read) return read;
  if (told.status.empty()) return fail(ErrorKind::malformed, "the answer has no status");
  // What other pages tell of the feeds stays.
  for (auto& feed : told.feeds) {
    const auto known = std::ranges::find(state.feeds, feed.venue, &TopFeed::venue);
    if (known == state.feeds.end()) continue;
    feed.gaps = known->gaps;
    feed.missing = known->missing;
  }
  state.status = std::move(told.status);
  state.version = std::move(told.version);
  state.warehouse = std::move(told.warehouse);
  state.time = told.time;
  state.problems = std::move(told.problems);
  state.feeds = std::move(told.feeds);
  state.sinks = std::move(told.sinks);
  state.log = told.log;
  return {};
}

Result<void> take_tickers(TopState& state, std::string_view json) {
  std::vector<TopInstrument> told;
  auto read = read_data(json, [&](json::Value item) { told.push_back(read_instrument(item)); });
  if (!read) return read;
  for (auto& instrument : told) {
    // Tickers know nothing of candles.
    if (const auto* known = find(state, instrument))
      instrument.newest_candle = known->newest_candle;
  }
  state.instruments = std::move(told);
  return {};
}

Result<void> take_latest(TopState& state, std::string_view json) {
  std::vector<TopInstrument> told;
  auto read = read_data(json, [&](json::Value item) { told.push_back(read_instrument(item)); });
  if (!read) return read;
  for (auto& instrument : told) {
    if (auto* known = find(state, instrument)) *known = std::move(instrument);
  }
  return {};
}

Result<void> take_quality(TopState& state, std::string_view json) {
  std::vector<TopCoverage> told;
  auto read = read_data(json, [&](json::Value item) {
    auto& series = told.emplace_back();
    item.members([&](std::string_view key, json::Value value) {
      if (key == "exchange") series.exchange = value.string();
      if (key == "symbol") series.symbol = value.string();
      if (key == "timeframe") series.timeframe = value.string();
      if (key == "coverage_minutes") {
        value.members([&](std::string_view coverage, json::Value minutes) {
          series.minutes[std::string(coverage)] = minutes.integer();
        });
      }
    });
  });
  if (!read) return read;
  state.coverage = std::move(told);
  return {};
}

// candlewick_stream_gaps{venue="binance"} 3
void take_metrics(TopState& state, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool is_gaps = line.starts_with("candlewick_stream_gaps{");
    if (!is_gaps && !line.starts_with("candlewick_missing_candles{")) continue;
    constexpr std::string_view label = "venue=\"";
    const auto begin = line.find(label);
    const auto space = line.rfind(' ');
    if (begin == std::string_view::npos || space == std::string_view::npos) continue;
    const auto rest = line.substr(begin + label.size());
    const auto venue = rest.substr(0, rest.find('"'));
    double value = 0;
    const auto* last = line.data() + line.size();
    if (std::from_chars(line.data() + space + 1, last, value).ec != std::errc{}) continue;
    for (auto& feed : state.feeds) {
      if (feed.venue != venue) continue;
      (is_gaps ? feed.gaps : feed.missing) = static_cast<std::int64_t>(value);
    }
  }
}

void tell_rates(TopState& state, const TopState& before, Duration elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (seconds <= 0) return;
  for (auto& feed : state.feeds) {
    const auto known = std::ranges::find(before.feeds, feed.venue, &TopFeed::venue);
    if (known == before.feeds.end() || feed.frames < known->frames) continue;
    feed.frames_per_second = static_cast<double>(feed.frames - known->frames) / seconds;
  }
}

}  // namespace candlewick::app
