// Which exchanges and symbols there are: what the warehouse has ever listed, and what of it is
// configured here.
#include <algorithm>

#include "api/json_form.h"
#include "api/paging.h"
#include "api/resources.h"
#include "query/catalogue.h"

namespace candlewick::api {
namespace {

constexpr std::string_view symbols_route = "/v1/symbols";
constexpr std::size_t default_limit = 1000;

void append_exchange(std::string& out, const query::Exchange& exchange, bool is_configured,
                     std::size_t instruments) {
  json::Members members(out);
  members("exchange", exchange.name);
  members.nullable("name", exchange.display_name)
      .nullable("region", exchange.region)
      .nullable("trading_fees", exchange.trading_fees);
  members("listings", exchange.listings)("is_configured", is_configured)("instruments",
                                                                         instruments);
  members.close();
}

void append_symbol(std::string& out, const query::Symbol& symbol, bool is_configured) {
  json::Members members(out);
  members("symbol", symbol.symbol);
  members.nullable("exchange", symbol.exchange)
      .nullable("exchange_symbol", symbol.exchange_symbol)
      .nullable("market", symbol.market)
      .nullable("status", symbol.status);
  members("base", symbol.base)("quote", symbol.quote);
  members.nullable("name", symbol.name)
      .nullable("sector", symbol.sector)
      .nullable("launch_date", symbol.launch_date)
      .nullable("coingecko_id", symbol.coingecko_id)
      .nullable("listed_at", symbol.listed_at)
      .nullable("delisted_at", symbol.delisted_at)
      .nullable("tick_size", symbol.tick_size)
      .nullable("step_size", symbol.step_size);
  members("is_configured", is_configured).close();
}

}  // namespace

void answer_exchanges(const Site& site, Call call) {
  site.questions.ask(
      std::move(call), [&site](warehouse::Database& database, Call& asked) -> Result<void> {
        auto exchanges = query::exchanges(database);
        if (!exchanges) return candlewick::fail(std::move(exchanges.error()));
        // A venue that has stored nothing yet is here all the same.
        for (const auto& name : site.instruments.exchanges()) {
          if (std::ranges::find(*exchanges, name, &query::Exchange::name) == exchanges->end()) {
            exchanges->push_back({.name = name});
          }
        }
        std::ranges::sort(*exchanges, {}, &query::Exchange::name);
        std::string out = R"({"data":[)";
        for (const auto& exchange : *exchanges) {
          if (out.back() != '[') out += ',';
          const auto instruments =
              std::ranges::count(site.backend.board.instruments(), exchange.name,
                                 [](const Instrument* instrument) { return instrument->exchange; });
          append_exchange(out, exchange, site.instruments.has_exchange(exchange.name),
                          static_cast<std::size_t>(instruments));
        }
        out += "]}";
        asked.json(std::move(out));
        return {};
      });
}

void answer_symbols(const Site& site, Call call) {
  const auto position = take_cursor(call, symbols_route);
  Arguments& arguments = call.arguments;
  query::SymbolQuery query{.search = arguments.text("search"),
                           .listed_only = arguments.flag("listed_only")};
  if (arguments.has("exchange")) query.exchange = arguments.text("exchange");
  const std::size_t limit = arguments.count("limit", default_limit, site.max_rows);
  if (position && *position < 0) {
    arguments.refuse(problems::invalid_cursor, "cursor", "not a cursor of this service");
  }
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  query.limit = limit + 1;
  query.offset = static_cast<std::size_t>(position.value_or(0));
  site.questions.ask(std::move(call),
                     [&site, query = std::move(query), limit](warehouse::Database& database,
                                                              Call& asked) -> Result<void> {
                       const auto symbols = query::symbols(database, query);
                       if (!symbols) return candlewick::fail(symbols.error());
                       if (symbols->empty() && query.exchange) {
                         const auto is_known = knows_exchange(site, database, *query.exchange);
                         if (!is_known) return candlewick::fail(is_known.error());
                         if (!*is_known) {
                           asked.fail(unknown_exchange(site, *query.exchange));
                           return {};
                         }
                       }
                       std::string out;
                       json::Members members(out);
                       members.name("data") += '[';
                       for (std::size_t i = 0; i < symbols->size() && i < limit; ++i) {
                         const auto& symbol = (*symbols)[i];
                         if (i != 0) out += ',';
                         const bool is_configured =
                             symbol.exchange &&
                             site.instruments.find(symbol.symbol, *symbol.exchange).has_value();
                         append_symbol(out, symbol, is_configured);
                       }
                       out += ']';
                       std::optional<Place> next;
                       if (symbols->size() > limit)
                         next = Place{.position = static_cast<std::int64_t>(query.offset + limit)};
                       append_next(members, asked, symbols_route, next);
                       members.close();
                       asked.json(std::move(out));
                       return {};
                     });
}

}  // namespace candlewick::api
