// REST of Coinbase Exchange. Lists have the newest first; candles are named time, low, high, open,
// close, volume.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/json_text.h"
#include "simulator/coinbase/coinbase.h"
#include "simulator/feeds.h"

namespace candlewick::simulator::coinbase {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t all_levels = 5000;
constexpr std::int64_t most_candles = 300;

struct Call {
  const Context& context;
  const Request& request;
  const RestView& view;
  std::size_t index = 0;  // of the listing in the path

  const Listing& listing() const { return context.market.listings()[index]; }
  std::string price(Decimal value) const { return price_text(listing(), value); }
  Time told(Time time) const { return time + context.faults.settings().skew; }
};

Reply json_reply(std::string body) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}},
          .body = std::move(body)};
}

std::string product_text(const Listing& listing) {
  const auto& product = listing.instrument;
  return fmt::format(
      R"({{"id":"{}","base_currency":"{}","quote_currency":"{}","quote_increment":"{}","base_increment":"{}","display_name":"{}","min_market_funds":"1","margin_enabled":false,"post_only":false,"limit_only":false,"cancel_only":false,"status":"online","status_message":"","trading_disabled":false,"fx_stablecoin":false,"max_slippage_percentage":"0.02000000","auction_mode":false}})",
      product.exchange_symbol, product.base, product.quote,
      product.tick_size.value_or(Decimal{1}).to_string(),
      product.step_size.value_or(Decimal{1}).to_string(), product.exchange_symbol);
}

Reply products(const Context& context) {
  std::string out = "[";
  for (const auto& listing : context.market.listings()) {
    if (context.faults.has_vanished(listing.instrument.exchange_symbol)) continue;
    if (out.size() > 1) out += ',';
    out += product_text(listing);
  }
  return json_reply(out + "]");
}

Reply currencies(const Context& context) {
  std::vector<std::string> names;
  for (const auto& listing : context.market.listings()) {
    for (const auto& asset : {listing.instrument.base, listing.instrument.quote}) {
      if (std::ranges::find(names, asset) == names.end()) names.push_back(asset);
    }
  }
  std::string out = "[";
  for (const auto& name : names) {
    if (out.size() > 1) out += ',';
    out += fmt::format(
        R"({{"id":"{}","name":"{}","min_size":"0.00000001","status":"online","message":"","max_precision":"0.00000001","convertible_to":[],"details":{{"type":"crypto"}},"supported_networks":[]}})",
        name, name);
  }
  return json_reply(out + "]");
}

Reply server_time(const Context& context, const RestView& view) {
  const Time now =
      std::chrono::floor<std::chrono::milliseconds>(view.now + context.faults.settings().skew);
  return json_reply(fmt::format(R"({{"iso":"{}","epoch":{}.{:03}}})", to_rfc3339(now),
                                to_ms(now) / 1000, to_ms(now) % 1000));
}

// RFC 3339 or an epoch; nullopt inside: not given. The outer one: no time.
std::optional<std::optional<Time>> time_parameter(const Call& call, std::string_view name) {
  const auto text = call.request.parameter(name);
  if (!text || text->empty()) return std::optional<Time>{};
  const auto time = parse_time(*text);
  if (!time) return std::nullopt;
  return std::optional{*time};
}

std::optional<std::uint64_t> number(const Call& call, std::string_view name) {
  const auto text = call.request.parameter(name);
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const auto* const end = text->data() + text->size();
  const auto [rest, failure] = std::from_chars(text->data(), end, value);
  return failure == std::errc{} && rest == end ? std::optional{value} : std::nullopt;
}

Reply candles(const Call& call) {
  constexpr std::array<std::pair<unsigned, Timeframe>, 6> lengths{{{60, Timeframe::m1},
                                                                   {300, Timeframe::m5},
                                                                   {900, Timeframe::m15},
                                                                   {3600, Timeframe::h1},
                                                                   {21600, Timeframe::h6},
                                                                   {86400, Timeframe::d1}}};
  const auto seconds = number(call, "granularity").value_or(60);
  const auto* length =
      std::ranges::find_if(lengths, [&](const auto& entry) { return entry.first == seconds; });
  if (length == lengths.end()) return error(400, "Unsupported granularity");
  const auto start = time_parameter(call, "start");
  const auto end = time_parameter(call, "end");
  if (!start || !end) return error(400, "Invalid start or end");
  const Duration period = length_of(length->second);
  // Only both together count.
  Time from = call.view.as_of - period * most_candles;
  Time to = call.view.as_of;
  if (*start && *end) {
    from = **start;
    to = **end;
    if (to < from) return error(400, "start must be before end");
    if ((to - from) / period + 1 > most_candles) {
      return error(400,
                   "granularity too small for the requested time range. Count of aggregations "
                   "requested exceeds 300");
    }
  }
  const auto rows = rest_rows(call.context.market, call.index, length->second, from, to + 1ns,
                              static_cast<std::size_t>(most_candles), true, call.view);
  std::string out = "[";
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    const Bar& bar = row->bar;
    if (out.size() > 1) out += ',';
    out += fmt::format("[{},{},{},{},{},{}]", to_ms(row->open_time) / 1000, bar.low.to_string(),
                       bar.high.to_string(), bar.open.to_string(), bar.close.to_string(),
                       bar.volume.to_string());
  }
  return json_reply(out + "]");
}

