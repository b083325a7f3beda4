// REST under /api/v4. Refusals have a label in the body and a status of 400 or more.
#include <algorithm>
#include <charconv>

#include "base/json_text.h"
#include "exchange/gateio/gateio.h"
#include "simulator/gateio/gateio.h"

namespace candlewick::simulator::gateio {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t most_candles = 1000;
constexpr std::int64_t usual_candles = 100;
constexpr std::int64_t reach_of_candles = 10'000;

Reply json_reply(std::string data) {
  return {
      .status = 200, .headers = {{"Content-Type", "application/json"}}, .body = std::move(data)};
}

// [a,b,c]
template <class Items, class Write>
std::string list_of(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.back() != '[') out += ',';
    write(out, item);
  }
  return out + ']';
}

std::optional<std::int64_t> number(const Request& request, std::string_view name) {
  const auto text = request.parameter(name);
  std::int64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ptr !=
                   text->data() + text->size()) {
    return std::nullopt;
  }
  return value;
}

std::int64_t limit_of(const Request& request, std::int64_t otherwise, std::int64_t most) {
  return std::clamp<std::int64_t>(number(request, "limit").value_or(otherwise), 1, most);
}

std::int64_t told_ms(const Context& context, Time time) {
  return to_ms(time + context.faults.settings().skew);
}

Reply bad_value(std::string_view message) {
  return error(400, "INVALID_PARAM_VALUE", message);
}

Reply unknown_pair(std::string_view symbol) {
  return error(400, "INVALID_CURRENCY_PAIR", fmt::format("unknown currency pair {}", symbol));
}

std::string pair_facts(const Listing& listing) {
  const auto& instrument = listing.instrument;
  return fmt::format(
      R"({{"id":"{}","base":"{}","base_name":"{}","quote":"{}","quote_name":"{}","fee":"0.2",)"
      R"("min_base_amount":"0.00001","min_quote_amount":"1","amount_precision":{},)"
      R"("precision":{},"trade_status":"tradable","sell_start":1516378650,)"
      R"("buy_start":1516378650,"type":"normal"}})",
      instrument.exchange_symbol, instrument.base, instrument.base, instrument.quote,
      instrument.quote, listing.size_digits, listing.price_digits);
}

Reply pairs(const Context& context) {
  std::vector<const Listing*> listed;
  for (const auto& listing : context.market.listings()) {
    if (!context.faults.has_vanished(listing.instrument.exchange_symbol))
      listed.push_back(&listing);
  }
  return json_reply(list_of(
      listed, [](std::string& out, const Listing* listing) { out += pair_facts(*listing); }));
}

// Oldest first; both ends of a range count.
Reply candles(const Context& context, const Request& request, const RestView& view,
              std::size_t listing) {
  const auto timeframe =
      exchange::gateio::timeframe_of(request.parameter("interval").value_or("30m"));
  if (!timeframe) return bad_value("invalid interval");
  const auto from = number(request, "from");
  const auto to = number(request, "to");
  if ((from || to) && from && request.parameter("limit"))
    return bad_value("limit conflicts with from and to");
  const std::int64_t step = length_of(*timeframe) / 1s;
  const Time now = view.as_of;
  const std::int64_t newest = to_ms(now) / 1000;
  const std::int64_t last = std::clamp<std::int64_t>(to.value_or(newest), 0, newest);
  const auto limit = limit_of(request, usual_candles, most_candles);
  const std::int64_t first = std::max<std::int64_t>(from.value_or(last - limit * step + 1), 0);
  if (from && to && (*to - *from) / step >= most_candles)
    return bad_value("Too many data points requested. Maximum 1000 are allowed");
  if (newest - first > reach_of_candles * step)
    return bad_value("Candlestick too long ago. Maximum 10000 points ago are allowed");
  if (first > last) return json_reply("[]");
  const auto rows =
      rest_rows(context.market, listing, *timeframe, Time{std::chrono::seconds{first}},
                Time{std::chrono::seconds{last}} + 1s, most_candles, true, view);
  return json_reply(list_of(rows, [&](std::string& out, const Row& row) {
    const Bar& bar = row.bar;
    out += fmt::format("[\"{}\"", to_ms(row.open_time) / 1000);
    for (const auto& value : {bar.quote_volume, bar.close, bar.high, bar.low, bar.open, bar.volume})
      out += fmt::format(",\"{}\"", value.to_string());
    out += row.end_time <= now ? ",\"true\"]" : ",\"false\"]";
  }));
}

Reply trades(const Context& context, const Request& request, const RestView& view,
             std::size_t listing) {
  auto newest = context.market.trades(listing, Time{}, view.as_of,
                                      static_cast<std::size_t>(limit_of(request, 100, 1000)), true);
  std::ranges::reverse(newest);
  return json_reply(list_of(newest, [&](std::string& out, const MarketTrade& trade) {
    append_trade(out, {context.market, context.faults, listing}, trade, false);
  }));
}

