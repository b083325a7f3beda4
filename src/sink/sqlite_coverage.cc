// Rows come typed from the log's reader and were taken by a STRICT table before they get here, so
// their cells have the schema's types.
#include "sink/sqlite_coverage.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace candlewick::sink {
namespace {

using schema::Row;

std::optional<std::string> optional_text(const Row& row, std::string_view column) {
  const auto* text = std::get_if<std::string>(&row.at(column));
  return text == nullptr ? std::nullopt : std::optional(*text);
}

}  // namespace

Result<void> SqliteCoverage::prepare() {
  if (is_prepared_) return {};
  auto prepared = sqlite::prepare_all(
      database_,
      {{overlapping_,
        R"(SELECT "from", "to", state, cause, evidence, recorded_at, seq FROM coverage_current
          WHERE exchange = ? AND symbol = ? AND timeframe = ? AND stream = ?
            AND "from" < ?6 AND "to" > ?5 ORDER BY "from")"},
       {delete_,
        R"(DELETE FROM coverage_current
          WHERE exchange = ? AND symbol = ? AND timeframe = ? AND stream = ? AND "from" = ?)"},
       {insert_, "INSERT INTO coverage_current VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"}});
  if (!prepared) return prepared;
  is_prepared_ = true;
  return {};
}

void SqliteCoverage::bind_series(sqlite::Statement& statement, const Row& row) {
  constexpr std::array<std::string_view, 4> series{"exchange", "symbol", "timeframe", "stream"};
  for (std::size_t i = 0; i < series.size(); ++i) {
    statement.bind(static_cast<int>(i) + 1, std::get<std::string>(row.at(series[i])));
  }
}

Result<std::vector<SqliteCoverage::Span>> SqliteCoverage::overlapping(const Row& row,
                                                                      const Span& added) {
  std::vector<Span> spans;
  bind_series(overlapping_, row);
  overlapping_.bind(5, added.from);
  overlapping_.bind(6, added.to);
  while (true) {
    const auto found = overlapping_.step();
    if (!found || !*found) {
      overlapping_.reset();
      if (!found) return fail(found.error());
      return spans;
    }
    spans.push_back({.from = overlapping_.integer(0),
                     .to = overlapping_.integer(1),
                     .state = std::string(overlapping_.text(2)),
                     .cause = overlapping_.optional_text(3),
                     .evidence = overlapping_.optional_text(4),
                     .recorded_at = overlapping_.integer(5),
                     .seq = overlapping_.integer(6)});
  }
}

Result<void> SqliteCoverage::replace(const Row& row, const std::vector<Span>& old_spans,
                                     const std::vector<Span>& new_spans) {
  for (const auto& span : old_spans) {
    bind_series(delete_, row);
    delete_.bind(5, span.from);
    if (auto deleted = delete_.run(); !deleted) return deleted;
  }
  for (const auto& span : new_spans) {
    bind_series(insert_, row);
    insert_.bind(5, span.from);
    insert_.bind(6, span.to);
    insert_.bind(7, span.state);
    insert_.bind(8, span.cause);
    insert_.bind(9, span.evidence);
    insert_.bind(10, span.recorded_at);
    insert_.bind(11, span.seq);
    if (auto inserted = insert_.run(); !inserted) return inserted;
  }
  return {};
}

Result<void> SqliteCoverage::lay_over(const Row& row) {
  if (auto ready = prepare(); !ready) return ready;
  const Span added{.from = to_us(std::get<Time>(row.at("from"))),
                   .to = to_us(std::get<Time>(row.at("to"))),
                   .state = std::get<std::string>(row.at("state")),
                   .cause = optional_text(row, "cause"),
                   .evidence = optional_text(row, "evidence"),
                   .recorded_at = to_us(std::get<Time>(row.at("recorded_at"))),
                   .seq = std::get<std::int64_t>(row.at("seq"))};
  if (added.from >= added.to) return {};
  const auto there = overlapping(row, added);
  if (!there) return fail(there.error());

  std::vector<Span> covered;
  std::vector<Span> result;
  const auto put = [&result](Span span, std::int64_t from, std::int64_t to) {
    if (from >= to) return;
    span.from = from;
    span.to = to;
    result.push_back(std::move(span));
  };
  std::int64_t next = added.from;  // where the part of it that is not hidden goes on
  for (const auto& span : *there) {
    if (span.seq > added.seq) {
      put(added, next, std::min(span.from, added.to));
      next = std::max(next, span.to);
      continue;
    }
    covered.push_back(span);
    put(span, span.from, added.from);
    put(span, added.to, span.to);
  }
  put(added, next, added.to);
  return replace(row, covered, result);
}

}  // namespace candlewick::sink
