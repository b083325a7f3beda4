// Spans as rows. Nothing here decides anything: what is true was asserted by those who knew.
#include "app/coverage.h"

#include <fmt/format.h>

#include "app/command.h"
#include "app/table.h"
#include "app/warehouse_choice.h"
#include "base/json_text.h"
#include "exchange/ccxt/ccxt.h"
#include "exchange/registry.h"
#include "query/coverage.h"
#include "warehouse/database.h"

namespace candlewick::app {
namespace {

constexpr std::size_t most_spans = 1'000'000;

// The unified symbol. Without an exchange, the first venue that can make sense of it says.
Result<std::string> unified(const CoverageOptions& options) {
  if (!options.exchange.empty()) {
    auto name = stored_name(options.exchange, options.symbol);
    if (!name) return fail(name.error());
    return std::move(name->symbol);
  }
  std::optional<Error> error;
  for (const auto* venue : exchange::all_venues()) {
    const auto catalogue = exchange::make_catalogue(*venue);
    const auto instrument = instrument_named(*venue, *catalogue, options.symbol);
    if (instrument) return (*instrument)->symbol;
    if (!error) error = instrument.error();
  }
  return fail(std::move(*error));
}

Result<query::CoverageQuery> question(const CoverageOptions& options) {
  query::CoverageQuery query;
  if (!options.exchange.empty()) {
    query.exchange = options.exchange;
    if (!exchange::ccxt::is_bridged(options.exchange)) {
      const auto venue = venue_named(options.exchange);
      if (!venue) return fail(venue.error());
      query.exchange = (*venue)->name;
    }
  }
  if (!options.symbol.empty()) {
    auto symbol = unified(options);
    if (!symbol) return fail(symbol.error());
    query.symbol = std::move(*symbol);
  }
  if (!options.timeframe.empty()) {
    const auto timeframe = parse_timeframe(options.timeframe);
    if (!timeframe)
      return fail(ErrorKind::misconfigured, "--timeframe: {}", timeframe.error().message);
    query.timeframe = std::string(to_text(*timeframe));
  }
  const auto since = optional_time("--since", options.since);
  if (!since) return fail(since.error());
  query.start = *since;
  query.limit = most_spans;
  return query;
}

std::string minutes_in(const query::CoverageSpan& span) {
  return fmt::format("{}", (span.to - span.from) / std::chrono::minutes{1});
}

void print_spans(const std::vector<query::CoverageSpan>& spans, Format format) {
  Table table({"exchange", "symbol", "timeframe", "stream", "from", "to", "minutes", "state",
               "cause", "evidence", "recorded_at"});
  table.colour("state", tone_of_state);
  std::vector<std::string> lines;
  for (const auto& span : spans) {
    if (format != Format::jsonl) {
      table.add({span.exchange, span.symbol, span.timeframe, span.stream, to_rfc3339(span.from),
                 to_rfc3339(span.to), minutes_in(span), span.state, span.cause.value_or(""),
                 span.evidence.value_or(""), to_rfc3339(span.recorded_at)});
      continue;
    }
    std::string& line = lines.emplace_back();
    json::Members members(line);
    members("exchange", span.exchange)("symbol", span.symbol)("timeframe", span.timeframe)(
        "stream", span.stream)("from", span.from)("to", span.to)("state", span.state);
    members.nullable("cause", span.cause).nullable("evidence", span.evidence);
    members("recorded_at", span.recorded_at)("seq", span.seq).close();
  }
  print(table, format, lines);
}

void print_summary(const std::vector<query::CoverageSummary>& series, Format format) {
  Table table({"exchange", "symbol", "timeframe", "stream", "from", "to", "state", "minutes"});
  table.colour("state", tone_of_state);
  std::vector<std::string> lines;
  for (const auto& one : series) {
    std::string& line = lines.emplace_back();
    json::Members members(line);
    members("exchange", one.exchange)("symbol", one.symbol)("timeframe", one.timeframe)(
        "stream", one.stream)("from", one.from)("to", one.to);
    json::Members minutes(members.name("minutes"));
    for (const auto& [state, count] : one.minutes) {
      minutes(state, count);
      table.add({one.exchange, one.symbol, one.timeframe, one.stream, to_rfc3339(one.from),
                 to_rfc3339(one.to), state, fmt::format("{}", count)});
    }
    minutes.close();
    members.close();
  }
  print(table, format, lines);
}

}  // namespace

int coverage(const LoadedConfig& loaded, const CoverageOptions& options) {
  const auto format = parse_format(options.format);
  if (!format) return report(format.error());
  const auto query = question(options);
  if (!query) return report(query.error());
  auto database = open_for_reading(loaded.config);
  if (!database) return report(database.error());
  if (options.summary) {
    const auto series = query::coverage_summary(**database, *query);
    if (!series) return report(series.error());
    print_summary(*series, *format);
    return done;
  }
  const auto spans = options.history ? query::coverage_history(**database, *query)
                                     : query::coverage(**database, *query);
  if (!spans) return report(spans.error());
  print_spans(*spans, *format);
  return done;
}

}  // namespace candlewick::app
