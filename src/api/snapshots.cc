// Market ticks and technical indicators as stored: two tables of one shape.
#include "query/snapshots.h"
#include "api/json_form.h"
#include "api/paging.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

using Ask = Result<std::vector<schema::Row>> (*)(warehouse::Database&, const query::SnapshotQuery&);

void answer_rows(Call& call, std::string_view route, const Series& series,
                 const HistoryQuestion& question, const std::vector<schema::Row>& rows) {
  std::string out;
  out.reserve(256 + rows.size() * 512);
  json::Members members(out);
  members("exchange", series.exchange)("symbol", series.symbol)(
      "exchange_symbol", series.exchange_symbol)("timeframe", to_text(question.timeframe));
  members.name("data") += '[';
  std::optional<std::int64_t> position;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == question.limit) {
      if (const auto* last = std::get_if<Time>(&rows[i - 1].at("exchange_ts"))) {
        position = to_ns(*last);
      }
      break;
    }
    if (i != 0) out += ',';
    append_columns(out, rows[i]);
  }
  out += ']';
  append_next(members, call, route, position);
  members.close();
  call.json(std::move(out));
}

void answer_snapshots(const Site& site, Call call, std::string_view route, Ask ask) {
  HistoryQuestion question = read_history_question(site, call, route);
  if (const auto& problem = call.arguments.problem()) return call.fail(*problem);
  std::string typed = question.typed;
  std::string exchange = question.exchange;
  ask_about_series(
      site, std::move(call), std::move(typed), std::move(exchange),
      [question = std::move(question), route, ask](warehouse::Database& database, Call& asked,
                                                   const Series& series) -> Result<void> {
        // The venue's spelling is in every row, whatever `symbol_style` says.
        const auto rows =
            ask(database, {.exchange = series.exchange,
                           .symbol = series.exchange_symbol,
                           .window_interval = std::string(to_text(question.timeframe)),
                           .start = question.start,
                           .end = question.end,
                           .limit = question.limit + 1,
                           .order = question.order});
        if (!rows) return candlewick::fail(rows.error());
        asked.arguments.set("exchange", series.exchange);
        answer_rows(asked, route, series, question, *rows);
        return {};
      });
}

}  // namespace

void answer_ticks(const Site& site, Call call) {
  answer_snapshots(site, std::move(call), "/v1/ticks", query::ticks);
}

void answer_indicators(const Site& site, Call call) {
  answer_snapshots(site, std::move(call), "/v1/indicators", query::indicators);
}

}  // namespace candlewick::api
