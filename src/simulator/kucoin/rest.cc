// REST under /api/v1 and /api/v2. Refusals have a code in the body.
#include <algorithm>
#include <charconv>

#include "base/json_text.h"
#include "exchange/kucoin/kucoin.h"
#include "simulator/kucoin/kucoin.h"

namespace candlewick::simulator::kucoin {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_candles = 1500;
constexpr std::size_t usual_candles = 100;
constexpr std::size_t most_trades = 100;

Reply json_reply(std::string_view data) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"code":"200000","data":{}}})", data)};
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

std::optional<Time> seconds(const Request& request, std::string_view name) {
  const auto text = request.parameter(name);
  std::int64_t value = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), value).ptr !=
          text->data() + text->size() ||
      value <= 0 || value > 4'000'000'000) {
    return std::nullopt;
  }
  return Time{std::chrono::seconds{value}};
}

std::int64_t told_ms(const Context& context, Time time) {
  return to_ms(time + context.faults.settings().skew);
}

// Where to connect: at the address that was asked.
Reply token_reply(const Request& request) {
  const auto host = request.headers.find("Host");
  return json_reply(
      fmt::format(R"({{"token":"{}","instanceServers":[{{"endpoint":"ws://{}/","encrypt":true,)"
                  R"("protocol":"websocket","pingInterval":{},"pingTimeout":10000}}]}})",
                  token, host ? std::string_view(*host) : "127.0.0.1", ping_interval_ms));
}

std::string symbol_facts(const Instrument& instrument) {
  const auto step = instrument.step_size.value_or(Decimal{1}).to_string();
  const auto tick = instrument.tick_size.value_or(Decimal{1}).to_string();
  return fmt::format(
      R"({{"symbol":"{0}","name":"{0}","baseCurrency":"{1}","quoteCurrency":"{2}",)"
      R"("feeCurrency":"{2}","market":"USDS","baseMinSize":"{3}","quoteMinSize":"0.1",)"
      R"("baseMaxSize":"10000000000","quoteMaxSize":"99999999","baseIncrement":"{3}",)"
      R"("quoteIncrement":"{4}","priceIncrement":"{4}","priceLimitRate":"0.1","minFunds":"0.1",)"
      R"("isMarginEnabled":false,"enableTrading":true,"feeCategory":1,)"
      R"("makerFeeCoefficient":"1.00","takerFeeCoefficient":"1.00","st":false}})",
      instrument.exchange_symbol, instrument.base, instrument.quote, step, tick);
}

Reply symbols(const Context& context) {
  std::vector<const Instrument*> listed;
  for (const auto& listing : context.market.listings()) {
    if (!context.faults.has_vanished(listing.instrument.exchange_symbol))
      listed.push_back(&listing.instrument);
  }
  return json_reply(list_of(listed, [](std::string& out, const Instrument* instrument) {
    out += symbol_facts(*instrument);
  }));
}

// Newest first; both ends count.
Reply candles(const Context& context, const Request& request, const RestView& view,
              std::size_t listing) {
  const auto timeframe = exchange::kucoin::timeframe_of(request.parameter("type").value_or(""));
  if (!timeframe) return error(200, "400100", "Incorrect candlestick type");
  const auto from = seconds(request, "startAt");
  const auto to = seconds(request, "endAt");
  const Time now = view.as_of;
  const Time start = from.value_or(Time{});
  const Time end = std::min(to.value_or(now) + 1s, now + 1ms);
  if (start >= end) return json_reply("[]");
  auto rows = rest_rows(context.market, listing, *timeframe, start, end,
                        from || to ? most_candles : usual_candles, true, view);
  std::ranges::reverse(rows);
  return json_reply(
      list_of(rows, [](std::string& out, const Row& row) { append_candle(out, row); }));
}

Reply histories(const Context& context, const RestView& view, std::size_t listing) {
  const auto trades = context.market.trades(listing, Time{}, view.as_of, most_trades, true);
  return json_reply(list_of(trades, [&](std::string& out, const MarketTrade& trade) {
    out += fmt::format(R"({{"sequence":"{}","price":"{}","size":"{}","side":"{}","time":{}}})",
                       trade.id, trade.price.to_string(), trade.size.to_string(),
                       trade.taker_is_buyer ? "buy" : "sell",
                       told_ms(context, trade.time) * 1'000'000);
  }));
}

Reply depth(const Context& context, const RestView& view, std::size_t listing, std::size_t levels) {
  const Book book = rest_book(context.market, listing, levels, view);
  std::string out = fmt::format(R"({{"time":{},"sequence":"{}","bids":)",
                                told_ms(context, view.as_of), book.sequence);
  append_levels(out, book.bids);
  out += ",\"asks\":";
  append_levels(out, book.asks);
  return json_reply(out + "}");
}

std::string day_members(const Context& context, std::size_t listing, const DayFigures& day) {
  const auto& symbol = context.market.listings()[listing].instrument.exchange_symbol;
  return fmt::format(
      R"("symbol":"{}","buy":"{}","sell":"{}","changeRate":"{}","changePrice":"{}","high":"{}",)"
      R"("low":"{}","vol":"{}","volValue":"{}","last":"{}","averagePrice":"{}",)"
      R"("takerFeeRate":"0.001","makerFeeRate":"0.001","takerCoefficient":"1",)"
      R"("makerCoefficient":"1")",
      symbol, day.bid.price.to_string(), day.ask.price.to_string(), day.change_share().to_fixed(4),
      day.change().to_string(), day.bar.high.to_string(), day.bar.low.to_string(),
      day.bar.volume.to_string(), day.bar.quote_volume.to_string(), day.bar.close.to_string(),
      day.bar.close.to_string());
}

