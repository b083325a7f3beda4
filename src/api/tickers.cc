// The newest ticker of every instrument, from memory. What a venue has not sent is null.
#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"

namespace candlewick::api {

void answer_tickers(const Site& site, Call call) {
  const std::string exchange = call.arguments.text("exchange");
  const std::string symbol = call.arguments.text("symbol");
  if (!exchange.empty() && !site.instruments.has_exchange(exchange)) {
    return call.fail(unknown_exchange(site, exchange));
  }
  const auto folded = folded_symbol(symbol);
  const Time now = site.backend.clock.now();
  std::string out = R"({"data":[)";
  bool is_known = symbol.empty();
  for (const auto& entry : site.backend.board.entries()) {
    const Instrument& instrument = *entry.instrument;
    if (!exchange.empty() && instrument.exchange != exchange) continue;
    if (!symbol.empty() && folded_symbol(instrument.symbol) != folded &&
        folded_symbol(instrument.exchange_symbol) != folded) {
      continue;
    }
    is_known = true;
    const pipeline::Latest latest = site.backend.board.read(entry.slot);
    if (!has_data(latest)) continue;
    if (out.back() != '[') out += ',';
    append_ticker_row(out, latest, now);
  }
  if (!is_known) return call.fail(unknown_symbol(site, symbol, exchange));
  out += "]}";
  call.json(std::move(out));
}

}  // namespace candlewick::api
