// REST under /v5/market. Refusals come with HTTP status 200 and a code in the body.
#include <algorithm>
#include <charconv>

#include "base/json_text.h"
#include "exchange/bybit/bybit.h"
#include "simulator/bybit/bybit.h"

namespace candlewick::simulator::bybit {
namespace {

using namespace std::chrono_literals;

Reply json_reply(std::string_view result, Time now) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}},
          .body = fmt::format(
              R"({{"retCode":0,"retMsg":"OK","result":{},"retExtInfo":{{}},"time":{}}})", result,
              to_ms(now))};
}

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

struct Call {
  const Context& context;
  const Request& request;
  const RestView& view;

  Market& market() const { return context.market; }
  Time told() const { return view.now + context.faults.settings().skew; }
  std::size_t limit(std::int64_t otherwise, std::int64_t most) const {
    return static_cast<std::size_t>(
        std::clamp<std::int64_t>(number(request, "limit").value_or(otherwise), 1, most));
  }
  const std::string& symbol(std::size_t listing) const {
    return context.market.listings()[listing].instrument.exchange_symbol;
  }
};

Reply server_time(const Call& call) {
  const auto nanoseconds = call.told().time_since_epoch().count();
  return json_reply(fmt::format(R"({{"timeSecond":"{}","timeNano":"{}"}})",
                                nanoseconds / 1'000'000'000, nanoseconds),
                    call.told());
}

Reply instruments(const Call& call, std::optional<std::size_t> wanted) {
  std::vector<const Instrument*> listed;
  for (std::size_t i = 0; i < call.market().listings().size(); ++i) {
    const auto& instrument = call.market().listings()[i].instrument;
    const bool is_gone = call.context.faults.has_vanished(instrument.exchange_symbol);
    if (!is_gone && (!wanted || *wanted == i)) listed.push_back(&instrument);
  }
  const auto rows = list(listed, [](std::string& out, const Instrument* instrument) {
    out += fmt::format(
        R"({{"symbol":"{}","baseCoin":"{}","quoteCoin":"{}","innovation":"0","status":"Trading",)"
        R"("marginTrading":"none","stTag":"0","lotSizeFilter":{{"basePrecision":"{}",)"
        R"("quotePrecision":"0.00000001","minOrderQty":"{}","maxOrderQty":"9000000",)"
        R"("minOrderAmt":"1","maxOrderAmt":"8000000"}},"priceFilter":{{"tickSize":"{}"}}}})",
        instrument->exchange_symbol, instrument->base, instrument->quote,
        instrument->step_size.value_or(Decimal{1}).to_string(),
        instrument->step_size.value_or(Decimal{1}).to_string(),
        instrument->tick_size.value_or(Decimal{1}).to_string());
  });
  return json_reply(fmt::format(R"({{"category":"spot","list":{}}})", rows), call.told());
}

// Both ends are inclusive, and compared with open times. Of a range, the newest rows come; of one
// with only a start, the oldest. Newest first.
Reply kline(const Call& call, std::size_t listing) {
  const auto timeframe =
      exchange::bybit::timeframe_of(call.request.parameter("interval").value_or(""));
  if (!timeframe) return error(200, 10001, "Invalid period!", call.told());
  const auto start = number(call.request, "start");
  const auto end = number(call.request, "end");
  const Time now = call.view.as_of;
  const Time stop = end ? std::min(time_from_ms(*end), now) + 1ms : now + 1ms;
  const Time first = start ? time_from_ms(*start) : Time{};
  const bool is_newest = !start || end;
  auto rows = first >= stop ? std::vector<Row>{}
                            : rest_rows(call.market(), listing, *timeframe, first, stop,
                                        call.limit(200, 1000), is_newest, call.view);
  std::ranges::reverse(rows);
  const auto text = list(rows, [](std::string& out, const Row& row) {
    const Bar& bar = row.bar;
    out += fmt::format(R"(["{}","{}","{}","{}","{}","{}","{}"])", to_ms(row.open_time),
                       bar.open.to_string(), bar.high.to_string(), bar.low.to_string(),
                       bar.close.to_string(), bar.volume.to_string(), bar.quote_volume.to_string());
  });
  return json_reply(
      fmt::format(R"({{"category":"spot","symbol":"{}","list":{}}})", call.symbol(listing), text),
      call.told());
}

Reply orderbook(const Call& call, std::size_t listing) {
  const Book book = rest_book(call.market(), listing, call.limit(1, 1000), call.view);
  std::string out = fmt::format(R"({{"s":"{}","b":)", call.symbol(listing));
  append_levels(out, book.bids);
  out += ",\"a\":";
  append_levels(out, book.asks);
  const auto at = to_ms(call.view.as_of + call.context.faults.settings().skew);
  out +=
      fmt::format(R"(,"ts":{},"u":{},"seq":{},"cts":{}}})", at, book.sequence, book.sequence, at);
  return json_reply(out, call.told());
}

Reply tickers(const Call& call, std::optional<std::size_t> wanted) {
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < call.market().listings().size(); ++i) {
    if (!wanted || *wanted == i) asked.push_back(i);
  }
  const auto rows = list(asked, [&](std::string& out, std::size_t i) {
    const auto day = day_figures(call.market(), i, call.view.as_of);
    out += fmt::format(
        R"({{"symbol":"{}","bid1Price":"{}","bid1Size":"{}","ask1Price":"{}","ask1Size":"{}",)",
        call.symbol(i), day.bid.price.to_string(), day.bid.size.to_string(),
        day.ask.price.to_string(), day.ask.size.to_string());
    append_day(out, day);
    out += '}';
  });
  return json_reply(fmt::format(R"({{"category":"spot","list":{}}})", rows), call.told());
}

