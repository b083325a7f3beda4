// REST under /api/v2/.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/bitstamp/bitstamp.h"
#include "simulator/bitstamp/bitstamp.h"

namespace candlewick::simulator::bitstamp {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t most_candles = 1000;
constexpr std::size_t all_levels = 5000;

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
  return {
      .status = 200, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
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

Reply markets(const Context& context) {
  std::string out = "[";
  for (const auto& listing : context.market.listings()) {
    const auto& instrument = listing.instrument;
    if (context.faults.has_vanished(instrument.exchange_symbol)) continue;
    if (out.size() > 1) out += ',';
    out += fmt::format(
        R"({{"name":"{}/{}","market_symbol":"{}","base_currency":"{}","base_decimals":{},"counter_currency":"{}","counter_decimals":{},"minimum_order_value":"10","trading":"Enabled","instant_order_counter_decimals":2,"instant_and_market_orders":"Enabled","description":"{} / {}","market_type":"SPOT"}})",
        instrument.base, instrument.quote, instrument.exchange_symbol, instrument.base,
        listing.size_digits, instrument.quote, listing.price_digits, instrument.base,
        instrument.quote);
  }
  return json_reply(out + "]");
}

// From a time on, or up to now.
Reply candles(const Call& call) {
  const auto timeframe =
      exchange::bitstamp::timeframe_of_seconds(call.request.parameter("step").value_or(""));
  if (!timeframe) return error(400, "Invalid step parameter");
  const auto limit = number(call, "limit");
  if (!limit || *limit < 1 || *limit > most_candles)
    return error(400, "Limit must be between 1 and 1000");
  const auto seconds = [](std::int64_t value) { return Time{std::chrono::seconds{value}}; };
  const auto start = number(call, "start");
  Time end = call.view.as_of + 1ns;
  if (const auto last = number(call, "end")) end = std::min(end, seconds(*last) + 1ns);
  const Time from = start ? seconds(*start) : end - 5 * *limit * length_of(*timeframe);
  const auto rows = rest_rows(call.context.market, call.index, *timeframe, from, end,
                              static_cast<std::size_t>(*limit), !start.has_value(), call.view);
  std::string out;
  for (const auto& row : rows) {
    const Bar& bar = row.bar;
    if (!out.empty()) out += ',';
    out += fmt::format(
        R"({{"timestamp":"{}","open":"{}","high":"{}","low":"{}","close":"{}","volume":"{}"}})",
        to_ms(row.open_time) / 1000, call.price(bar.open), call.price(bar.high),
        call.price(bar.low), call.price(bar.close), size_text(bar.volume));
  }
  const auto& instrument = call.listing().instrument;
  return json_reply(fmt::format(R"({{"data":{{"pair":"{}/{}","ohlc":[{}]}}}})", instrument.base,
                                instrument.quote, out));
}

Reply book(const Call& call) {
  const Book shown = rest_book(call.context.market, call.index, all_levels, call.view);
  return json_reply(
      "{" + book_text(call.listing(), shown.bids, shown.asks, call.told(call.view.as_of)) + "}");
}

// Of the last minute, hour or day, the newest first.
Reply transactions(const Call& call) {
  const auto span = call.request.parameter("time").value_or("hour");
  const Duration length = span == "minute" ? Duration{1min} : span == "day" ? Duration{24h} : 1h;
  const Time now = call.view.as_of;
  const auto trades = call.context.market.trades(call.index, now - length, now, 100'000, true);
  std::string out = "[";
  for (auto trade = trades.rbegin(); trade != trades.rend(); ++trade) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"date":"{}","tid":"{}","price":"{}","type":"{}","amount":"{}"}})",
                       to_ms(trade->time) / 1000, trade->id, call.price(trade->price),
                       trade->taker_is_buyer ? 0 : 1, size_text(trade->size));
  }
  return json_reply(out + "]");
}

// No brackets.
std::string ticker_members(const Call& call) {
  const auto day = day_figures(call.context.market, call.index, call.view.as_of);
  const Bar& bar = day.bar;
  const auto mean = Decimal::divide(bar.quote_volume, bar.volume).value_or(bar.close);
  const auto percent = Decimal::multiply(day.change_share(), Decimal{100}).value_or(Decimal{});
  return fmt::format(
      R"("timestamp":"{}","open":"{}","high":"{}","low":"{}","last":"{}","volume":"{}","vwap":"{}","bid":"{}","ask":"{}","side":"0","open_24":"{}","percent_change_24":"{}")",
      to_ms(call.told(call.view.now)) / 1000, call.price(bar.open), call.price(bar.high),
      call.price(bar.low), call.price(bar.close), size_text(bar.volume), call.price(mean),
      call.price(day.bid.price), call.price(day.ask.price), call.price(bar.open),
      percent.to_fixed(2));
}

Reply ticker(const Call& call) {
  return json_reply("{" + ticker_members(call) + "}");
}

Reply all_tickers(const Context& context, const Request& request, const RestView& view) {
  std::string out = "[";
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    const auto& instrument = context.market.listings()[i].instrument;
    if (context.faults.has_vanished(instrument.exchange_symbol)) continue;
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{{},"pair":"{}/{}"}})", ticker_members({context, request, view, i}),
                       instrument.base, instrument.quote);
  }
  return json_reply(out + "]");
}

struct Endpoint {
  std::string_view name;
  Reply (*answer)(const Call& call);
};
// The figures of the last hour are those of the day here.
constexpr std::array<Endpoint, 5> endpoints{{{"ohlc", candles},
                                             {"order_book", book},
                                             {"transactions", transactions},
                                             {"ticker", ticker},
                                             {"ticker_hour", ticker}}};

}  // namespace

Reply answer(const Context& context, const Request& request, const RestView& view) {
  constexpr std::string_view root = "/api/v2/";
  std::string_view path = request.path;
  if (!path.starts_with(root)) return error(404, "Not found");
  path.remove_prefix(root.size());
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path == "markets") return markets(context);
  if (path == "ticker") return all_tickers(context, request, view);
  const auto slash = std::min(path.find('/'), path.size());
  const auto* endpoint = std::ranges::find(endpoints, path.substr(0, slash), &Endpoint::name);
  if (endpoint == endpoints.end()) return error(404, "Not found");
  const auto symbol = path.substr(std::min(slash + 1, path.size()));
  const auto listing = context.market.find(symbol);
  if (listing && !context.faults.has_vanished(symbol))
    return endpoint->answer({context, request, view, *listing});
  // The venue always lists this pair, and is asked for the time by it.
  if (endpoint->name == "ticker_hour" && symbol == "btcusd")
    return endpoint->answer({context, request, view, 0});
  return error(404, "Unknown pair");
}

}  // namespace candlewick::simulator::bitstamp
