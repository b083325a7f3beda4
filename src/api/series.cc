// Spelling is a matter of folding; which venue answers is a matter of the configured order.
#include "api/series.h"

#include <algorithm>

#include "base/nearest.h"
#include "query/catalogue.h"

namespace candlewick::api {

std::optional<Series> series_on_board(const Site& site, std::string_view typed,
                                      std::string_view exchange) {
  const auto slot = site.instruments.find(typed, exchange);
  if (!slot) return std::nullopt;
  const Instrument& instrument = site.backend.board.instrument(*slot);
  return Series{.exchange = instrument.exchange,
                .symbol = instrument.symbol,
                .exchange_symbol = instrument.exchange_symbol,
                .slot = slot};
}

Result<std::optional<Series>> find_series(const Site& site, warehouse::Database& database,
                                          std::string_view typed, std::string_view exchange) {
  if (auto series = series_on_board(site, typed, exchange)) return series;
  query::SymbolQuery query{.search = std::string(typed), .limit = 100};
  if (!exchange.empty()) query.exchange = exchange;
  auto found = query::symbols(database, query);
  if (!found) return candlewick::fail(std::move(found.error()));
  const auto folded = folded_symbol(typed);
  for (auto& symbol : *found) {
    if (!symbol.exchange || !symbol.exchange_symbol) continue;
    if (folded_symbol(symbol.symbol) != folded &&
        folded_symbol(*symbol.exchange_symbol) != folded) {
      continue;
    }
    return Series{.exchange = std::move(*symbol.exchange),
                  .symbol = std::move(symbol.symbol),
                  .exchange_symbol = std::move(*symbol.exchange_symbol),
                  .slot = std::nullopt};
  }
  return std::optional<Series>{};
}

Result<bool> knows_exchange(const Site& site, warehouse::Database& database,
                            std::string_view exchange) {
  if (site.instruments.has_exchange(exchange)) return true;
  const auto known = query::exchanges(database);
  if (!known) return candlewick::fail(known.error());
  return std::ranges::find(*known, exchange, &query::Exchange::name) != known->end();
}

Result<bool> settle_names(const Site& site, warehouse::Database& database, Call& call,
                          const std::optional<std::string>& exchange,
                          std::optional<std::string>& symbol) {
  if (exchange) {
    const auto is_known = knows_exchange(site, database, *exchange);
    if (!is_known) return candlewick::fail(is_known.error());
    if (!*is_known) {
      call.fail(unknown_exchange(site, *exchange));
      return false;
    }
  }
  if (!symbol) return true;
  const std::string named = exchange.value_or("");
  const auto series = find_series(site, database, *symbol, named);
  if (!series) return candlewick::fail(series.error());
  if (!*series) {
    call.fail(unknown_symbol(site, *symbol, named));
    return false;
  }
  symbol = (*series)->symbol;
  return true;
}

Problem unknown_symbol(const Site& site, std::string_view typed, std::string_view exchange) {
  return {.kind = &problems::unknown_symbol,
          .detail = fmt::format("\"{}\" is not listed{}{}", typed.substr(0, 64),
                                exchange.empty() ? "" : " on ", exchange),
          .parameter = "symbol",
          .near = site.instruments.near(typed)};
}

Problem unknown_exchange(const Site& site, std::string_view exchange) {
  Problem problem{
      .kind = &problems::unknown_exchange,
      .detail = fmt::format("\"{}\" is not an exchange of this service", exchange.substr(0, 64)),
      .parameter = "exchange"};
  if (auto near = nearest(exchange, site.instruments.exchanges()); !near.empty()) {
    problem.near.push_back(std::move(near));
  }
  return problem;
}

}  // namespace candlewick::api
