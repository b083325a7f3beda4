// What `candlewick top` knows of a running service, put together from the answers of its HTTP API.
// Plain data and plain functions: nothing here asks or waits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/decimal.h"
#include "base/result.h"
#include "base/time.h"

namespace candlewick::app {

struct TopFeed {
  std::string venue;
  bool is_connected = false;
  bool is_paused = false;
  std::int64_t sessions = 0;
  std::int64_t live_sessions = 0;
  std::optional<std::int64_t> age_ms;
  std::int64_t frames = 0;
  std::optional<double> frames_per_second;  // null until there were two answers
  std::optional<std::int64_t> gaps;
  std::optional<std::int64_t> missing;  // candles that are wanted and not there
  std::int64_t reconnects = 0;
  std::string last_error;
};

struct TopInstrument {
  std::string exchange;
  std::string symbol;
  bool is_stale = false;
  std::optional<Decimal> last_price;
  std::optional<double> change_pct_24h;
  std::optional<Decimal> bid;
  std::optional<Decimal> ask;
  std::optional<std::int64_t> age_ms;
  std::optional<Time> newest_candle;  // the open of the newest closed one
};

struct TopSink {
  std::string name;
  std::string state;
  std::int64_t lag_rows = 0;
  double lag_seconds = 0;
  double rows_per_second = 0;
  std::int64_t errors = 0;
  std::int64_t dead_letters = 0;
  std::int64_t dropped_rows = 0;
  std::string last_error;
};

struct TopLog {
  std::int64_t committed_rows = 0;
  std::int64_t last_sequence = 0;
  std::int64_t queued_rows = 0;
  std::int64_t bytes = 0;
  std::int64_t budget_bytes = 0;
  bool is_failing = false;
};

// Minutes of a series by what is known about them.
struct TopCoverage {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::map<std::string, std::int64_t> minutes;
};

struct TopState {
  std::string url;
  std::string trouble;  // why the newest answers could not be had; empty: they could
  std::string status;   // "ok", "degraded", "down"; empty before the first answer
  std::string version;
  std::string warehouse;
  std::optional<Time> time;  // the service's
  std::vector<std::string> problems;
  std::vector<TopFeed> feeds;
  std::vector<TopInstrument> instruments;
  std::vector<TopSink> sinks;
  std::optional<TopLog> log;
  std::vector<TopCoverage> coverage;
};

// Each takes one answer into the state, or leaves the state as it was. Errors: malformed.
Result<void> take_health(TopState& state, std::string_view json);
Result<void> take_tickers(TopState& state, std::string_view json);
// Newest quote and candle of some of the instruments.
Result<void> take_latest(TopState& state, std::string_view json);
Result<void> take_quality(TopState& state, std::string_view json);
// Of the page for Prometheus: gaps and missing candles of the feeds.
void take_metrics(TopState& state, std::string_view text);

// Frames a second, from the counts of an answer `elapsed` before. A count that became less is a
// service that was started anew.
void tell_rates(TopState& state, const TopState& before, Duration elapsed);

}  // namespace candlewick::app
