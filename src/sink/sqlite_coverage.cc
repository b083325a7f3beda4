// Rows come typed from the log's reader and were taken by a STRICT table before they get here, so
// their cells have the schema's types.
#include "sink/sqlite_coverage.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

namespace candlewick::sink {
namespace {

using schema::Row;

std::optional<std::string> optional_text(const Row& row, std::string_view column) {
  const auto* text = std::get_if<std::string>(&row.at(column));
  return text == nullptr ? std::nullopt : std::optional(*text);
}

// The span's part from `from` to `to`, behind those that are there.
template <class Span>
void put(std::vector<Span>& spans, Span span, std::int64_t from, std::int64_t to) {
  if (from >= to) return;
  span.from = from;
  span.to = to;
  spans.push_back(std::move(span));
}

template <class Span>
std::vector<Span> merged(std::vector<Span> spans) {
  std::vector<Span> result;
  for (auto& span : spans) {
    if (result.empty() || result.back().to != span.from || result.back().state != span.state ||
        result.back().cause != span.cause) {
      result.push_back(std::move(span));
      continue;
    }
    Span& last = result.back();
    last.to = span.to;
    if (span.seq < last.seq) continue;
    last.seq = span.seq;
    last.recorded_at = span.recorded_at;
    last.evidence = std::move(span.evidence);
  }
  return result;
}

}  // namespace

Result<void> SqliteCoverage::prepare() {
  if (is_prepared_) return {};
  // Spans are disjoint: the last one that opens before the added one is the only one of those that
  // can reach it.
  auto prepared = sqlite::prepare_all(
      database_,
      {{touching_,
        R"(SELECT "from", "to", state, cause, evidence, recorded_at, seq FROM coverage_current
          WHERE exchange = ?1 AND symbol = ?2 AND timeframe = ?3 AND stream = ?4
            AND "from" >= coalesce((SELECT max("from") FROM coverage_current
                  WHERE exchange = ?1 AND symbol = ?2 AND timeframe = ?3 AND stream = ?4
                    AND "from" < ?5), ?5)
            AND "from" <= ?6 AND "to" >= ?5 ORDER BY "from")"},
       {assertions_,
        R"(SELECT "from", "to", state, cause, evidence, recorded_at, seq FROM coverage
          WHERE exchange = ?1 AND symbol = ?2 AND timeframe = ?3 AND stream = ?4
            AND "from" < ?6 AND "to" > ?5 AND "from" < "to" ORDER BY seq)"},
       {delete_,
        R"(DELETE FROM coverage_current
          WHERE exchange = ? AND symbol = ? AND timeframe = ? AND stream = ? AND "from" = ?)"},
       {insert_, "INSERT INTO coverage_current VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
       {extend_,
        R"(UPDATE coverage_current SET "to" = ?6, evidence = ?7, recorded_at = ?8, seq = ?9
          WHERE exchange = ?1 AND symbol = ?2 AND timeframe = ?3 AND stream = ?4
            AND "from" = ?5)"}});
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

Result<std::vector<SqliteCoverage::Span>> SqliteCoverage::read(sqlite::Statement& statement) {
  std::vector<Span> spans;
  while (true) {
    const auto found = statement.step();
    if (!found || !*found) {
      statement.reset();
      if (!found) return fail(found.error());
      return spans;
    }
    spans.push_back({.from = statement.integer(0),
                     .to = statement.integer(1),
                     .state = std::string(statement.text(2)),
                     .cause = statement.optional_text(3),
                     .evidence = statement.optional_text(4),
                     .recorded_at = statement.integer(5),
                     .seq = statement.integer(6)});
  }
}

Result<std::vector<SqliteCoverage::Span>> SqliteCoverage::touching(const Row& row,
                                                                   const Span& added) {
  bind_series(touching_, row);
  touching_.bind(5, added.from);
  touching_.bind(6, added.to);
  return read(touching_);
}

Result<std::vector<SqliteCoverage::Span>> SqliteCoverage::resolved(const Row& row,
                                                                   const Span& added) {
  bind_series(assertions_, row);
  assertions_.bind(5, added.from);
  assertions_.bind(6, added.to);
  const auto assertions = read(assertions_);
  if (!assertions) return fail(assertions.error());
  std::map<std::int64_t, Span> by_time;
  for (const auto& assertion : *assertions) {
    const std::int64_t from = std::max(assertion.from, added.from);
    const std::int64_t to = std::min(assertion.to, added.to);
    auto at = by_time.lower_bound(from);
    if (at != by_time.begin() && std::prev(at)->second.to > from) {
      Span& before = std::prev(at)->second;
      Span behind = before;
      before.to = from;
      if (behind.to > to) {
        behind.from = to;
        at = by_time.emplace(to, std::move(behind)).first;
      }
    }
    while (at != by_time.end() && at->first < to) {
      Span rest = std::move(at->second);
      at = by_time.erase(at);
      if (rest.to <= to) continue;
      rest.from = to;
      at = by_time.emplace(to, std::move(rest)).first;
    }
    Span& span = by_time[from] = assertion;
    span.from = from;
    span.to = to;
  }
  std::vector<Span> spans;
  for (auto& [from, span] : by_time) spans.push_back(std::move(span));
  return spans;
}

Result<void> SqliteCoverage::replace(const Row& row, const std::vector<Span>& old_spans,
                                     const std::vector<Span>& new_spans) {
  // The usual case, a minute more of the same.
  if (old_spans.size() == 1 && new_spans.size() == 1 && old_spans[0].from == new_spans[0].from &&
      old_spans[0].state == new_spans[0].state && old_spans[0].cause == new_spans[0].cause) {
    const Span& span = new_spans[0];
    bind_series(extend_, row);
    extend_.bind(5, span.from);
    extend_.bind(6, span.to);
    extend_.bind(7, span.evidence);
    extend_.bind(8, span.recorded_at);
    extend_.bind(9, span.seq);
    return extend_.run();
  }
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
  const auto there = touching(row, added);
  if (!there) return fail(there.error());

  // A merged span has the number of its newest part. What comes late may be newer than another part
  // of it, which only the assertions know.
  std::vector<Span> inside{added};
  const bool is_late = std::ranges::any_of(*there, [&](const Span& span) {
    return span.seq > added.seq && span.from < added.to && span.to > added.from;
  });
  if (is_late) {
    auto told = resolved(row, added);
    if (!told) return fail(told.error());
    inside = std::move(*told);
  }
  std::vector<Span> result;
  for (const auto& span : *there) put(result, span, span.from, std::min(span.to, added.from));
  for (auto& span : inside) result.push_back(std::move(span));
  for (const auto& span : *there) put(result, span, std::max(span.from, added.to), span.to);
  return replace(row, *there, merged(std::move(result)));
}

}  // namespace candlewick::sink
