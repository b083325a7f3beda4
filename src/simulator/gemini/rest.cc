// REST. A symbol is the last part of the path, or the one before a candle's length; refusals name a
// reason.
#include <algorithm>
#include <charconv>

#include "base/json_text.h"
#include "exchange/gemini/gemini.h"
#include "exchange/reading.h"
#include "simulator/gemini/gemini.h"

namespace candlewick::simulator::gemini {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t candles_served = 1440;

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

std::size_t limit_of(const Request& request, std::string_view name, std::size_t otherwise,
                     std::size_t most) {
  const auto text = request.parameter(name);
  std::size_t value = 0;
  const bool is_number =
      text && std::from_chars(text->data(), text->data() + text->size(), value).ptr ==
                  text->data() + text->size();
  // Zero means all there are.
  if (!is_number) return otherwise;
  return value == 0 ? most : std::min(value, most);
}

std::int64_t told_ms(const Context& context, Time time) {
  return to_ms(time + context.faults.settings().skew);
}

Reply symbols(const Context& context) {
  std::vector<std::string> names;
  for (const auto& listing : context.market.listings()) {
    const auto& symbol = listing.instrument.exchange_symbol;
    if (!context.faults.has_vanished(symbol)) names.push_back(exchange::lower(symbol));
  }
  return json_reply(list_of(
      names, [](std::string& out, const std::string& name) { json::append_string(out, name); }));
}

Reply details(const Listing& listing) {
  const auto& instrument = listing.instrument;
  const auto step = instrument.step_size.value_or(Decimal{1}).to_string();
  return json_reply(fmt::format(
      R"({{"symbol":"{}","base_currency":"{}","quote_currency":"{}","tick_size":{},)"
      R"("quote_increment":{},"min_order_size":"{}","status":"open","wrap_enabled":false,)"
      R"("product_type":"spot"}})",
      instrument.exchange_symbol, instrument.base, instrument.quote, step,
      instrument.tick_size.value_or(Decimal{1}).to_string(), step));
}

// The newest ones, newest first.
Reply candles(const Context& context, const RestView& view, std::size_t listing,
              std::string_view length) {
  const auto timeframe = exchange::gemini::timeframe_of(length);
  if (!timeframe || exchange::gemini::rest_name_of(*timeframe) != length)
    return error(400, "InvalidTimeFrame", "Invalid time frame");
  auto rows = rest_rows(context.market, listing, *timeframe, Time{}, view.as_of + 1ms,
                        candles_served, true, view);
  std::ranges::reverse(rows);
  return json_reply(
      list_of(rows, [](std::string& out, const Row& row) { append_candle(out, row); }));
}

Reply trades(const Context& context, const Request& request, const RestView& view,
             std::size_t listing) {
  auto newest = context.market.trades(listing, Time{}, view.as_of,
                                      limit_of(request, "limit_trades", 50, 500), true);
  std::ranges::reverse(newest);
  return json_reply(list_of(newest, [&](std::string& out, const MarketTrade& trade) {
    const auto told = told_ms(context, trade.time);
    out += fmt::format(R"({{"timestamp":{},"timestampms":{},"tid":{},"price":"{}","amount":"{}",)"
                       R"("exchange":"gemini","type":"{}"}})",
                       told / 1000, told, trade.id, trade.price.to_string(), trade.size.to_string(),
                       trade.taker_is_buyer ? "buy" : "sell");
  }));
}

Reply book(const Context& context, const Request& request, const RestView& view,
           std::size_t listing) {
  const auto bids = limit_of(request, "limit_bids", 50, 1000);
  const auto asks = limit_of(request, "limit_asks", 50, 1000);
  Book whole = rest_book(context.market, listing, std::max(bids, asks), view);
  whole.bids.resize(std::min(whole.bids.size(), bids));
  whole.asks.resize(std::min(whole.asks.size(), asks));
  const auto told = told_ms(context, view.as_of) / 1000;
  const auto side = [&](const std::vector<Level>& levels) {
    return list_of(levels, [&](std::string& out, const Level& level) {
      out += fmt::format(R"({{"price":"{}","amount":"{}","timestamp":"{}"}})",
                         level.price.to_string(), level.size.to_string(), told);
    });
  };
  return json_reply(fmt::format(R"({{"bids":{},"asks":{}}})", side(whole.bids), side(whole.asks)));
}

Reply ticker(const Context& context, const RestView& view, std::size_t listing, bool is_newer) {
  const auto day = day_figures(context.market, listing, view.as_of);
  const auto& instrument = context.market.listings()[listing].instrument;
  if (is_newer) {
    return json_reply(fmt::format(
        R"({{"symbol":"{}","open":"{}","high":"{}","low":"{}","close":"{}","changes":[],)"
        R"("bid":"{}","ask":"{}"}})",
        instrument.exchange_symbol, day.bar.open.to_string(), day.bar.high.to_string(),
        day.bar.low.to_string(), day.bar.close.to_string(), day.bid.price.to_string(),
        day.ask.price.to_string()));
  }
  return json_reply(fmt::format(
      R"({{"bid":"{}","ask":"{}","volume":{{"{}":"{}","{}":"{}","timestamp":{}}},"last":"{}"}})",
      day.bid.price.to_string(), day.ask.price.to_string(), instrument.base,
      day.bar.volume.to_string(), instrument.quote, day.bar.quote_volume.to_string(),
      told_ms(context, view.as_of), day.bar.close.to_string()));
}

}  // namespace

