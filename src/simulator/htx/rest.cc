// REST. Refusals come with status 200.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/htx/htx.h"
#include "simulator/htx/htx.h"

namespace candlewick::simulator::htx {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t book_levels = 150;

struct Call {
  const Context& context;
  const Request& request;
  const RestView& view;
  std::size_t index = 0;  // of the listing asked about

  Time now() const { return view.now + context.faults.settings().skew; }
  const std::string& symbol() const {
    return context.market.listings()[index].instrument.exchange_symbol;
  }
};

Reply json_reply(std::string body) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json;charset=UTF-8"}},
          .body = std::move(body)};
}

Reply reply_about(const Call& call, std::string_view what, std::string_view payload_name,
                  std::string_view payload) {
  return json_reply(fmt::format(R"({{"ch":"market.{}.{}","status":"ok","ts":{},"{}":{}}})",
                                call.symbol(), what, to_ms(call.now()), payload_name, payload));
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + "]";
}

std::optional<std::int64_t> number(const Call& call, std::string_view name) {
  const auto text = call.request.parameter(name);
  std::int64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ptr !=
                   text->data() + text->size()) {
    return std::nullopt;
  }
  return value;
}

std::size_t size_of(const Call& call, std::int64_t otherwise, std::int64_t most) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(number(call, "size").value_or(otherwise), 1, most));
}

Reply refusal(const Call& call, std::string_view words) {
  return error(200, "invalid-parameter", words, call.now());
}

Reply symbols(const Context& context) {
  std::string out;
  for (const auto& listing : context.market.listings()) {
    const auto& instrument = listing.instrument;
    if (context.faults.has_vanished(instrument.exchange_symbol)) continue;
    if (!out.empty()) out += ',';
    const auto length = instrument.exchange_symbol.size();
    const auto& symbol = instrument.exchange_symbol;
    // The quote's letters end the symbol as they are.
    const auto base = symbol.substr(0, length - instrument.quote.size());
    out += fmt::format(
        R"({{"base-currency":"{}","quote-currency":"{}","price-precision":{},"amount-precision":{},"symbol-partition":"main","symbol":"{}","state":"online","value-precision":8,"min-order-amt":0.0001,"max-order-amt":1000,"min-order-value":5,"limit-order-min-order-amt":0.0001,"limit-order-max-order-amt":1000,"api-trading":"enabled","tags":""}})",
        base, symbol.substr(base.size()), listing.price_digits, listing.size_digits, symbol);
  }
  return json_reply(R"({"status":"ok","data":[)" + out + "]}");
}

// The newest rows first. With a time to begin at, the ones from there on.
Reply candles(const Call& call, bool has_borders) {
  const auto period = call.request.parameter("period").value_or("");
  const auto timeframe = exchange::htx::timeframe_of(period);
  if (!timeframe) return refusal(call, "invalid period");
  const auto size = size_of(call, 150, has_borders ? 1000 : 2000);
  const auto from = has_borders ? number(call, "from") : std::nullopt;
  const auto to = has_borders ? number(call, "to") : std::nullopt;
  const auto seconds = [](std::int64_t value) { return Time{std::chrono::seconds{value}}; };
  Time end = call.view.as_of + 1ns;
  if (to) end = std::min(end, seconds(*to) + 1ns);
  const Time start =
      from ? seconds(*from) : end - 2 * length_of(*timeframe) * static_cast<std::int64_t>(size);
  auto rows = rest_rows(call.context.market, call.index, *timeframe, start, end, size,
                        !from.has_value(), call.view);
  std::ranges::reverse(rows);
  return reply_about(call, fmt::format("kline.{}", period), "data", list(rows, candle_text));
}

Reply klines(const Call& call) {
  return candles(call, false);
}
Reply history(const Call& call) {
  return candles(call, true);
}

// The newest orders first, each with its trades.
Reply trades(const Call& call) {
  const auto size = size_of(call, 1, 2000);
  auto newest =
      call.context.market.trades(call.index, call.view.as_of - 24h, call.view.as_of, size, true);
  std::ranges::reverse(newest);
  return reply_about(call, "trade.detail", "data", list(newest, [](const MarketTrade& trade) {
                       return fmt::format(R"({{"id":{},"ts":{},"data":[{}]}})",
                                          trade.aggregate_id + 100'000'000'000, to_ms(trade.time),
                                          trade_text(trade, "trade-id"));
                     }));
}

Reply depth(const Call& call) {
  if (call.request.parameter("type") != "step0") return refusal(call, "invalid type");
  auto levels = book_levels;
  if (const auto wanted = number(call, "depth"))
    levels = static_cast<std::size_t>(std::clamp<std::int64_t>(*wanted, 5, 150));
  const Book book = rest_book(call.context.market, call.index, levels, call.view);
  return reply_about(call, "depth.step0", "tick",
                     fmt::format(R"({{"ts":{},"version":{},"bids":{},"asks":{}}})",
                                 to_ms(call.view.as_of + call.context.faults.settings().skew),
                                 book.sequence, levels_text(book.bids), levels_text(book.asks)));
}

Reply merged(const Call& call) {
  const auto day = day_figures(call.context.market, call.index, call.view.as_of);
  return reply_about(call, "detail.merged", "tick",
                     fmt::format(R"({{"id":{},"version":{},{},"bid":[{},{}],"ask":[{},{}]}})",
                                 day.last_id.value_or(0), day.last_id.value_or(0), day_text(day),
                                 day.bid.price.to_string(), day.bid.size.to_string(),
                                 day.ask.price.to_string(), day.ask.size.to_string()));
}

Reply tickers(const Context& context, const RestView& view) {
  std::string out;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    const auto& symbol = context.market.listings()[i].instrument.exchange_symbol;
    if (context.faults.has_vanished(symbol)) continue;
    const auto day = day_figures(context.market, i, view.as_of);
    if (!out.empty()) out += ',';
    out += fmt::format(R"({{"symbol":"{}",{},"bid":{},"bidSize":{},"ask":{},"askSize":{}}})",
                       symbol, day_text(day), day.bid.price.to_string(), day.bid.size.to_string(),
                       day.ask.price.to_string(), day.ask.size.to_string());
  }
  return json_reply(fmt::format(R"({{"status":"ok","ts":{},"data":[{}]}})",
                                to_ms(view.as_of + context.faults.settings().skew), out));
}

struct Endpoint {
  std::string_view path;
  Reply (*answer)(const Call& call);
};
constexpr std::array<Endpoint, 5> endpoints{{{"/market/history/kline", klines},
                                             {"/market/history/candles", history},
                                             {"/market/history/trade", trades},
                                             {"/market/depth", depth},
                                             {"/market/detail/merged", merged}}};

}  // namespace

Reply answer(const Context& context, const Request& request, const RestView& view) {
  const Time now = view.now + context.faults.settings().skew;
  if (request.path == "/v1/common/timestamp")
    return json_reply(fmt::format(R"({{"status":"ok","data":{}}})", to_ms(now)));
  if (request.path == "/v1/common/symbols") return symbols(context);
  if (request.path == "/market/tickers") return tickers(context, view);
  const auto* endpoint = std::ranges::find(endpoints, request.path, &Endpoint::path);
  if (endpoint == endpoints.end()) return error(404, "not-found", "no such path", now);
  const auto symbol = request.parameter("symbol").value_or("");
  const auto listing = context.market.find(symbol);
  if (!listing || context.faults.has_vanished(symbol))
    return error(200, "invalid-parameter", "invalid symbol", now);
  return endpoint->answer({context, request, view, *listing});
}

}  // namespace candlewick::simulator::htx
