// One order book from memory. A book that is being synchronised is not shown: an old ladder would
// look like a live one.
#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"

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
  std::string out;
  append_ladder_page(out, *latest.instrument, *latest.ladder, depth, site.backend.clock.now());
  call.json(std::move(out));
}

}  // namespace candlewick::api
