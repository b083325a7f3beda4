// Market ticks and technical indicators as stored: two tables of one shape.
#include "query/snapshots.h"
#include "api/history.h"
#include "api/json_form.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

using Ask = Result<std::vector<schema::Row>> (*)(warehouse::Database&, const query::SnapshotQuery&);

// The next page; the question goes on behind it.
Result<RowPage> read_rows(warehouse::Database& database, const Series& series,
                          HistoryQuestion& question, Ask ask) {
  // The venue's spelling is in every row, whatever `symbol_style` says.
  const auto rows = ask(database, {.exchange = series.exchange,
                                   .symbol = series.exchange_symbol,
                                   .window_interval = std::string(to_text(question.timeframe)),
                                   .start = question.start,
                                   .end = question.end,
                                   .limit = question.limit + 1,  // whether there is another page
                                   .order = question.order});
  if (!rows) return candlewick::fail(rows.error());
  RowPage page;
  const std::size_t count = std::min(rows->size(), question.limit);
  page.rows.reserve(count * 512);
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) page.rows += ',';
    append_columns(page.rows, (*rows)[i]);
  }
  if (rows->size() > count) {
    if (const auto* last = std::get_if<Time>(&(*rows)[count - 1].at("exchange_ts"))) {
      page.next = Place{.position = to_ns(*last)};
      question.continue_after(*last);
    }
  }
  return page;
}

std::vector<std::string_view> names_of(const schema::Table& table) {
  std::vector<std::string_view> names;
  for (const auto& column : table.columns) names.emplace_back(column.name);
  return names;
}

void answer_snapshots(const Site& site, Call call, std::string_view route,
                      std::span<const std::string_view> columns, Ask ask) {
  HistoryQuestion question = read_history_question(site, call, route);
  answer_history(site, std::move(call),
                 {.route = route,
                  .columns = columns,
                  .typed = question.typed,
                  .exchange = question.exchange,
                  .limit = question.limit,
                  .timeframe = question.timeframe,
                  .read = [ask, question](warehouse::Database& database, const Series& series,
                                          std::size_t limit) mutable {
                    question.limit = limit;
                    return read_rows(database, series, question, ask);
                  }});
}

}  // namespace

void answer_ticks(const Site& site, Call call) {
  static const auto columns = names_of(schema::market_ticks);
  answer_snapshots(site, std::move(call), "/v1/ticks", columns, query::ticks);
}

void answer_indicators(const Site& site, Call call) {
  static const auto columns = names_of(schema::technical_indicators);
  answer_snapshots(site, std::move(call), "/v1/indicators", columns, query::indicators);
}

}  // namespace candlewick::api
