// REST under /api/v5. Refusals have a code in the body, whatever the HTTP status.
#include <algorithm>
#include <charconv>

#include "base/json_text.h"
#include "exchange/okx/okx.h"
#include "simulator/okx/okx.h"

namespace candlewick::simulator::okx {
namespace {

using namespace std::chrono_literals;

constexpr int most_recent_candles = 1440;

Reply json_reply(std::string data) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json"}},
          .body = R"({"code":"0","msg":"","data":[)" + data + "]}"};
}

// [a,b,c] without the brackets.
template <class Items, class Write>
std::string joined(const Items& items, Write write) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += ',';
    write(out, item);
  }
  return out;
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

std::size_t limit_of(const Request& request, std::string_view name, std::int64_t otherwise,
                     std::int64_t most) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(number(request, name).value_or(otherwise), 1, most));
}

Reply server_time(const Context& context, const RestView& view) {
  std::string out = "{\"ts\":";
  append_time(out, view.now + context.faults.settings().skew);
  return json_reply(out + "}");
}

Reply instruments(const Context& context, const Request& request) {
  if (request.parameter("instType") != "SPOT") return json_reply("");
  const auto wanted = request.parameter("instId");
  std::vector<const Instrument*> listed;
  for (const auto& listing : context.market.listings()) {
    const auto& instrument = listing.instrument;
    if (context.faults.has_vanished(instrument.exchange_symbol)) continue;
    if (!wanted || *wanted == instrument.exchange_symbol) listed.push_back(&instrument);
  }
  if (wanted && listed.empty())
    return error(200, "51001", "Instrument ID or Spread ID doesn't exist.");
  return json_reply(joined(listed, [](std::string& out, const Instrument* instrument) {
    const auto step = instrument->step_size.value_or(Decimal{1}).to_string();
    out += fmt::format(
        R"({{"alias":"","baseCcy":"{}","category":"1","ctMult":"","ctType":"","ctVal":"",)"
        R"("ctValCcy":"","expTime":"","instFamily":"","instId":"{}","instType":"SPOT","lever":"",)"
        R"("listTime":"1548133413000","lotSz":"{}","maxMktSz":"1000000","minSz":"{}","optType":"",)"
        R"("quoteCcy":"{}","ruleType":"normal","settleCcy":"","state":"live","stk":"",)"
        R"("tickSz":"{}","uly":""}})",
        instrument->base, instrument->exchange_symbol, step, step, instrument->quote,
        instrument->tick_size.value_or(Decimal{1}).to_string());
  }));
}

// Newest first. `history` has closed candles only, the other one the newest 1440.
Reply candles(const Context& context, const Request& request, const RestView& view,
              std::size_t listing, bool is_history) {
  const auto timeframe = exchange::okx::timeframe_of(request.parameter("bar").value_or("1m"));
  if (!timeframe) return error(200, "51000", "Parameter bar error");
  const auto limit = limit_of(request, "limit", 100, 300);
  const auto before = number(request, "before");  // newer than
  const auto after = number(request, "after");    // older than
  const Time now = view.as_of;
  Time start = before ? time_from_ms(*before) + 1ms : Time{};
  Time end = after ? std::min(time_from_ms(*after), now + 1ms) : now + 1ms;
  if (is_history) {
    end = std::min(end, open_of(*timeframe, now));
  } else {
    Time first = open_of(*timeframe, now);
    for (int i = 1; i < most_recent_candles; ++i) first = previous_open(*timeframe, first);
    start = std::max(start, first);
  }
  if (start >= end) return json_reply("");
  auto rows = rest_rows(context.market, listing, *timeframe, start, end, limit, true, view);
  std::ranges::reverse(rows);
  return json_reply(joined(rows, [&](std::string& out, const Row& row) {
    append_candle(out, row, row.end_time <= now);
  }));
}

Reply trades(const Context& context, const Request& request, const RestView& view,
             std::size_t listing) {
  const auto limit = limit_of(request, "limit", 100, 500);
  auto newest = context.market.trades(listing, Time{}, view.as_of, limit, true);
  std::ranges::reverse(newest);
  const auto& symbol = context.market.listings()[listing].instrument.exchange_symbol;
  return json_reply(joined(newest, [&](std::string& out, const MarketTrade& trade) {
    out += fmt::format(R"({{"instId":"{}","side":"{}","sz":"{}","px":"{}","tradeId":"{}","ts":)",
                       symbol, trade.taker_is_buyer ? "buy" : "sell", trade.size.to_string(),
                       trade.price.to_string(), trade.id);
    append_time(out, trade.time + context.faults.settings().skew);
    out += '}';
  }));
}

