// How far stored candles can be trusted: what was compared with which outcome, what is known about
// every minute, and the differences found last.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "warehouse/database.h"

namespace candlewick::query {

struct QualityQuery {
  std::optional<std::string> exchange;
  std::optional<std::string> symbol;
  std::optional<std::string> timeframe;
  std::optional<Time> since;        // of the market's time, not of the comparisons'
  std::size_t mismatch_limit = 20;  // over all series
};

// All comparisons of one series with one other source, added up. What was compared twice counts
// twice.
struct Score {
  std::string against;  // rest, trades, book
  std::int64_t checked = 0;
  std::int64_t equal = 0;
  std::int64_t different = 0;
  std::int64_t absent = 0;  // only one side had it
  Time last_checked_at;
  std::optional<double> share_equal() const {
    if (checked == 0) return std::nullopt;
    return static_cast<double>(equal) / static_cast<double>(checked);
  }
};

struct SeriesQuality {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::vector<Score> scores;                    // by `against`
  std::map<std::string, std::int64_t> minutes;  // of its candles, by coverage state
};

struct MismatchRecord {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  Time timestamp;
  std::string against;
  std::optional<std::string> columns;  // separated by commas; null: one side has no candle
  std::optional<std::string> stored;   // JSON
  std::optional<std::string> found;    // JSON
  std::string action;                  // revised, backfilled, recorded
  Time recorded_at;
};

struct Quality {
  std::vector<SeriesQuality> series;       // by name; every one with coverage or comparisons
  std::vector<MismatchRecord> mismatches;  // newest first
};

Result<Quality> quality(warehouse::Database& database, const QualityQuery& query);

// How many differences were recorded after that time, by exchange.
Result<std::map<std::string, std::uint64_t>> mismatch_counts(warehouse::Database& database,
                                                             Time recorded_after);

}  // namespace candlewick::query
