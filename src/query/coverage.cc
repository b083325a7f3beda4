// Spans that meet and say the same are told as one: a live stream asserts itself every minute.
#include "query/coverage.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "query/select.h"

namespace candlewick::query {
namespace {

using enum schema::ColumnType;
using warehouse::Database;

Result<std::vector<CoverageSpan>> spans_of(Database& database, const CoverageQuery& query,
                                           std::string_view table, std::string_view order) {
  constexpr std::array types{text, text, text, text, time, time, text, text, text, time, integer};
  Conditions conditions;
  conditions.add_if("exchange = {}", query.exchange);
  conditions.add_if("symbol = {}", query.symbol);
  conditions.add_if("timeframe = {}", query.timeframe);
  conditions.add_if("stream = {}", query.stream);
  conditions.add_if("\"to\" > {}", query.start);
  conditions.add_if("\"from\" < {}", query.end);
  if (!query.states.empty()) {
    std::string places;
    for (const auto& state : query.states) {
      places += (places.empty() ? "" : ", ") + conditions.parameter(state);
    }
    conditions.add_plain(fmt::format("state IN ({})", places));
  }
  auto rows = database.select(
      fmt::format("SELECT exchange, symbol, timeframe, stream, \"from\", \"to\", state, cause, "
                  "evidence, recorded_at, seq FROM {}{} ORDER BY {}",
                  table, conditions.text(), order),
      conditions.parameters(), types);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<CoverageSpan> spans;
  spans.reserve(rows->size());
  for (auto& row : *rows) {
    spans.push_back({.exchange = cell_or(row[0], std::string{}),
                     .symbol = cell_or(row[1], std::string{}),
                     .timeframe = cell_or(row[2], std::string{}),
                     .stream = cell_or(row[3], std::string{}),
                     .from = cell_or(row[4], Time{}),
                     .to = cell_or(row[5], Time{}),
                     .state = cell_or(row[6], std::string{}),
                     .cause = cell<std::string>(row[7]),
                     .evidence = cell<std::string>(row[8]),
                     .recorded_at = cell_or(row[9], Time{}),
                     .seq = cell_or(row[10], std::int64_t{0})});
  }
  return spans;
}

auto what_it_says(const CoverageSpan& span) {
  return std::tie(span.exchange, span.symbol, span.timeframe, span.stream, span.state, span.cause);
}

}  // namespace

Result<std::vector<CoverageSpan>> coverage(Database& database, const CoverageQuery& query) {
  auto spans = spans_of(database, query, "coverage_current",
                        "exchange, symbol, timeframe, stream, \"from\"");
  if (!spans) return spans;
  std::vector<CoverageSpan> merged;
  for (auto& span : *spans) {
    if (merged.empty() || merged.back().to != span.from ||
        what_it_says(merged.back()) != what_it_says(span)) {
      if (merged.size() == query.limit) break;
      merged.push_back(std::move(span));
      continue;
    }
    CoverageSpan& last = merged.back();
    last.to = span.to;
    if (span.seq > last.seq) {
      last.seq = span.seq;
      last.recorded_at = span.recorded_at;
      last.evidence = std::move(span.evidence);
    }
  }
  return merged;
}

Result<std::vector<CoverageSpan>> coverage_history(Database& database, const CoverageQuery& query) {
  auto spans = spans_of(database, query, "coverage", "exchange, symbol, timeframe, seq");
  if (spans && spans->size() > query.limit) spans->resize(query.limit);
  return spans;
}

Result<std::vector<CoverageSummary>> coverage_summary(Database& database,
                                                      const CoverageQuery& query) {
  CoverageQuery all = query;
  all.states.clear();
  auto spans =
      spans_of(database, all, "coverage_current", "exchange, symbol, timeframe, stream, \"from\"");
  if (!spans) return fail(std::move(spans.error()));
  std::vector<CoverageSummary> series;
  for (auto& span : *spans) {
    if (query.start) span.from = std::max(span.from, *query.start);
    if (query.end) span.to = std::min(span.to, *query.end);
    if (series.empty() || series.back().exchange != span.exchange ||
        series.back().symbol != span.symbol || series.back().timeframe != span.timeframe ||
        series.back().stream != span.stream) {
      series.push_back({.exchange = span.exchange,
                        .symbol = span.symbol,
                        .timeframe = span.timeframe,
                        .stream = span.stream,
                        .from = span.from,
                        .to = span.to,
                        .minutes = {}});
    }
    series.back().to = span.to;
    series.back().minutes[span.state] += (span.to - span.from) / std::chrono::minutes{1};
  }
  return series;
}

}  // namespace candlewick::query
