// Kept trades from the warehouse. Many trades share one moment, so a cursor names the last trade
// that was told, and not its time alone.
#include "query/trades.h"
#include "api/history.h"
#include "api/json_form.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

constexpr std::string_view route = "/v1/trades";
constexpr std::size_t default_limit = 1000;

constexpr std::array<std::string_view, 7> columns{
    "id", "exchange_time", "price", "size", "quote_size", "taker_side", "ingested_at"};

void append_trade(std::string& out, const query::Trade& trade) {
  json::Members members(out);
  members("id", trade.trade_id)("exchange_time", trade.exchange_time)("price", trade.price)(
      "size", trade.size);
  members.nullable("quote_size", trade.quote_size);
  members("taker_side", trade.taker_side)("ingested_at", trade.ingested_at);
  members.close();
}

// What was kept in earlier times is told whatever the setting is now.
Result<bool> has_trades(warehouse::Database& database, const Series& series) {
  const auto one =
      query::trades(database, {.exchange = series.exchange, .symbol = series.symbol, .limit = 1});
  if (!one) return candlewick::fail(one.error());
  return !one->empty();
}

// The next page; the query goes on behind it.
Result<RowPage> read_rows(const Site& site, warehouse::Database& database, const Series& series,
                          query::TradeQuery& query, std::size_t limit) {
  query.exchange = series.exchange;
  query.symbol = series.symbol;
  query.limit = limit + 1;  // whether there is another page
  const auto trades = query::trades(database, query);
  if (!trades) return candlewick::fail(trades.error());
  RowPage page;
  if (trades->empty() && !site.backend.keeps_trades) {
    const auto has_any = has_trades(database, series);
    if (!has_any) return candlewick::fail(has_any.error());
    if (!*has_any) {
      page.problem = {.kind = &problems::trades_not_kept,
                      .detail =
                          "trades are not kept here; pipeline.keep_trades = true keeps those "
                          "that come from then on"};
      return page;
    }
  }
  const std::size_t count = std::min(trades->size(), limit);
  page.rows.reserve(count * 224);
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) page.rows += ',';
    append_trade(page.rows, (*trades)[i]);
  }
  if (trades->size() > count) {
    const query::Trade& last = (*trades)[count - 1];
    page.next = Place{.position = to_ns(last.exchange_time), .beside = last.trade_id};
    query.after = {last.exchange_time, last.trade_id};
  }
  return page;
}

}  // namespace

void answer_trades(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  auto cursor = take_whole_cursor(call, route);
  std::string exchange = arguments.text("exchange");
  std::string typed = arguments.required("symbol");
  query::TradeQuery query{.exchange = {},
                          .symbol = {},
                          .start = arguments.time("start"),
                          .end = arguments.time("end"),
                          .after = {},
                          .limit = 0,
                          .order = arguments.order("sort")};
  const std::size_t limit = arguments.count("limit", default_limit, site.max_rows);
  arguments.check_range(query.start, query.end);
  if (cursor) query.after = {time_from_ns(cursor->position), std::move(cursor->beside)};
  answer_history(
      site, std::move(call),
      {.route = route,
       .columns = columns,
       .typed = std::move(typed),
       .exchange = std::move(exchange),
       .limit = limit,
       .timeframe = std::nullopt,
       .read = [&site, query = std::move(query)](warehouse::Database& database,
                                                 const Series& series, std::size_t rows) mutable {
         return read_rows(site, database, series, query, rows);
       }});
}

}  // namespace candlewick::api
