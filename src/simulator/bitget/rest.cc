// REST under /api/v2. Refusals have a code in the body, and HTTP 400.
#include <algorithm>
#include <charconv>

#include "base/json_text.h"
#include "exchange/bitget/bitget.h"
#include "exchange/bitget/symbols.h"
#include "simulator/bitget/bitget.h"

namespace candlewick::simulator::bitget {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest_recent = 24h * 30;

Reply json_reply(const RestView& view, std::string_view data) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"code":"00000","msg":"success","requestTime":{},"data":{}}})",
                              to_ms(view.now), data)};
}

// [a,b,c]
template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    write(out, item);
  }
  return out + "]";
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

std::size_t limit_of(const Request& request, std::int64_t otherwise, std::int64_t most) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(number(request, "limit").value_or(otherwise), 1, most));
}

Reply no_such_symbol() {
  return error(400, "40034", "Parameter does not exist");
}

std::string their_name(std::string_view asset) {
  return exchange::asset_of_venue(exchange::bitget::asset_names, asset);
}

Reply symbols(const Context& context, const Request& request, const RestView& view) {
  const auto wanted = request.parameter("symbol");
  std::vector<std::size_t> listed;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    const auto& symbol = context.market.listings()[i].instrument.exchange_symbol;
    if (context.faults.has_vanished(symbol)) continue;
    if (!wanted || *wanted == symbol) listed.push_back(i);
  }
  if (wanted && listed.empty()) return no_such_symbol();
  return json_reply(
      view, list(listed, [&](std::string& out, std::size_t i) {
        const auto& listing = context.market.listings()[i];
        const auto& instrument = listing.instrument;
        // Of a market that was there before it is known nobody can tell.
        const auto opened = context.market.is_young()
                                ? std::to_string(to_ms(context.market.known_from(i)))
                                : std::string{};
        out += fmt::format(
            R"({{"symbol":"{}","baseCoin":"{}","quoteCoin":"{}","minTradeAmount":"0",)"
            R"("maxTradeAmount":"900000000000000000000","takerFeeRate":"0.002",)"
            R"("makerFeeRate":"0.002","pricePrecision":"{}","quantityPrecision":"{}",)"
            R"("quotePrecision":"8","status":"online","minTradeUSDT":"1",)"
            R"("buyLimitPriceRatio":"0.05","sellLimitPriceRatio":"0.05",)"
            R"("areaSymbol":"no","orderQuantity":"200","openTime":"{}","offTime":""}})",
            instrument.exchange_symbol, their_name(instrument.base), their_name(instrument.quote),
            listing.price_digits, listing.size_digits, opened);
      }));
}

// Oldest first, those right before the end. The path of history takes no start.
Reply candles(const Context& context, const Request& request, const RestView& view,
              std::size_t listing, bool is_history) {
  const auto timeframe =
      exchange::bitget::timeframe_of_granularity(request.parameter("granularity").value_or(""));
  if (!timeframe) return error(400, "400171", "Parameter verification failed granularity");
  const Time now = view.as_of;
  const auto end_text = number(request, "endTime");
  const auto start_text = number(request, "startTime");
  if (is_history && !end_text) return error(400, "400172", "Parameter verification failed endTime");
  const auto limit = limit_of(request, 100, is_history ? 200 : 1000);
  const Time end = end_text ? std::min(time_from_ms(*end_text), now + 1ms) : now + 1ms;
  Time start{};
  if (!is_history) {
    start = now - longest_recent;
    if (start_text) start = std::max(start, time_from_ms(*start_text));
  }
  if (start >= end) return json_reply(view, "[]");
  const auto rows = rest_rows(context.market, listing, *timeframe, start, end, limit, true, view);
  return json_reply(view,
                    list(rows, [](std::string& out, const Row& row) { append_candle(out, row); }));
}

Reply trades(const Context& context, const Request& request, const RestView& view,
             std::size_t listing, std::int64_t most) {
  auto newest =
      context.market.trades(listing, Time{}, view.as_of,
                            limit_of(request, std::min<std::int64_t>(most, 500), most), true);
  std::ranges::reverse(newest);
  const Subject subject{context.market, context.faults, listing};
  return json_reply(view, list(newest, [&](std::string& out, const MarketTrade& trade) {
                      append_trade(out, subject, trade, false);
                    }));
}

Reply orderbook(const Context& context, const Request& request, const RestView& view,
                std::size_t index) {
  const auto& listing = context.market.listings()[index];
  const Book book = rest_book(context.market, index, limit_of(request, 150, 150), view);
  std::string out = "{\"asks\":";
  append_levels(out, listing, book.asks);
  out += ",\"bids\":";
  append_levels(out, listing, book.bids);
  return json_reply(view, fmt::format(R"({},"ts":"{}"}})", out,
                                      to_ms(view.as_of + context.faults.settings().skew)));
}