Reply book(const Call& call) {
  const auto level = number(call, "level").value_or(1);
  if (level != 1 && level != 2) return error(400, "Invalid level");
  const Book shown =
      rest_book(call.context.market, call.index, level == 1 ? 1 : all_levels, call.view);
  const auto side = [&](const std::vector<Level>& levels) {
    std::string out = "[";
    for (const auto& one : levels) {
      if (out.size() > 1) out += ',';
      out += fmt::format(R"(["{}","{}",1])", call.price(one.price), size_text(one.size));
    }
    return out + "]";
  };
  return json_reply(fmt::format(
      R"({{"bids":{},"asks":{},"sequence":{},"auction_mode":false,"auction":null,"time":"{}"}})",
      side(shown.bids), side(shown.asks), shown.sequence, time_text(call.told(call.view.as_of))));
}

// The newest that are older than `after` and newer than `before`.
Reply trades(const Call& call) {
  Market& market = call.context.market;
  const auto limit = std::min<std::uint64_t>(number(call, "limit").value_or(1000), 1000);
  const auto after = number(call, "after");
  const auto before = number(call, "before");
  std::vector<MarketTrade> found;  // newest first
  std::int64_t minute = minute_of(call.view.as_of);
  if (after) {
    if (const auto last = market.minute_of_trade(call.index, *after))
      minute = std::min(minute, *last);
  }
  const auto first = minute_of(market.known_from(call.index));
  bool is_more = true;
  for (; minute >= first && is_more; --minute) {
    const auto in_minute = market.minute_trades(call.index, minute);
    for (auto trade = in_minute.rbegin(); trade != in_minute.rend() && is_more; ++trade) {
      if (trade->time > call.view.as_of || (after && trade->id >= *after)) continue;
      is_more = found.size() < limit && (!before || trade->id > *before);
      if (is_more) found.push_back(*trade);
    }
  }
  std::string out = "[";
  for (const auto& trade : found) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"trade_id":{},"side":"{}","size":"{}","price":"{}","time":"{}"}})",
                       trade.id, trade.taker_is_buyer ? "sell" : "buy", size_text(trade.size),
                       call.price(trade.price), time_text(trade.time));
  }
  Reply reply = json_reply(out + "]");
  if (!found.empty()) {
    reply.headers.set("cb-before", fmt::format("{}", found.front().id));
    reply.headers.set("cb-after", fmt::format("{}", found.back().id));
  }
  return reply;
}

Reply ticker(const Call& call) {
  const auto day = day_figures(call.context.market, call.index, call.view.as_of);
  return json_reply(fmt::format(
      R"({{"ask":"{}","bid":"{}","volume":"{}","trade_id":{},"price":"{}","size":"{}","time":"{}","rfq_volume":"0"}})",
      call.price(day.ask.price), call.price(day.bid.price), size_text(day.bar.volume),
      day.last_id.value_or(0), call.price(day.bar.close), size_text(day.last_size),
      time_text(call.told(day.at))));
}

Reply statistics(const Call& call) {
  const auto day = day_figures(call.context.market, call.index, call.view.as_of);
  return json_reply(fmt::format(
      R"({{"open":"{}","high":"{}","low":"{}","last":"{}","volume":"{}","volume_30day":"{}"}})",
      call.price(day.bar.open), call.price(day.bar.high), call.price(day.bar.low),
      call.price(day.bar.close), size_text(day.bar.volume), size_text(day.bar.volume)));
}

struct Endpoint {
  std::string_view name;
  Reply (*answer)(const Call& call);
};
constexpr std::array<Endpoint, 5> endpoints{{{"candles", candles},
                                             {"book", book},
                                             {"trades", trades},
                                             {"ticker", ticker},
                                             {"stats", statistics}}};

}  // namespace

Reply answer(const Context& context, const Request& request, const RestView& view) {
  if (request.path == "/time") return server_time(context, view);
  if (request.path == "/products") return products(context);
  if (request.path == "/currencies") return currencies(context);
  constexpr std::string_view root = "/products/";
  if (!request.path.starts_with(root)) return error(404, "NotFound");
  const auto rest = std::string_view(request.path).substr(root.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto product = rest.substr(0, slash);
  const auto listing = context.market.find(product);
  if (!listing || context.faults.has_vanished(product)) return error(404, "NotFound");
  if (slash == rest.size()) return json_reply(product_text(context.market.listings()[*listing]));
  const auto* endpoint = std::ranges::find(endpoints, rest.substr(slash + 1), &Endpoint::name);
  if (endpoint == endpoints.end()) return error(404, "NotFound");
  return endpoint->answer({context, request, view, *listing});
}

}  // namespace candlewick::simulator::coinbase
