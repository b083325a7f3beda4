// What is known about every minute: the merged spans of the coverage ledger, or every assertion.
#include "query/coverage.h"

#include <algorithm>

#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"
#include "pipeline/coverage.h"

namespace candlewick::api {
namespace {

constexpr std::size_t default_limit = 1000;

// "missing,unrecoverable"
std::vector<std::string> read_states(Arguments& arguments) {
  std::vector<std::string> states;
  if (!arguments.has("state")) return states;
  const std::string text = arguments.text("state");
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    states.push_back(text.substr(begin, end - begin));
    if (!pipeline::parse_coverage_state(states.back())) {
      arguments.refuse(problems::invalid_parameter, "state",
                       "is a list of live, backfilled, confirmed_empty, missing, unrecoverable, "
                       "halted and not_listed, separated by commas");
      break;
    }
    begin = end + 1;
  }
  return states;
}

void answer_spans(Call& call, const std::vector<query::CoverageSpan>& spans, std::size_t limit) {
  std::string out;
  json::Members members(out);
  members.name("data") += '[';
  for (std::size_t i = 0; i < spans.size() && i < limit; ++i) {
    if (i != 0) out += ',';
    append_span(out, spans[i]);
  }
  out += ']';
  // Narrow the question then: spans are few where nothing went wrong.
  members("is_truncated", spans.size() > limit).close();
  call.json(std::move(out));
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
  query.states = read_states(arguments);
  query.start = arguments.time("start");
  query.end = arguments.time("end");
  arguments.check_range(query.start, query.end);
  const bool history = arguments.flag("history");
  const std::size_t limit = arguments.count("limit", default_limit, site.max_rows);
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  query.limit = limit + 1;
  site.questions.ask(std::move(call),
                     [&site, query = std::move(query), limit, history](
                         warehouse::Database& database, Call& asked) mutable -> Result<void> {
                       const auto known =
                           settle_names(site, database, asked, query.exchange, query.symbol);
                       if (!known) return candlewick::fail(known.error());
                       if (!*known) return {};
                       const auto spans = history ? query::coverage_history(database, query)
                                                  : query::coverage(database, query);
                       if (!spans) return candlewick::fail(spans.error());
                       answer_spans(asked, *spans, limit);
                       return {};
                     });
}

}  // namespace candlewick::api