Reply tickers(const Context& context, const RestView& view, std::optional<std::size_t> one) {
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    const auto& symbol = context.market.listings()[i].instrument.exchange_symbol;
    if (one ? i == *one : !context.faults.has_vanished(symbol)) wanted.push_back(i);
  }
  return json_reply(view, list(wanted, [&](std::string& out, std::size_t i) {
                      append_ticker(out, {context.market, context.faults, i},
                                    day_figures(context.market, i, view.as_of), false);
                    }));
}

}  // namespace

void append_levels(std::string& out, const Listing& listing, const std::vector<Level>& levels) {
  out += '[';
  for (const auto& level : levels) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"(["{}","{}"])", level.price.to_fixed(listing.price_digits),
                       level.size.is_zero() ? "0" : level.size.to_fixed(listing.size_digits));
  }
  out += ']';
}

void append_candle(std::string& out, const Row& row) {
  const Bar& bar = row.bar;
  out += fmt::format("[\"{}\"", to_ms(row.open_time));
  for (const auto& value :
       {bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.quote_volume}) {
    out += fmt::format(",\"{}\"", value.to_string());
  }
  out += ']';
}

void append_trade(std::string& out, const Subject& subject, const MarketTrade& trade,
                  bool is_stream) {
  out += '{';
  if (!is_stream) out += fmt::format(R"("symbol":"{}",)", subject.instrument().exchange_symbol);
  out += fmt::format(R"("tradeId":"{}","side":"{}","price":"{}","size":"{}","ts":"{}"}})", trade.id,
                     trade.taker_is_buyer ? "buy" : "sell", trade.price.to_string(),
                     trade.size.to_string(), to_ms(subject.told(trade.time)));
}

void append_ticker(std::string& out, const Subject& subject, const DayFigures& day,
                   bool is_stream) {
  const auto share = day.change_share().to_fixed(5);
  out += fmt::format(
      R"({{"{}":"{}","lastPr":"{}","{}":"{}","high24h":"{}","low24h":"{}","change24h":"{}",)"
      R"("bidPr":"{}","askPr":"{}","bidSz":"{}","askSz":"{}","baseVolume":"{}","quoteVolume":"{}",)"
      R"("openUtc":"{}","changeUtc24h":"{}","ts":"{}"}})",
      is_stream ? "instId" : "symbol", subject.instrument().exchange_symbol,
      day.bar.close.to_string(), is_stream ? "open24h" : "open", day.bar.open.to_string(),
      day.bar.high.to_string(), day.bar.low.to_string(), share, day.bid.price.to_string(),
      day.ask.price.to_string(), day.bid.size.to_string(), day.ask.size.to_string(),
      day.bar.volume.to_string(), day.bar.quote_volume.to_string(), day.bar.open.to_string(), share,
      to_ms(subject.told(day.at)));
}

Reply error(int status, std::string_view code, std::string_view message) {
  Reply reply{.status = status, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  json::Members(reply.body)("code", code)("msg", message).raw("data", "null").close();
  return reply;
}

Reply answer(const Context& context, const Request& request, const RestView& view) {
  constexpr std::string_view root = "/api/v2/";
  std::string_view path = request.path;
  const auto no_such_path = [] { return error(404, "40404", "Request URL NOT FOUND"); };
  if (!path.starts_with(root) || request.method != "GET") return no_such_path();
  path.remove_prefix(root.size());
  if (path == "public/time") {
    return json_reply(view, fmt::format(R"({{"serverTime":"{}"}})",
                                        to_ms(view.now + context.faults.settings().skew)));
  }
  if (path == "spot/public/symbols") return symbols(context, request, view);
  // Which coins can be borrowed, which clients ask for with the symbols: none.
  if (path == "margin/currencies") return json_reply(view, "[]");
  if (!path.starts_with("spot/market/")) return no_such_path();
  path.remove_prefix(12);
  const auto symbol = request.parameter("symbol");
  if (path == "tickers" && !symbol) return tickers(context, view, std::nullopt);
  if (!symbol) return error(400, "400172", "Parameter verification failed symbol");
  const auto listing = context.market.find(*symbol);
  if (!listing || context.faults.has_vanished(*symbol)) return no_such_symbol();
  if (path == "tickers") return tickers(context, view, listing);
  if (path == "orderbook") return orderbook(context, request, view, *listing);
  if (path == "fills") return trades(context, request, view, *listing, 500);
  if (path == "fills-history") return trades(context, request, view, *listing, 1000);
  if (path == "candles") return candles(context, request, view, *listing, false);
  if (path == "history-candles") return candles(context, request, view, *listing, true);
  return no_such_path();
}

}  // namespace candlewick::simulator::bitget
