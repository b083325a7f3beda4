// Every page there is. openapi.json describes the same list, and a test holds the two together.
#include <array>

#include "api/resources.h"

namespace candlewick::api {
namespace {

using Name = std::string_view;

constexpr std::array<Name, 1> of_latest{"exchange"};
constexpr std::array<Name, 12> of_candles{"exchange", "symbol",      "timeframe", "start",
                                          "end",      "limit",       "sort",      "cursor",
                                          "as_of",    "closed_only", "fill",      "format"};
constexpr std::array<Name, 4> of_candle_stream{"exchange", "symbol", "timeframe", "start"};
constexpr std::array<Name, 9> of_snapshots{"exchange", "symbol", "timeframe", "start", "end",
                                           "limit",    "sort",   "cursor",    "format"};
constexpr std::array<Name, 8> of_trades{"exchange", "symbol", "start",  "end",
                                        "limit",    "sort",   "cursor", "format"};
constexpr std::array<Name, 2> of_tickers{"exchange", "symbol"};
constexpr std::array<Name, 3> of_orderbook{"exchange", "symbol", "depth"};
constexpr std::array<Name, 5> of_symbols{"exchange", "search", "listed_only", "limit", "cursor"};
constexpr std::array<Name, 9> of_coverage{"exchange", "symbol", "timeframe", "stream", "state",
                                          "start",    "end",    "history",   "limit"};
constexpr std::array<Name, 2> of_latest_of_many{"exchange", "symbols"};
constexpr std::array<Name, 8> of_udf_history{"symbol", "resolution",      "from",
                                             "to",     "countback",       "currencyCode",
                                             "unitId", "firstDataRequest"};
constexpr std::array<Name, 4> of_udf_search{"query", "type", "exchange", "limit"};
constexpr std::array<Name, 3> of_udf_symbols{"symbol", "currencyCode", "unitId"};
constexpr std::array<Name, 5> of_quality{"exchange", "symbol", "timeframe", "since", "limit"};

constexpr auto routes = std::to_array<Route>({
    {"/", {}, answer_start_page},
    {"/assets/{file}", {}, answer_asset},
    {"/docs", {}, answer_docs},
    {"/health", {}, answer_health},
    {"/latest", of_latest_of_many, answer_latest_of_many},
    {"/latest/{symbol}", of_latest, answer_latest},
    {"/livez", {}, answer_livez},
    {"/metrics", {}, answer_metrics},
    {"/openapi.json", {}, answer_openapi},
    {"/readyz", {}, answer_readyz},
    {"/redoc", {}, answer_redoc},
    {"/udf/config", {}, answer_udf_config},
    {"/udf/history", of_udf_history, answer_udf_history},
    {"/udf/search", of_udf_search, answer_udf_search},
    {"/udf/symbols", of_udf_symbols, answer_udf_symbols},
    {"/udf/time", {}, answer_udf_time},
    {"/v1/candles", of_candles, answer_candles},
    {"/v1/candles/stream", of_candle_stream, answer_candle_stream},
    {"/v1/coverage", of_coverage, answer_coverage},
    {"/v1/exchanges", {}, answer_exchanges},
    {"/v1/indicators", of_snapshots, answer_indicators},
    {"/v1/orderbook", of_orderbook, answer_orderbook},
    {"/v1/quality", of_quality, answer_quality},
    {"/v1/sinks", {}, answer_sinks},
    {"/v1/stream", {}, answer_stream},
    {"/v1/subscriptions", {}, answer_subscriptions, put_subscriptions},
    {"/v1/symbols", of_symbols, answer_symbols},
    {"/v1/tickers", of_tickers, answer_tickers},
    {"/v1/ticks", of_snapshots, answer_ticks},
    {"/v1/trades", of_trades, answer_trades},
});

}  // namespace

std::span<const Route> all_routes() {
  return routes;
}

Match find_route(std::string_view path) {
  for (const auto& route : routes) {
    const auto brace = route.path.find('{');
    if (brace == std::string_view::npos) {
      if (route.path == path) return {&route};
    } else if (path.size() > brace && path.starts_with(route.path.substr(0, brace))) {
      return {&route, path.substr(brace)};
    }
  }
  return {};
}

}  // namespace candlewick::api
