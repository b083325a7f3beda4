// What is known about every minute of a stream: the merged view, and the assertions behind it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "query/candles.h"
#include "warehouse/database.h"

namespace candlewick::query {

struct CoverageQuery {
  std::optional<std::string> exchange;
  std::optional<std::string> symbol;
  std::optional<std::string> timeframe;
  std::optional<std::string> stream;
  std::vector<std::string> states;  // empty: all
  std::optional<Time> start;        // spans that touch [start, end)
  std::optional<Time> end;
  std::size_t limit = 10'000;
};

struct CoverageSpan {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::string stream;
  Time from;
  Time to;
  std::string state;
  std::optional<std::string> cause;
  std::optional<std::string> evidence;
  Time recorded_at;
  std::int64_t seq = 0;
  friend bool operator==(const CoverageSpan&, const CoverageSpan&) = default;
};

// The merged view: disjoint spans, each with its newest assertion; by series, then time.
Result<std::vector<CoverageSpan>> coverage(warehouse::Database& database,
                                           const CoverageQuery& query);

// Every assertion ever made, in the order in which they were made.
Result<std::vector<CoverageSpan>> coverage_history(warehouse::Database& database,
                                                   const CoverageQuery& query);

// How much of a stream is in which state, within [start, end) of the question. Limit and states do
// not matter here.
struct CoverageSummary {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::string stream;
  Time from;                                    // of the oldest span
  Time to;                                      // of the newest
  std::map<std::string, std::int64_t> minutes;  // by state; those that have any
};
// By series. What nothing was asserted about is in no state.
Result<std::vector<CoverageSummary>> coverage_summary(warehouse::Database& database,
                                                      const CoverageQuery& query);

}  // namespace candlewick::query
