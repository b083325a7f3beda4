// One order book from memory. A book that is being synchronised is not shown: an old ladder would
// look like a live one.
#include <algorithm>

#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"
#include "market/event_json.h"

namespace candlewick::api {
namespace {

constexpr std::size_t default_depth = 20;
constexpr std::size_t max_depth = 5000;

}  // namespace

void answer_orderbook(const Site& site, Call call) {
  const std::string exchange = call.arguments.text("exchange");
  const std::string symbol = call.arguments.required("symbol");
  const std::size_t depth = call.arguments.count("depth", default_depth, max_depth);
  if (const auto& problem = call.arguments.problem()) return call.fail(*problem);
  if (!exchange.empty() && !site.instruments.has_exchange(exchange)) {
    return call.fail(unknown_exchange(site, exchange));
  }
  const auto slot = site.instruments.find(symbol, exchange);
  if (!slot) return call.fail(unknown_symbol(site, symbol, exchange));
  const pipeline::Latest latest = site.backend.board.read(*slot);
  if (!has_live_ladder(latest)) {
    return call.fail({.kind = &problems::book_resyncing,
                      .detail = fmt::format("the book of {} on {} is not in step with the exchange",
                                            latest.instrument->symbol, latest.instrument->exchange),
                      .retry_after_seconds = 1,
                      .stale_since = latest.ladder_stale_since});
  }
  const BookUpdate& book = *latest.ladder;
  std::string out;
  json::Members members(out);
  append_names(members, *latest.instrument);
  members.nullable("sequence", book.sequence);
  append_times(members, book.origin.received_time, book.origin.exchange_time,
               site.backend.clock.now());
  append_ladder(members.name("bids"), book.bids, depth);
  append_ladder(members.name("asks"), book.asks, depth);
  // How many levels are kept in memory, all of them whole: fewer than asked for is no sign of a
  // thin market.
  members("levels_kept", std::max(book.bids.size(), book.asks.size())).close();
  call.json(std::move(out));
}

}  // namespace candlewick::api