Reply books(const Context& context, const Request& request, const RestView& view,
            std::size_t listing, std::int64_t most) {
  const auto levels = limit_of(request, "sz", 1, most);
  const Book book = rest_book(context.market, listing, levels, view);
  std::string out = "{\"asks\":";
  append_levels(out, book.asks);
  out += ",\"bids\":";
  append_levels(out, book.bids);
  out += ",\"ts\":";
  append_time(out, view.as_of + context.faults.settings().skew);
  return json_reply(fmt::format(R"({},"seqId":{}}})", out, book.sequence));
}

std::string ticker(const Context& context, const RestView& view, std::size_t listing) {
  std::string out;
  append_ticker(out, {context.market, context.faults, listing},
                day_figures(context.market, listing, view.as_of));
  return out;
}

Reply tickers(const Context& context, const RestView& view) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) all.push_back(i);
  return json_reply(
      joined(all, [&](std::string& out, std::size_t i) { out += ticker(context, view, i); }));
}

}  // namespace

void append_time(std::string& out, Time time) {
  out += fmt::format("\"{}\"", to_ms(time));
}

void append_levels(std::string& out, const std::vector<Level>& levels) {
  out += '[';
  for (const auto& level : levels) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"(["{}","{}","0","{}"])", level.price.to_string(), level.size.to_string(),
                       level.size.is_zero() ? 0 : 1);
  }
  out += ']';
}

void append_candle(std::string& out, const Row& row, bool is_closed) {
  const Bar& bar = row.bar;
  out += '[';
  append_time(out, row.open_time);
  for (const auto& value :
       {bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.quote_volume}) {
    out += fmt::format(",\"{}\"", value.to_string());
  }
  out += is_closed ? ",\"1\"]" : ",\"0\"]";
}

void append_ticker(std::string& out, const Subject& subject, const DayFigures& day) {
  out += fmt::format(
      R"({{"instType":"SPOT","instId":"{}","last":"{}","lastSz":"{}","askPx":"{}","askSz":"{}",)"
      R"("bidPx":"{}","bidSz":"{}","open24h":"{}","high24h":"{}","low24h":"{}","volCcy24h":"{}",)"
      R"("vol24h":"{}","ts":)",
      subject.instrument().exchange_symbol, day.bar.close.to_string(), day.last_size.to_string(),
      day.ask.price.to_string(), day.ask.size.to_string(), day.bid.price.to_string(),
      day.bid.size.to_string(), day.bar.open.to_string(), day.bar.high.to_string(),
      day.bar.low.to_string(), day.bar.quote_volume.to_string(), day.bar.volume.to_string());
  append_time(out, subject.told(day.at));
  out += '}';
}

Reply error(int status, std::string_view code, std::string_view message) {
  Reply reply{.status = status, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  json::Members(reply.body)("code", code)("msg", message).raw("data", "[]").close();
  return reply;
}

Reply answer(const Context& context, const Request& request, const RestView& view) {
  constexpr std::string_view root = "/api/v5/";
  std::string_view path = request.path;
  const auto no_such_path = [] {
    return Reply{.status = 404,
                 .headers = {{"Content-Type", "application/json"}},
                 .body = R"({"msg":"Not Found","code":"404"})"};
  };
  if (!path.starts_with(root) || request.method != "GET") return no_such_path();
  path.remove_prefix(root.size());
  if (path == "public/time") return server_time(context, view);
  if (path == "public/instruments") return instruments(context, request);
  if (path == "market/tickers") return tickers(context, view);
  if (!path.starts_with("market/")) return no_such_path();
  const auto symbol = request.parameter("instId");
  if (!symbol) return error(400, "50014", "Parameter instId can not be empty.");
  const auto listing = context.market.find(*symbol);
  if (!listing || context.faults.has_vanished(*symbol))
    return error(200, "51001", "Instrument ID or Spread ID doesn't exist.");
  path.remove_prefix(7);
  if (path == "ticker") return json_reply(ticker(context, view, *listing));
  if (path == "books") return books(context, request, view, *listing, 400);
  if (path == "books-full") return books(context, request, view, *listing, 5000);
  if (path == "trades") return trades(context, request, view, *listing);
  if (path == "candles") return candles(context, request, view, *listing, false);
  if (path == "history-candles") return candles(context, request, view, *listing, true);
  return no_such_path();
}

}  // namespace candlewick::simulator::okx
