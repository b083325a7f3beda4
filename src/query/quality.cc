// Three questions, brought together by series.
#include "query/quality.h"

#include <array>
#include <tuple>
#include <utility>

#include "query/coverage.h"
#include "query/select.h"

namespace candlewick::query {
namespace {

using enum schema::ColumnType;
using schema::Json;
using warehouse::Database;

using Key = std::tuple<std::string, std::string, std::string>;

Conditions conditions_of(const QualityQuery& query, std::string_view since_test) {
  Conditions conditions;
  conditions.add_if("exchange = {}", query.exchange);
  conditions.add_if("symbol = {}", query.symbol);
  conditions.add_if("timeframe = {}", query.timeframe);
  conditions.add_if(since_test, query.since);
  return conditions;
}

Result<void> add_scores(Database& database, const QualityQuery& query,
                        std::map<Key, SeriesQuality>& series) {
  constexpr std::array types{text, text, text, text, integer, integer, integer, integer, time};
  const Conditions conditions = conditions_of(query, "\"to\" > {}");
  // A sum of integers is no integer in every database.
  auto rows = database.select(
      fmt::format("SELECT exchange, symbol, timeframe, against, CAST(sum(checked) AS BIGINT), "
                  "CAST(sum(equal) AS BIGINT), CAST(sum(different) AS BIGINT), "
                  "CAST(sum(absent) AS BIGINT), max(recorded_at) FROM verification{} "
                  "GROUP BY exchange, symbol, timeframe, against "
                  "ORDER BY exchange, symbol, timeframe, against",
                  conditions.text()),
      conditions.parameters(), types);
  if (!rows) return fail(std::move(rows.error()));
  for (auto& row : *rows) {
    Key key{cell_or(row[0], std::string{}), cell_or(row[1], std::string{}),
            cell_or(row[2], std::string{})};
    series[std::move(key)].scores.push_back({.against = cell_or(row[3], std::string{}),
                                             .checked = cell_or(row[4], std::int64_t{0}),
                                             .equal = cell_or(row[5], std::int64_t{0}),
                                             .different = cell_or(row[6], std::int64_t{0}),
                                             .absent = cell_or(row[7], std::int64_t{0}),
                                             .last_checked_at = cell_or(row[8], Time{})});
  }
  return {};
}

Result<void> add_coverage(Database& database, const QualityQuery& query,
                          std::map<Key, SeriesQuality>& series) {
  auto summaries = coverage_summary(database, {.exchange = query.exchange,
                                               .symbol = query.symbol,
                                               .timeframe = query.timeframe,
                                               .stream = "candles",
                                               .start = query.since});
  if (!summaries) return fail(std::move(summaries.error()));
  for (auto& summary : *summaries) {
    Key key{std::move(summary.exchange), std::move(summary.symbol), std::move(summary.timeframe)};
    series[std::move(key)].minutes = std::move(summary.minutes);
  }
  return {};
}

std::optional<std::string> text_of(schema::Value& value) {
  auto document = cell<Json>(value);
  if (!document) return std::nullopt;
  return std::move(document->text);
}

Result<std::vector<MismatchRecord>> newest_mismatches(Database& database,
                                                      const QualityQuery& query) {
  constexpr std::array types{
      text, text, text, time, text, text, schema::ColumnType::json, schema::ColumnType::json,
      text, time};
  Conditions conditions = conditions_of(query, "timestamp >= {}");
  const std::string limit = conditions.parameter(static_cast<std::int64_t>(query.mismatch_limit));
  auto rows = database.select(
      fmt::format("SELECT exchange, symbol, timeframe, timestamp, against, columns, stored, found, "
                  "action, recorded_at FROM verification_mismatch{} "
                  "ORDER BY recorded_at DESC, timestamp DESC, exchange, symbol, timeframe, against "
                  "LIMIT {}",
                  conditions.text(), limit),
      conditions.parameters(), types);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<MismatchRecord> mismatches;
  mismatches.reserve(rows->size());
  for (auto& row : *rows) {
    mismatches.push_back({.exchange = cell_or(row[0], std::string{}),
                          .symbol = cell_or(row[1], std::string{}),
                          .timeframe = cell_or(row[2], std::string{}),
                          .timestamp = cell_or(row[3], Time{}),
                          .against = cell_or(row[4], std::string{}),
                          .columns = cell<std::string>(row[5]),
                          .stored = text_of(row[6]),
                          .found = text_of(row[7]),
                          .action = cell_or(row[8], std::string{}),
                          .recorded_at = cell_or(row[9], Time{})});
  }
  return mismatches;
}

}  // namespace

Result<Quality> quality(Database& database, const QualityQuery& query) {
  std::map<Key, SeriesQuality> series;
  if (auto added = add_scores(database, query, series); !added)
    return fail(std::move(added.error()));
  if (auto added = add_coverage(database, query, series); !added)
    return fail(std::move(added.error()));
  auto mismatches = newest_mismatches(database, query);
  if (!mismatches) return fail(std::move(mismatches.error()));
  Quality quality{.series = {}, .mismatches = std::move(*mismatches)};
  for (auto& [key, scored] : series) {
    std::tie(scored.exchange, scored.symbol, scored.timeframe) = key;
    quality.series.push_back(std::move(scored));
  }
  return quality;
}

Result<std::map<std::string, std::uint64_t>> mismatch_counts(Database& database,
                                                             Time recorded_after) {
  constexpr std::array types{text, integer};
  Conditions conditions;
  conditions.add("recorded_at > {}", recorded_after);
  auto rows = database.select(
      fmt::format("SELECT exchange, count(*) FROM verification_mismatch{} GROUP BY exchange",
                  conditions.text()),
      conditions.parameters(), types);
  if (!rows) return fail(std::move(rows.error()));
  std::map<std::string, std::uint64_t> counts;
  for (auto& row : *rows) {
    counts.emplace(cell_or(row[0], std::string{}),
                   static_cast<std::uint64_t>(cell_or(row[1], std::int64_t{0})));
  }
  return counts;
}

}  // namespace candlewick::query
