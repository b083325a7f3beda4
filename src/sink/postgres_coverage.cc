// The rules are sqlite_coverage.cc's; the contract test holds both against a naive minute-by-minute
// answer.
#include "sink/postgres_coverage.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

namespace candlewick::sink {
namespace {

using schema::Row;
using schema::Value;

struct Span {
  Time from;
  Time to;
  Value state;
  Value cause;
  Value evidence;
  Value recorded_at;
  std::int64_t seq = 0;
  friend bool operator==(const Span&, const Span&) = default;
};
using Series = std::array<std::string, 4>;

Series series_of(const Row& row) {
  Series series;
  constexpr std::array<std::string_view, 4> columns{"exchange", "symbol", "timeframe", "stream"};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    series[i] = std::get<std::string>(row.at(columns[i]));
  }
  return series;
}

// Times as the server keeps them, so that what meets there meets here.
Time in_us(const Value& value) {
  return time_from_us(to_us(std::get<Time>(value)));
}

Span span_of(const Row& row) {
  return {.from = in_us(row.at("from")),
          .to = in_us(row.at("to")),
          .state = row.at("state"),
          .cause = row.at("cause"),
          .evidence = row.at("evidence"),
          .recorded_at = row.at("recorded_at"),
          .seq = std::get<std::int64_t>(row.at("seq"))};
}

// The span's part from `from` to `to`, behind those that are there.
void put(std::vector<Span>& spans, const Span& span, Time from, Time to) {
  if (from >= to) return;
  spans.push_back(span);
  spans.back().from = from;
  spans.back().to = to;
}

// Spans that meet and say the same become one, with the number of its newest part.
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
    last.recorded_at = std::move(span.recorded_at);
    last.evidence = std::move(span.evidence);
  }
  return result;
}

constexpr std::string_view touching =
    R"(SELECT "from", "to", state, cause, evidence, recorded_at, seq FROM coverage_current
       WHERE exchange = $1 AND symbol = $2 AND timeframe = $3 AND stream = $4
         AND "from" >= coalesce((SELECT max("from") FROM coverage_current
               WHERE exchange = $1 AND symbol = $2 AND timeframe = $3 AND stream = $4
                 AND "from" < $5), $5)
         AND "from" <= $6 AND "to" >= $5 ORDER BY "from")";
constexpr std::string_view assertions_about =
    R"(SELECT "from", "to", state, cause, evidence, recorded_at, seq FROM coverage
       WHERE exchange = $1 AND symbol = $2 AND timeframe = $3 AND stream = $4
         AND "from" < $6 AND "to" > $5 AND "from" < "to" ORDER BY seq)";

std::vector<Span> read(postgres::Transaction& transaction, std::string_view question,
                       const Series& series, Time from, Time to) {
  const auto rows =
      transaction.query(question, {series[0], series[1], series[2], series[3], from, to});
  std::vector<Span> spans;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    using enum schema::ColumnType;
    constexpr std::array types{time, time, text, text, text, time};
    std::array<Value, types.size()> cells;
    for (std::size_t c = 0; c < types.size(); ++c) {
      auto cell = rows.value(i, c, types[c]);
      if (!cell) {
        transaction.fail(std::move(cell.error()));
        return {};
      }
      cells[c] = std::move(*cell);
    }
    spans.push_back({.from = std::get<Time>(cells[0]),
                     .to = std::get<Time>(cells[1]),
                     .state = std::move(cells[2]),
                     .cause = std::move(cells[3]),
                     .evidence = std::move(cells[4]),
                     .recorded_at = std::move(cells[5]),
                     .seq = rows.integer(i, 6)});
  }
  return spans;
}

// [from, to) by the assertions alone: each one, by its number, over those before it.
std::vector<Span> resolved(postgres::Transaction& transaction, const Series& series, Time from,
                           Time to) {
  std::vector<Span> spans;
  for (auto& assertion : read(transaction, assertions_about, series, from, to)) {
    assertion.from = std::max(assertion.from, from);
    assertion.to = std::min(assertion.to, to);
    std::vector<Span> result;
    for (const auto& span : spans) put(result, span, span.from, std::min(span.to, assertion.from));
    result.push_back(assertion);
    for (const auto& span : spans) put(result, span, std::max(span.from, assertion.to), span.to);
    spans = std::move(result);
  }
  return spans;
}

// `spans`: disjoint, by time; so they are afterwards.
void lay_over(postgres::Transaction& transaction, const Series& series, std::vector<Span>& spans,
              const Span& added) {
  // A merged span has the number of its newest part. What comes late may be newer than another part
  // of it, which only the assertions know.
  std::vector<Span> inside{added};
  const bool is_late = std::ranges::any_of(spans, [&](const Span& span) {
    return span.seq > added.seq && span.from < added.to && span.to > added.from;
  });
  if (is_late) inside = resolved(transaction, series, added.from, added.to);
  std::vector<Span> result;
  for (const auto& span : spans) put(result, span, span.from, std::min(span.to, added.from));
  for (auto& span : inside) result.push_back(std::move(span));
  for (const auto& span : spans) put(result, span, std::max(span.from, added.to), span.to);
  spans = merged(std::move(result));
}

void resolve(postgres::Transaction& transaction, const Series& series,
             const std::vector<Span>& added) {
  Time from = added.front().from;
  Time to = added.front().to;
  for (const auto& span : added) {
    from = std::min(from, span.from);
    to = std::max(to, span.to);
  }
  const std::vector<Span> there = read(transaction, touching, series, from, to);
  std::vector<Span> spans = there;
  for (const auto& span : added) lay_over(transaction, series, spans, span);
  for (const auto& old : there) {
    if (std::ranges::find(spans, old.from, &Span::from) != spans.end()) continue;
    transaction.query(
        R"(DELETE FROM coverage_current WHERE exchange = $1 AND symbol = $2 AND timeframe = $3
             AND stream = $4 AND "from" = $5)",
        {series[0], series[1], series[2], series[3], old.from});
  }
  for (const auto& span : spans) {
    if (std::ranges::find(there, span) != there.end()) continue;
    transaction.query(
        R"(INSERT INTO coverage_current VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (exchange, symbol, timeframe, stream, "from") DO UPDATE SET
             "to" = excluded."to", state = excluded.state, cause = excluded.cause,
             evidence = excluded.evidence, recorded_at = excluded.recorded_at, seq = excluded.seq)",
        {series[0], series[1], series[2], series[3], span.from, span.to, span.state, span.cause,
         span.evidence, span.recorded_at, span.seq});
  }
}

}  // namespace

void lay_over(postgres::Transaction& transaction, std::span<const Row* const> assertions) {
  std::map<Series, std::vector<Span>> added;
  for (const auto* row : assertions) {
    const Span span = span_of(*row);
    if (span.from < span.to) added[series_of(*row)].push_back(span);
  }
  for (const auto& [series, spans] : added) resolve(transaction, series, spans);
}

}  // namespace candlewick::sink
