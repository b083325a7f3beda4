// The venues that can be simulated: one row each.
#include "simulator/protocol.h"

#include <array>

#include <fmt/format.h>

#include "exchange/bitfinex/symbols.h"
#include "exchange/bitget/symbols.h"
#include "exchange/bitstamp/bitstamp.h"
#include "exchange/htx/htx.h"
#include "exchange/registry.h"
#include "simulator/binance/binance.h"
#include "simulator/bitfinex/bitfinex.h"
#include "simulator/bitget/bitget.h"
#include "simulator/bitstamp/bitstamp.h"
#include "simulator/bybit/bybit.h"
#include "simulator/coinbase/coinbase.h"
#include "simulator/coingecko.h"
#include "simulator/gateio/gateio.h"
#include "simulator/gemini/gemini.h"
#include "simulator/htx/htx.h"
#include "simulator/kraken/kraken.h"
#include "simulator/kucoin/kucoin.h"
#include "simulator/okx/okx.h"

namespace candlewick::simulator {
namespace {

using Make = std::unique_ptr<Protocol> (*)(Market& market, const Faults& faults);

using Spell = std::string (*)(std::string_view base, std::string_view quote);

std::string joined(std::string_view base, std::string_view quote) {
  return fmt::format("{}{}", base, quote);
}

std::string dashed(std::string_view base, std::string_view quote) {
  return fmt::format("{}-{}", base, quote);
}

std::string slashed(std::string_view base, std::string_view quote) {
  return fmt::format("{}/{}", base, quote);
}

std::string underlined(std::string_view base, std::string_view quote) {
  return fmt::format("{}_{}", base, quote);
}

struct Row {
  std::string_view venue;
  Make make;
  Spell spell;
};

constexpr std::array rows{Row{"binance", make_binance, joined},
                          Row{"binance-us", make_binance_us, joined},
                          Row{"binance-usdm", make_binance_usdm, joined},
                          Row{"bitfinex", make_bitfinex, exchange::bitfinex::symbol_of},
                          Row{"bitget", make_bitget, exchange::bitget::symbol_of},
                          Row{"bitstamp", make_bitstamp, exchange::bitstamp::symbol_of},
                          Row{"bybit", make_bybit, joined},
                          Row{"coinbase", make_coinbase, dashed},
                          Row{"coingecko", make_coingecko, joined},
                          Row{"gateio", make_gateio, underlined},
                          Row{"gemini", make_gemini, joined},
                          Row{"htx", make_htx, exchange::htx::symbol_of},
                          Row{"kraken", make_kraken, slashed},
                          Row{"kucoin", make_kucoin, dashed},
                          Row{"okx", make_okx, dashed}};

}  // namespace

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Result<Request> make_request(std::string_view method, std::string_view target,
                             std::string_view body) {
  Request request;
  request.method = method;
  request.target = target;
  request.body = body;
  const auto question = target.find('?');
  auto path = net::percent_decode(target.substr(0, question));
  if (!path) return fail(std::move(path.error()));
  request.path = std::move(*path);
  if (question != std::string_view::npos) {
    auto query = net::parse_query(target.substr(question + 1));
    if (!query) return fail(std::move(query.error()));
    request.query = std::move(*query);
  }
  return request;
}

std::unique_ptr<Protocol> make_protocol(std::string_view venue, Market& market,
                                        const Faults& faults) {
  for (const auto& row : rows) {
    if (row.venue == venue) return row.make(market, faults);
  }
  return nullptr;
}

std::string spelled(std::string_view venue, std::string_view base, std::string_view quote) {
  for (const auto& row : rows) {
    if (row.venue == venue) return row.spell(base, quote);
  }
  return joined(base, quote);
}

bool fills_quiet_candles(std::string_view venue) {
  const auto* const facts = exchange::find_venue(venue);
  return facts == nullptr || facts->quiet_periods == exchange::QuietPeriods::zero_rows;
}

std::vector<std::string_view> simulated_venues() {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.venue);
  return names;
}

}  // namespace candlewick::simulator