void append_candle(std::string& out, const Row& row) {
  const Bar& bar = row.bar;
  out += fmt::format("[{}", to_ms(row.open_time));
  for (const auto& value : {bar.open, bar.high, bar.low, bar.close, bar.volume})
    out += "," + value.to_string();
  out += ']';
}

Reply error(int status, std::string_view reason, std::string_view message) {
  Reply reply{.status = status, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  json::Members(reply.body)("result", "error")("reason", reason)("message", message).close();
  return reply;
}

Reply answer(const Context& context, const Request& request, const RestView& view) {
  std::string_view path = request.path;
  const auto is_of = [&](std::string_view root) {
    if (!path.starts_with(root)) return false;
    path.remove_prefix(root.size());
    return true;
  };
  const auto not_found = [] {
    return error(404, "EndpointNotFound", "API entry point was not found");
  };
  if (request.method != "GET") return not_found();
  if (path == "/v1/symbols") return symbols(context);
  enum class What : unsigned char { none, details, candles, trades, book, ticker, newer_ticker };
  const What what = is_of("/v1/symbols/details/") ? What::details
                    : is_of("/v2/candles/")       ? What::candles
                    : is_of("/v1/trades/")        ? What::trades
                    : is_of("/v1/book/")          ? What::book
                    : is_of("/v1/pubticker/")     ? What::ticker
                    : is_of("/v2/ticker/")        ? What::newer_ticker
                                                  : What::none;
  if (what == What::none) return not_found();
  const auto slash = path.find('/');
  const auto symbol = exchange::upper(path.substr(0, slash));
  const auto listing = context.market.find(symbol);
  if (!listing || context.faults.has_vanished(symbol)) {
    return error(400, "InvalidSymbol",
                 fmt::format("Supplied value '{}' is not a valid symbol", path.substr(0, slash)));
  }
  const auto rest = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  switch (what) {
    case What::details:
      return details(context.market.listings()[*listing]);
    case What::candles:
      return candles(context, view, *listing, rest);
    case What::trades:
      return trades(context, request, view, *listing);
    case What::book:
      return book(context, request, view, *listing);
    case What::ticker:
    case What::newer_ticker:
      return ticker(context, view, *listing, what == What::newer_ticker);
    case What::none:
      break;
  }
  return not_found();
}

}  // namespace candlewick::simulator::gemini