Reply recent_trades(const Call& call, std::size_t listing) {
  auto newest = call.market().trades(listing, Time{}, call.view.as_of, call.limit(60, 60), true);
  std::ranges::reverse(newest);
  const auto rows = list(newest, [&](std::string& out, const MarketTrade& trade) {
    out += fmt::format(
        R"({{"execId":"{}","symbol":"{}","price":"{}","size":"{}","side":"{}","time":"{}",)"
        R"("isBlockTrade":false,"isRPITrade":false}})",
        trade.id, call.symbol(listing), trade.price.to_string(), trade.size.to_string(),
        trade.taker_is_buyer ? "Buy" : "Sell",
        to_ms(trade.time + call.context.faults.settings().skew));
  });
  return json_reply(fmt::format(R"({{"category":"spot","list":{}}})", rows), call.told());
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

void append_day(std::string& out, const DayFigures& day) {
  out += fmt::format(
      R"("lastPrice":"{}","highPrice24h":"{}","lowPrice24h":"{}","prevPrice24h":"{}",)"
      R"("volume24h":"{}","turnover24h":"{}","price24hPcnt":"{}","usdIndexPrice":"{}")",
      day.bar.close.to_string(), day.bar.high.to_string(), day.bar.low.to_string(),
      day.bar.open.to_string(), day.bar.volume.to_string(), day.bar.quote_volume.to_string(),
      day.change_share().to_fixed(4), day.bar.close.to_string());
}

Reply error(int status, int code, std::string_view message, Time now) {
  Reply reply{.status = status,
              .headers = {{"Content-Type", "application/json; charset=utf-8"}},
              .body = {}};
  json::Members members(reply.body);
  members("retCode", code)("retMsg", message).raw("result", "{}").raw("retExtInfo", "{}");
  members("time", to_ms(now)).close();
  return reply;
}

Reply answer(const Context& context, const Request& request, const RestView& view) {
  const Call call{context, request, view};
  constexpr std::string_view root = "/v5/market/";
  std::string_view path = request.path;
  if (!path.starts_with(root) || request.method != "GET")
    return {.status = 404, .headers = {}, .body = "404 page not found"};
  path.remove_prefix(root.size());
  if (path == "time") return server_time(call);
  if (request.parameter("category") != "spot")
    return error(200, 10001, "Illegal category", call.told());
  const auto symbol = request.parameter("symbol");
  const auto listing = symbol ? context.market.find(*symbol) : std::nullopt;
  if (symbol && (!listing || context.faults.has_vanished(*symbol)))
    return error(200, 10001, "Not supported symbols", call.told());
  if (path == "instruments-info") return instruments(call, listing);
  if (path == "tickers") return tickers(call, listing);
  if (!listing) return error(200, 10001, "params error: symbol is missing", call.told());
  if (path == "kline") return kline(call, *listing);
  if (path == "orderbook") return orderbook(call, *listing);
  if (path == "recent-trade") return recent_trades(call, *listing);
  return {.status = 404, .headers = {}, .body = "404 page not found"};
}

}  // namespace candlewick::simulator::bybit
