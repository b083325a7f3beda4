// What is known about every minute: the merged spans of the coverage ledger.
#include "query/coverage.h"

#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"

namespace candlewick::api {
namespace {

constexpr std::size_t default_limit = 1000;

void append_span(std::string& out, const query::CoverageSpan& span) {
  json::Members members(out);
  members("exchange", span.exchange)("symbol", span.symbol)("timeframe", span.timeframe)(
      "stream", span.stream)("from", span.from)("to", span.to)("state", span.state);
  members.nullable("cause", span.cause).nullable("evidence", span.evidence);
  members("recorded_at", span.recorded_at)("seq", span.seq).close();
}

}  // namespace

void answer_coverage(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  query::CoverageQuery query;
  const auto optional_text = [&](std::string_view name) -> std::optional<std::string> {
    if (!arguments.has(name)) return std::nullopt;
    return arguments.text(name);
  };
  query.exchange = optional_text("exchange");
  query.symbol = optional_text("symbol");
  if (arguments.has("timeframe")) {
    query.timeframe = to_text(arguments.timeframe("timeframe", Timeframe::m1));
  }
  query.stream = optional_text("stream");
  if (query.stream && *query.stream != "candles" && *query.stream != "trades" &&
      *query.stream != "book") {
    arguments.refuse(problems::invalid_parameter, "stream", "is none of candles, trades and book");
  }
  query.start = arguments.time("start");
  query.end = arguments.time("end");
  arguments.check_range(query.start, query.end);
  const std::size_t limit = arguments.count("limit", default_limit, site.max_rows);
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  query.limit = limit + 1;
  site.questions.ask(std::move(call),
                     [&site, query = std::move(query), limit](warehouse::Database& database,
                                                              Call& asked) mutable -> Result<void> {
                       if (query.exchange) {
                         const auto is_known = knows_exchange(site, database, *query.exchange);
                         if (!is_known) return candlewick::fail(is_known.error());
                         if (!*is_known) {
                           asked.fail(unknown_exchange(site, *query.exchange));
                           return {};
                         }
                       }
                       if (query.symbol) {
                         const std::string exchange = query.exchange.value_or("");
                         const auto series = find_series(site, database, *query.symbol, exchange);
                         if (!series) return candlewick::fail(series.error());
                         if (!*series) {
                           asked.fail(unknown_symbol(site, *query.symbol, exchange));
                           return {};
                         }
                         query.symbol = (*series)->symbol;
                       }
                       const auto spans = query::coverage(database, query);
                       if (!spans) return candlewick::fail(spans.error());
                       std::string out;
                       json::Members members(out);
                       members.name("data") += '[';
                       for (std::size_t i = 0; i < spans->size() && i < limit; ++i) {
                         if (i != 0) out += ',';
                         append_span(out, (*spans)[i]);
                       }
                       out += ']';
                       // Narrow the question then: spans are few where nothing went wrong.
                       members("is_truncated", spans->size() > limit).close();
                       asked.json(std::move(out));
                       return {};
                     });
}

}  // namespace candlewick::api