Reply order_book(const Context& context, const Request& request, const RestView& view,
                 std::size_t listing) {
  const auto levels = static_cast<std::size_t>(limit_of(request, 10, 1000));
  const Book book = rest_book(context.market, listing, levels, view);
  std::string out = "{";
  if (request.parameter("with_id") == "true") out += fmt::format("\"id\":{},", book.sequence);
  out += fmt::format(R"("current":{0},"update":{0},"asks":)", told_ms(context, view.as_of));
  append_levels(out, book.asks);
  out += ",\"bids\":";
  append_levels(out, book.bids);
  return json_reply(out + "}");
}

Reply tickers(const Context& context, const RestView& view, std::optional<std::size_t> only) {
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    if (!only || i == *only) wanted.push_back(i);
  }
  return json_reply(list_of(wanted, [&](std::string& out, std::size_t i) {
    const auto day = day_figures(context.market, i, view.as_of);
    out += '{';
    append_ticker(out, {context.market, context.faults, i}, day);
    out += fmt::format(R"(,"lowest_size":"{}","highest_size":"{}"}})", day.ask.size.to_string(),
                       day.bid.size.to_string());
  }));
}

}  // namespace

void append_levels(std::string& out, const std::vector<Level>& levels) {
  out += '[';
  for (const auto& level : levels) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"(["{}","{}"])", level.price.to_string(), level.size.to_string());
  }
  out += ']';
}

void append_ticker(std::string& out, const Subject& subject, const DayFigures& day) {
  const auto percent =
      Decimal::multiply(day.change_share(), Decimal{100}).value_or(Decimal{}).to_fixed(4);
  out += fmt::format(
      R"("currency_pair":"{}","last":"{}","lowest_ask":"{}","highest_bid":"{}",)"
      R"("change_percentage":"{}","base_volume":"{}","quote_volume":"{}","high_24h":"{}",)"
      R"("low_24h":"{}")",
      subject.instrument().exchange_symbol, day.bar.close.to_string(), day.ask.price.to_string(),
      day.bid.price.to_string(), percent, day.bar.volume.to_string(),
      day.bar.quote_volume.to_string(), day.bar.high.to_string(), day.bar.low.to_string());
}

// Ids are numbers in a stream and text in REST.
void append_trade(std::string& out, const Subject& subject, const MarketTrade& trade,
                  bool is_of_stream) {
  const auto told = to_ms(subject.told(trade.time));
  const std::string_view quote = is_of_stream ? "" : "\"";
  out += fmt::format(
      R"({{"id":{0}{1}{0},"create_time":{0}{2}{0},"create_time_ms":"{3}.000","side":"{4}",)"
      R"("currency_pair":"{5}","amount":"{6}","price":"{7}"}})",
      quote, trade.id, told / 1000, told, trade.taker_is_buyer ? "buy" : "sell",
      subject.instrument().exchange_symbol, trade.size.to_string(), trade.price.to_string());
}

Reply error(int status, std::string_view label, std::string_view message) {
  Reply reply{.status = status, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  json::Members(reply.body)("label", label)("message", message).close();
  return reply;
}

Reply answer(const Context& context, const Request& request, const RestView& view) {
  constexpr std::string_view root = "/api/v4/";
  std::string_view path = request.path;
  if (!path.starts_with(root)) return error(404, "NOT_FOUND", "path not found");
  path.remove_prefix(root.size());
  if (request.method != "GET") return error(405, "METHOD_NOT_ALLOWED", "method not allowed");
  if (path == "spot/time")
    return json_reply(fmt::format(R"({{"server_time":{}}})", told_ms(context, view.now)));
  if (path == "spot/currency_pairs") return pairs(context);
  if (path == "margin/currency_pairs") return json_reply("[]");
  const auto find = [&](std::string_view symbol) -> std::optional<std::size_t> {
    if (context.faults.has_vanished(symbol)) return std::nullopt;
    return context.market.find(symbol);
  };
  constexpr std::string_view of_one = "spot/currency_pairs/";
  if (path.starts_with(of_one)) {
    path.remove_prefix(of_one.size());
    const auto listing = find(path);
    if (!listing) return unknown_pair(path);
    return json_reply(pair_facts(context.market.listings()[*listing]));
  }
  const auto symbol = request.parameter("currency_pair");
  if (path == "spot/tickers" && !symbol) return tickers(context, view, std::nullopt);
  const bool is_known = path == "spot/tickers" || path == "spot/candlesticks" ||
                        path == "spot/trades" || path == "spot/order_book";
  if (!is_known) return error(404, "NOT_FOUND", "path not found");
  if (!symbol)
    return error(400, "MISSING_REQUIRED_PARAM", "Missing required parameter: currency_pair");
  const auto listing = find(*symbol);
  if (!listing) return unknown_pair(*symbol);
  if (path == "spot/tickers") return tickers(context, view, listing);
  if (path == "spot/candlesticks") return candles(context, request, view, *listing);
  if (path == "spot/trades") return trades(context, request, view, *listing);
  return order_book(context, request, view, *listing);
}

}  // namespace candlewick::simulator::gateio