Reply stats(const Context& context, const RestView& view, std::size_t listing) {
  return json_reply(
      fmt::format(R"({{"time":{},{}}})", told_ms(context, view.as_of),
                  day_members(context, listing, day_figures(context.market, listing, view.as_of))));
}

Reply all_tickers(const Context& context, const RestView& view) {
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    if (!context.faults.has_vanished(context.market.listings()[i].instrument.exchange_symbol))
      shown.push_back(i);
  }
  const auto list = list_of(shown, [&](std::string& out, std::size_t i) {
    out += '{' + day_members(context, i, day_figures(context.market, i, view.as_of)) + '}';
  });
  return json_reply(
      fmt::format(R"({{"time":{},"ticker":{}}})", told_ms(context, view.as_of), list));
}

Reply best(const Context& context, const RestView& view, std::size_t listing) {
  std::string out = "{";
  append_best(out, {context.market, context.faults, listing},
              day_figures(context.market, listing, view.as_of));
  return json_reply(out + "}");
}

Reply of_symbol(const Context& context, const Request& request, const RestView& view,
                std::string_view what) {
  constexpr std::array<std::string_view, 6> known{
      "candles",          "histories",           "stats",
      "orderbook/level1", "orderbook/level2_20", "orderbook/level2_100"};
  if (std::ranges::find(known, what) == known.end()) return error(404, "404000", "Url Not Found");
  const auto symbol = request.parameter("symbol");
  if (!symbol) return error(200, "400100", "Param. 'symbol' should not be empty");
  const auto listing = context.market.find(*symbol);
  if (!listing || context.faults.has_vanished(*symbol))
    return error(200, "400100", "This pair is not provided at present");
  if (what == "candles") return candles(context, request, view, *listing);
  if (what == "histories") return histories(context, view, *listing);
  if (what == "stats") return stats(context, view, *listing);
  if (what == "orderbook/level1") return best(context, view, *listing);
  return depth(context, view, *listing, what.ends_with("_20") ? 20 : 100);
}

}  // namespace

void append_candle(std::string& out, const Row& row) {
  const Bar& bar = row.bar;
  out += fmt::format("[\"{}\"", to_ms(row.open_time) / 1000);
  for (const auto& value : {bar.open, bar.close, bar.high, bar.low, bar.volume, bar.quote_volume})
    out += fmt::format(",\"{}\"", value.to_string());
  out += ']';
}

void append_levels(std::string& out, const std::vector<Level>& levels,
                   std::optional<std::uint64_t> number) {
  out += '[';
  for (const auto& level : levels) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"(["{}","{}")", level.price.to_string(), level.size.to_string());
    if (number) out += fmt::format(",\"{}\"", *number);
    out += ']';
  }
  out += ']';
}

void append_best(std::string& out, const Subject& subject, const DayFigures& day) {
  out += fmt::format(
      R"("bestAsk":"{}","bestAskSize":"{}","bestBid":"{}","bestBidSize":"{}","price":"{}",)"
      R"("sequence":"{}","size":"{}","time":{})",
      day.ask.price.to_string(), day.ask.size.to_string(), day.bid.price.to_string(),
      day.bid.size.to_string(), day.bar.close.to_string(), day.last_id.value_or(0),
      day.last_size.to_string(), to_ms(subject.told(day.at)));
}

Reply error(int status, std::string_view code, std::string_view message) {
  Reply reply{.status = status, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  json::Members(reply.body)("code", code)("msg", message).close();
  return reply;
}

Reply answer(const Context& context, const Request& request, const RestView& view) {
  std::string_view path = request.path;
  const auto is_of = [&](std::string_view root) {
    if (!path.starts_with(root)) return false;
    path.remove_prefix(root.size());
    return true;
  };
  if (!is_of("/api/v1/") && !is_of("/api/v2/")) return error(404, "404000", "Url Not Found");
  if (path == "bullet-public") {
    if (request.method != "POST") return error(405, "405000", "Method Not Allowed");
    return token_reply(request);
  }
  if (request.method != "GET") return error(405, "405000", "Method Not Allowed");
  if (path == "timestamp") return json_reply(fmt::format("{}", told_ms(context, view.now)));
  if (path == "status") return json_reply(R"({"status":"open","msg":""})");
  if (path == "symbols") return symbols(context);
  if (is_of("symbols/")) {
    const auto listing = context.market.find(path);
    if (!listing || context.faults.has_vanished(path))
      return error(200, "900001", "symbol not exists");
    return json_reply(symbol_facts(context.market.listings()[*listing].instrument));
  }
  if (path == "market/allTickers") return all_tickers(context, view);
  if (is_of("market/")) return of_symbol(context, request, view, path);
  return error(404, "404000", "Url Not Found");
}

}  // namespace candlewick::simulator::kucoin
