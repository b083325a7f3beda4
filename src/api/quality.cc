// How far what is stored can be trusted: comparisons, coverage and the differences found last.
#include "query/quality.h"

#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"

namespace candlewick::api {
namespace {

constexpr std::size_t default_limit = 20;

void append_scores(std::string& out, const std::vector<query::Score>& scores) {
  json::Members members(out);
  for (const auto& score : scores) {
    json::Members one(members.name(score.against));
    one("checked", score.checked)("equal", score.equal)("different", score.different)("absent",
                                                                                      score.absent);
    one.nullable("share_equal", score.share_equal());
    one("last_checked_at", score.last_checked_at).close();
  }
  members.close();
}

void append_series(std::string& out, const query::SeriesQuality& series) {
  json::Members members(out);
  members("exchange", series.exchange)("symbol", series.symbol)("timeframe", series.timeframe);
  append_scores(members.name("checks"), series.scores);
  json::Members minutes(members.name("coverage_minutes"));
  for (const auto& [state, count] : series.minutes) minutes(state, count);
  minutes.close();
  members.close();
}

void append_mismatch(std::string& out, const query::MismatchRecord& mismatch) {
  json::Members members(out);
  members("exchange", mismatch.exchange)("symbol", mismatch.symbol)(
      "timeframe", mismatch.timeframe)("timestamp", mismatch.timestamp)("against",
                                                                        mismatch.against);
  members.nullable("columns", mismatch.columns);
  members.raw("stored", mismatch.stored.value_or("null"));
  members.raw("found", mismatch.found.value_or("null"));
  members("action", mismatch.action)("recorded_at", mismatch.recorded_at).close();
}

template <class T>
void append_list(std::string& out, const std::vector<T>& items,
                 void (*append)(std::string&, const T&)) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += ',';
    append(out, items[i]);
  }
  out += ']';
}

}  // namespace

void answer_quality(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  query::QualityQuery query;
  if (arguments.has("exchange")) query.exchange = arguments.text("exchange");
  if (arguments.has("symbol")) query.symbol = arguments.text("symbol");
  if (arguments.has("timeframe")) {
    query.timeframe = to_text(arguments.timeframe("timeframe", Timeframe::m1));
  }
  query.since = arguments.time("since");
  query.mismatch_limit = arguments.count("limit", default_limit, site.max_rows);
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  site.questions.ask(std::move(call),
                     [&site, query = std::move(query)](warehouse::Database& database,
                                                       Call& asked) mutable -> Result<void> {
                       const auto known =
                           settle_names(site, database, asked, query.exchange, query.symbol);
                       if (!known) return candlewick::fail(known.error());
                       if (!*known) return {};
                       const auto found = query::quality(database, query);
                       if (!found) return candlewick::fail(found.error());
                       std::string out;
                       json::Members members(out);
                       members.nullable("since", query.since);
                       append_list(members.name("data"), found->series, append_series);
                       append_list(members.name("mismatches"), found->mismatches, append_mismatch);
                       members.close();
                       asked.json(std::move(out));
                       return {};
                     });
}

}  // namespace candlewick::api
