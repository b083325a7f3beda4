// REST under /api/v3, and under /fapi of futures. Parameters are read through an object whose first
// error sticks, so that each endpoint reads in order and every sent parameter must have been asked
// for.
#include <algorithm>
#include <charconv>

#include "base/json_text.h"
#include "simulator/binance/binance.h"
#include "simulator/binance/parameters.h"

namespace candlewick::simulator::binance {
namespace {

using namespace std::chrono_literals;

constexpr Duration stale_levels_age = 10s;

constexpr std::string_view order_types =
    R"(["LIMIT","LIMIT_MAKER","MARKET","STOP_LOSS_LIMIT","TAKE_PROFIT_LIMIT"])";

struct Call {
  const Context& context;
  const RestView& view;
  Parameters parameters;
  bool micros;
};

Reply json_reply(std::string body) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json;charset=UTF-8"}},
          .body = std::move(body)};
}

// [a,b,c] of what `write` writes for each.
template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    write(out, item);
  }
  return out + "]";
}

void name(std::string& out, std::string_view key) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += key;
  out += "\":";
}
void field(std::string& out, std::string_view key, Decimal value) {
  name(out, key);
  append_fixed(out, value);
}
void field(std::string& out, std::string_view key, std::string_view value) {
  name(out, key);
  json::append_string(out, value);
}
void number_field(std::string& out, std::string_view key, std::uint64_t value) {
  name(out, key);
  append_number(out, value);
}
void time_field(std::string& out, std::string_view key, Time value, bool micros) {
  name(out, key);
  append_time(out, value, micros);
}
void flag_field(std::string& out, std::string_view key, bool value) {
  name(out, key);
  out += value ? "true" : "false";
}

Reply ping(Call& call) {
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  return json_reply("{}");
}

Reply server_time(Call& call) {
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  std::string out = "{";
  time_field(out, "serverTime", call.view.now + call.context.faults.settings().skew, call.micros);
  return json_reply(out + "}");
}

std::string filters(const Listing& listing) {
  const Instrument& instrument = listing.instrument;
  const Decimal tick = instrument.tick_size.value_or(Decimal{});
  const Decimal step = instrument.step_size.value_or(Decimal{});
  const auto fixed = [](Decimal value) {
    std::string out;
    append_fixed(out, value);
    return out;
  };
  const bool is_dollars = instrument.quote.contains("USD");
  const std::string least = is_dollars ? "\"5.00000000\"" : "\"0.00010000\"";
  return fmt::format(
      R"([{{"filterType":"PRICE_FILTER","minPrice":{0},"maxPrice":"1000000.00000000","tickSize":{0}}},)"
      R"({{"filterType":"LOT_SIZE","minQty":{1},"maxQty":"9000000.00000000","stepSize":{1}}},)"
      R"({{"filterType":"ICEBERG_PARTS","limit":10}},)"
      R"({{"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"100000.00000000","stepSize":"0.00000000"}},)"
      R"({{"filterType":"TRAILING_DELTA","minTrailingAboveDelta":10,"maxTrailingAboveDelta":2000,"minTrailingBelowDelta":10,"maxTrailingBelowDelta":2000}},)"
      R"({{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2","askMultiplierUp":"5","askMultiplierDown":"0.2","avgPriceMins":5}},)"
      R"({{"filterType":"NOTIONAL","minNotional":{2},"applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5}},)"
      R"({{"filterType":"MAX_NUM_ORDERS","maxNumOrders":200}},)"
      R"({{"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5}}])",
      fixed(tick), fixed(step), least);
}

void write_symbol(std::string& out, const Listing& listing, bool with_sets) {
  const Instrument& instrument = listing.instrument;
  out += '{';
  field(out, "symbol", std::string_view(instrument.exchange_symbol));
  field(out, "status", "TRADING");
  field(out, "baseAsset", std::string_view(instrument.base));
  number_field(out, "baseAssetPrecision", 8);
  field(out, "quoteAsset", std::string_view(instrument.quote));
  for (const std::string_view key : {"quotePrecision", "quoteAssetPrecision",
                                     "baseCommissionPrecision", "quoteCommissionPrecision"}) {
    number_field(out, key, 8);
  }
  name(out, "orderTypes");
  out += order_types;
  for (const std::string_view key :
       {"icebergAllowed", "ocoAllowed", "otoAllowed", "quoteOrderQtyMarketAllowed",
        "allowTrailingStop", "cancelReplaceAllowed", "amendAllowed", "isSpotTradingAllowed"}) {
    flag_field(out, key, true);
  }
  flag_field(out, "isMarginTradingAllowed", false);
  name(out, "filters");
  out += filters(listing);
  name(out, "permissions");
  out += "[]";
  if (with_sets) {
    name(out, "permissionSets");
    out += R"([["SPOT"]])";
  }
  field(out, "defaultSelfTradePreventionMode", "EXPIRE_MAKER");
  name(out, "allowedSelfTradePreventionModes");
  out += R"(["EXPIRE_TAKER","EXPIRE_MAKER","EXPIRE_BOTH"]})";
}

// One object for `symbol`, a list otherwise.
template <class Write>
Reply per_listing(Call& call, const std::vector<std::size_t>& listings, Write write) {
  if (call.parameters.has("symbol")) {
    std::string out;
    write(out, listings.front());
    return json_reply(std::move(out));
  }
  return json_reply(list(listings, write));
}

void write_contract(std::string& out, const Listing& listing) {
  const Instrument& instrument = listing.instrument;
  out += '{';
  field(out, "symbol", std::string_view(instrument.exchange_symbol));
  field(out, "pair", std::string_view(instrument.exchange_symbol));
  field(out, "contractType", "PERPETUAL");
  out += R"(,"deliveryDate":4133404800000,"onboardDate":1569398400000)";
  field(out, "status", "TRADING");
  out += R"(,"maintMarginPercent":"2.5000","requiredMarginPercent":"5.0000")";
  field(out, "baseAsset", std::string_view(instrument.base));
  field(out, "quoteAsset", std::string_view(instrument.quote));
  field(out, "marginAsset", std::string_view(instrument.quote));
  number_field(out, "pricePrecision", static_cast<std::uint64_t>(listing.price_digits));
  number_field(out, "quantityPrecision", static_cast<std::uint64_t>(listing.size_digits));
  out += R"(,"baseAssetPrecision":8,"quotePrecision":8,"underlyingType":"COIN")";
  out += R"(,"underlyingSubType":["PoW"],"triggerProtect":"0.0500","liquidationFee":"0.012500")";
  out += R"(,"marketTakeBound":"0.05")";
  name(out, "filters");
  out += filters(listing);
  out += R"(,"orderTypes":["LIMIT","MARKET","STOP","STOP_MARKET","TAKE_PROFIT"],)";
  out += R"("timeInForce":["GTC","IOC","FOK","GTX","GTD"]})";
}

Reply futures_info(Call& call) {
  const auto listings = call.parameters.listings();
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  std::string out = "{";
  field(out, "timezone", "UTC");
  time_field(out, "serverTime", call.view.now + call.context.faults.settings().skew, call.micros);
  field(out, "futuresType", "U_MARGINED");
  name(out, "rateLimits");
  out += fmt::format(
      R"([{{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":{}}},)"
      R"({{"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1200}}])",
      call.context.faults.settings().weight_per_minute.value_or(
          call.context.flavour.weight_per_minute));
  out += R"(,"exchangeFilters":[],"assets":[{"asset":"USDT","marginAvailable":true,)";
  out += R"("autoAssetExchange":"-10000"}])";
  name(out, "symbols");
  out += list(listings, [&](std::string& text, std::size_t i) {
    write_contract(text, call.context.market.listings()[i]);
  });
  return json_reply(out + "}");
}

Reply premium_index(Call& call) {
  const auto listings = call.parameters.listings();
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  return per_listing(call, listings, [&](std::string& out, std::size_t i) {
    const MarkPrice price = mark_price(market, i, call.view.as_of);
    out += '{';
    field(out, "symbol", std::string_view(market.listings()[i].instrument.exchange_symbol));
    field(out, "markPrice", price.mark);
    field(out, "indexPrice", price.index);
    field(out, "estimatedSettlePrice", price.index);
    field(out, "lastFundingRate", price.funding_rate);
    field(out, "interestRate", "0.00010000");
    time_field(out, "nextFundingTime", price.next_funding, call.micros);
    time_field(out, "time", call.view.as_of, call.micros);
    out += '}';
  });
}

Reply open_interest_now(Call& call) {
  const auto listing = call.parameters.listing();
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  std::string out = "{";
  field(out, "symbol", std::string_view(market.listings()[listing].instrument.exchange_symbol));
  field(out, "openInterest", open_interest(market, listing, call.view.as_of));
  time_field(out, "time", call.view.as_of, call.micros);
  return json_reply(out + "}");
}

Reply exchange_info(Call& call) {
  auto& parameters = call.parameters;
  const auto listings = parameters.listings();
  const bool with_sets = parameters.text("showPermissionSets").value_or("true") != "false";
  const auto permissions = parameters.text("permissions");
  if (permissions && (parameters.has("symbol") || parameters.has("symbols"))) {
    parameters.fail(-1128, "Combination of optional parameters invalid.");
  }
  const auto status = parameters.text("symbolStatus");
  if (status && *status != "TRADING" && *status != "HALT" && *status != "BREAK") {
    parameters.fail(-1122, "Invalid symbolStatus.");
  }
  if (auto refusal = parameters.refusal()) return *std::move(refusal);
  const Flavour& flavour = call.context.flavour;
  const int weight =
      call.context.faults.settings().weight_per_minute.value_or(flavour.weight_per_minute);
  std::string out = "{";
  field(out, "timezone", "UTC");
  time_field(out, "serverTime", call.view.now + call.context.faults.settings().skew, call.micros);
  name(out, "rateLimits");
  out += fmt::format(
      R"([{{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":{}}},)"
      R"({{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100}},)"
      R"({{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":200000}},)"
      R"({{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":{}}}])",
      weight, flavour.raw_requests_per_5_minutes);
  name(out, "exchangeFilters");
  out += "[]";
  name(out, "symbols");
  const bool has_spot = !permissions || permissions->contains("SPOT");
  const bool none = !has_spot || (status && *status != "TRADING");
  out += list(none ? std::vector<std::size_t>{} : listings, [&](std::string& text, std::size_t i) {
    write_symbol(text, call.context.market.listings()[i], with_sets);
  });
  return json_reply(out + "}");
}

void write_row(std::string& out, const Row& row, bool micros) {
  const Bar& bar = row.bar;
  out += '[';
  append_time(out, row.open_time, micros);
  for (const Decimal value : {bar.open, bar.high, bar.low, bar.close, bar.volume}) {
    out += ',';
    append_fixed(out, value);
  }
  out += ',';
  append_last_instant(out, row.end_time, micros);
  out += ',';
  append_fixed(out, bar.quote_volume);
  out += ',';
  append_number(out, bar.count);
  for (const Decimal value : {bar.taker_volume, bar.taker_quote_volume}) {
    out += ',';
    append_fixed(out, value);
  }
  out += ",\"0\"]";
}

Reply klines(Call& call) {
  auto& parameters = call.parameters;
  const auto listing = parameters.listing();
  const auto timeframe = parameters.interval();
  const auto start = parameters.time("startTime");
  const auto end = parameters.time("endTime");
  const auto shift = parameters.time_zone();
  const auto limit = parameters.limit(500, call.context.flavour.most_candles);
  if (auto refusal = parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  // The end is inclusive and, like the start, is compared with open times.
  const Time stop = end ? *end + 1ms : call.view.as_of + 1ns;
  auto rows = market.rows(listing, timeframe, start.value_or(Time{}), stop, call.view.as_of, limit,
                          !start, shift);
  const Time settled = call.view.as_of - call.view.unfinal;
  for (auto& row : rows) {
    if (row.end_time <= settled || row.end_time > call.view.as_of) continue;
    if (auto early = market.row(listing, timeframe, row.open_time, settled, shift)) row = *early;
  }
  return json_reply(
      list(rows, [&](std::string& out, const Row& row) { write_row(out, row, call.micros); }));
}

// Of futures only.
bool is_served_depth(std::size_t levels) {
  constexpr std::array<std::size_t, 7> served{5, 10, 20, 50, 100, 500, 1000};
  return std::ranges::find(served, levels) != served.end();
}

Reply depth(Call& call) {
  auto& parameters = call.parameters;
  const auto& flavour = call.context.flavour;
  const auto listing = parameters.listing();
  const auto limit = parameters.limit(flavour.is_futures ? 500 : 100, flavour.most_levels);
  parameters.text("symbolStatus");
  if (flavour.is_futures && !is_served_depth(limit))
    parameters.fail(-4021, fmt::format("{} is not valid depth limit.", limit));
  if (auto refusal = parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  Book book = market.book(listing, call.view.as_of, limit);
  if (call.view.stale_levels) {
    const auto sequence = book.sequence;
    book = market.book(listing, call.view.as_of - stale_levels_age, limit);
    book.sequence = sequence;
  }
  std::string out = "{";
  number_field(out, "lastUpdateId", book.sequence);
  if (flavour.is_futures) {
    time_field(out, "E", call.view.as_of, call.micros);
    time_field(out, "T", call.view.as_of, call.micros);
  }
  name(out, "bids");
  append_levels(out, book.bids);
  name(out, "asks");
  append_levels(out, book.asks);
  return json_reply(out + "}");
}

Reply trade_list(const std::vector<MarketTrade>& trades, bool micros) {
  return json_reply(list(trades, [&](std::string& out, const MarketTrade& trade) {
    out += '{';
    number_field(out, "id", trade.id);
    field(out, "price", trade.price);
    field(out, "qty", trade.size);
    field(out, "quoteQty", trade.quote_size);
    time_field(out, "time", trade.time, micros);
    flag_field(out, "isBuyerMaker", !trade.taker_is_buyer);
    flag_field(out, "isBestMatch", true);
    out += '}';
  }));
}

Reply trades(Call& call) {
  auto& parameters = call.parameters;
  const auto listing = parameters.listing();
  const auto limit = parameters.limit(500, 1000);
  if (auto refusal = parameters.refusal()) return *std::move(refusal);
  return trade_list(call.context.market.trades(listing, Time{}, call.view.as_of, limit, true),
                    call.micros);
}

Reply historical_trades(Call& call) {
  auto& parameters = call.parameters;
  const auto listing = parameters.listing();
  const auto from_id = parameters.number("fromId");
  const auto limit = parameters.limit(500, 1000);
  if (auto refusal = parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  if (!from_id)
    return trade_list(market.trades(listing, Time{}, call.view.as_of, limit, true), call.micros);
  std::vector<MarketTrade> found;
  const std::int64_t last = minute_of(std::min(call.view.as_of, market.known_until(listing)));
  if (const auto first = market.minute_of_trade(listing, *from_id)) {
    for (std::int64_t minute = *first; minute <= last && found.size() < limit; ++minute) {
      for (const auto& trade : market.minute_trades(listing, minute)) {
        if (found.size() == limit || trade.time > call.view.as_of) break;
        if (trade.id >= *from_id) found.push_back(trade);
      }
    }
  }
  return trade_list(found, call.micros);
}

// The newest `limit` of the aggregates in the range, or the oldest.
std::vector<AggregateTrade> find_aggregates(Market& market, std::size_t listing,
                                            std::uint64_t from_id, Time start, Time end,
                                            std::size_t limit, bool newest) {
  std::vector<AggregateTrade> found;
  const Time from = std::max(start, market.known_from(listing));
  const Time to = std::min(end, market.known_until(listing) - 1ns);
  if (from > to) return found;
  const auto wanted = [&](const AggregateTrade& one) {
    return one.first.aggregate_id >= from_id && one.first.time >= from && one.first.time <= to;
  };
  if (newest) {
    for (std::int64_t minute = minute_of(to); minute >= minute_of(from) && found.size() < limit;
         --minute) {
      const auto in_minute = aggregates(market.minute_trades(listing, minute));
      for (std::size_t i = in_minute.size(); i-- != 0 && found.size() < limit;) {
        if (wanted(in_minute[i])) found.push_back(in_minute[i]);
      }
    }
    std::ranges::reverse(found);
    return found;
  }
  std::int64_t minute = minute_of(from);
  if (from_id != 0) {
    const auto first = market.minute_of_aggregate(listing, from_id);
    if (!first) return found;
    minute = std::max(minute, *first);
  }
  for (; minute <= minute_of(to) && found.size() < limit; ++minute) {
    for (const auto& one : aggregates(market.minute_trades(listing, minute))) {
      if (found.size() < limit && wanted(one)) found.push_back(one);
    }
  }
  return found;
}

Reply aggregate_trades(Call& call) {
  auto& parameters = call.parameters;
  const auto listing = parameters.listing();
  const auto from_id = parameters.number("fromId");
  const auto start = parameters.time("startTime");
  const auto end = parameters.time("endTime");
  const auto limit = parameters.limit(500, 1000);
  if (from_id && (start || end)) {
    parameters.fail(-1128, "Combination of optional parameters invalid.");
  }
  if (auto refusal = parameters.refusal()) return *std::move(refusal);
  const Time stop = end ? std::min(*end + 1ms - 1ns, call.view.as_of) : call.view.as_of;
  const auto found = find_aggregates(call.context.market, listing, from_id.value_or(0),
                                     start.value_or(Time{}), stop, limit, !start && !from_id);
  return json_reply(list(found, [&](std::string& out, const AggregateTrade& one) {
    out += '{';
    number_field(out, "a", one.first.aggregate_id);
    field(out, "p", one.first.price);
    field(out, "q", one.size);
    number_field(out, "f", one.first.id);
    number_field(out, "l", one.last_id);
    time_field(out, "T", one.first.time, call.micros);
    flag_field(out, "m", !one.first.taker_is_buyer);
    flag_field(out, "M", true);
    out += '}';
  }));
}

Reply average_price(Call& call) {
  const auto listing = call.parameters.listing();
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  const Time now = call.view.as_of;
  const Window five = window(market, listing, now - 5min, now);
  const auto last = market.trades(listing, now - 5min, now, 1, true);
  std::string out = "{\"mins\":5";
  field(out, "price", five.bar.any ? five.weighted_average() : five.bar.close);
  time_field(out, "closeTime", last.empty() ? now : last.front().time, call.micros);
  return json_reply(out + "}");
}

void write_day(std::string& out, const Listing& listing, const Window& day, bool is_mini,
               bool is_futures, bool micros) {
  const Bar& bar = day.bar;
  out += '{';
  field(out, "symbol", std::string_view(listing.instrument.exchange_symbol));
  if (!is_mini) {
    field(out, "priceChange", day.change());
    field(out, "priceChangePercent", std::string_view(day.change_percent().to_fixed(3)));
    field(out, "weightedAvgPrice", day.weighted_average());
    if (!is_futures) field(out, "prevClosePrice", day.price_before);
    field(out, "lastPrice", bar.close);
    field(out, "lastQty", day.last_size);
  }
  if (!is_mini && !is_futures) {
    field(out, "bidPrice", day.bid.price);
    field(out, "bidQty", day.bid.size);
    field(out, "askPrice", day.ask.price);
    field(out, "askQty", day.ask.size);
  }
  field(out, "openPrice", bar.open);
  field(out, "highPrice", bar.high);
  field(out, "lowPrice", bar.low);
  if (is_mini) field(out, "lastPrice", bar.close);
  field(out, "volume", bar.volume);
  field(out, "quoteVolume", bar.quote_volume);
  time_field(out, "openTime", day.from, micros);
  time_field(out, "closeTime", day.to, micros);
  if (bar.count == 0) {
    out += R"(,"firstId":-1,"lastId":-1)";
  } else {
    number_field(out, "firstId", bar.first_id);
    number_field(out, "lastId", bar.last_id);
  }
  number_field(out, "count", bar.count);
  out += '}';
}

Reply ticker_24h(Call& call) {
  auto& parameters = call.parameters;
  const auto listings = parameters.listings();
  const auto type = parameters.text("type").value_or("FULL");
  if (type != "FULL" && type != "MINI") {
    parameters.fail(-1130, "Data sent for parameter 'type' is not valid.");
  }
  parameters.text("symbolStatus");
  if (auto refusal = parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  const Time now = call.view.as_of;
  return per_listing(call, listings, [&](std::string& out, std::size_t i) {
    write_day(out, market.listings()[i], window(market, i, now - 24h, now), type == "MINI",
              call.context.flavour.is_futures, call.micros);
  });
}

Reply ticker_price(Call& call) {
  const auto listings = call.parameters.listings();
  call.parameters.text("symbolStatus");
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  return per_listing(call, listings, [&](std::string& out, std::size_t i) {
    out += '{';
    field(out, "symbol", std::string_view(market.listings()[i].instrument.exchange_symbol));
    field(out, "price", market.price_before(i, call.view.as_of + 1ns).value_or(Decimal{}));
    out += '}';
  });
}

Reply book_ticker(Call& call) {
  const auto listings = call.parameters.listings();
  call.parameters.text("symbolStatus");
  if (auto refusal = call.parameters.refusal()) return *std::move(refusal);
  Market& market = call.context.market;
  return per_listing(call, listings, [&](std::string& out, std::size_t i) {
    const Book book = market.book(i, call.view.as_of, 1);
    const Level bid = book.bids.empty() ? Level{} : book.bids.front();
    const Level ask = book.asks.empty() ? Level{} : book.asks.front();
    out += '{';
    field(out, "symbol", std::string_view(market.listings()[i].instrument.exchange_symbol));
    field(out, "bidPrice", bid.price);
    field(out, "bidQty", bid.size);
    field(out, "askPrice", ask.price);
    field(out, "askQty", ask.size);
    out += '}';
  });
}

int all_or_one(const Context& context, const Request& request) {
  return request.parameter("symbol") ? context.flavour.price_weight
                                     : context.flavour.all_prices_weight;
}

std::uint64_t limit_of(const Request& request, std::uint64_t otherwise) {
  const auto text = request.parameter("limit").value_or("");
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

int candles_weight(const Context& context, const Request& request) {
  const auto limit = limit_of(request, 500);
  const auto& weights = context.flavour.klines_weights;
  return limit < 100     ? weights[0]
         : limit < 500   ? weights[1]
         : limit <= 1000 ? weights[2]
                         : weights[3];
}

int depth_weight(const Context& context, const Request& request) {
  const auto limit = limit_of(request, context.flavour.is_futures ? 500 : 100);
  const auto& weights = context.flavour.depth_weights;
  return limit <= 100    ? weights[0]
         : limit <= 500  ? weights[1]
         : limit <= 1000 ? weights[2]
                         : weights[3];
}

int ticker_weight(const Context& context, const Request& request) {
  const auto& weights = context.flavour.ticker_weights;
  if (request.parameter("symbol")) return weights[0];
  const auto symbols = request.parameter("symbols");
  if (!symbols) return weights[3];
  const auto count = std::ranges::count(*symbols, ',') + 1;
  return count <= 20 ? weights[1] : count <= 100 ? weights[2] : weights[3];
}

struct Endpoint {
  std::string_view path;
  Reply (*answer)(Call& call);
  int (*weight)(const Context& context, const Request& request);
};

int weight_of_one(const Context&, const Request&) {
  return 1;
}
int info_weight(const Context& context, const Request&) {
  return context.flavour.exchange_info_weight;
}
int trades_weight(const Context& context, const Request&) {
  return context.flavour.trades_weight;
}
int aggregates_weight(const Context& context, const Request&) {
  return context.flavour.aggregate_trades_weight;
}
int price_weight(const Context& context, const Request&) {
  return context.flavour.price_weight;
}

constexpr std::array<Endpoint, 13> endpoints{
    {{"/api/v3/ping", ping, weight_of_one},
     {"/api/v3/time", server_time, weight_of_one},
     {"/api/v3/exchangeInfo", exchange_info, info_weight},
     {"/api/v3/klines", klines, candles_weight},
     {"/api/v3/uiKlines", klines, candles_weight},
     {"/api/v3/depth", depth, depth_weight},
     {"/api/v3/trades", trades, trades_weight},
     {"/api/v3/historicalTrades", historical_trades, trades_weight},
     {"/api/v3/aggTrades", aggregate_trades, aggregates_weight},
     {"/api/v3/avgPrice", average_price, price_weight},
     {"/api/v3/ticker/24hr", ticker_24h, ticker_weight},
     {"/api/v3/ticker/price", ticker_price, all_or_one},
     {"/api/v3/ticker/bookTicker", book_ticker, all_or_one}}};

constexpr std::array<Endpoint, 13> futures_endpoints{
    {{"/fapi/v1/ping", ping, weight_of_one},
     {"/fapi/v1/time", server_time, weight_of_one},
     {"/fapi/v1/exchangeInfo", futures_info, info_weight},
     {"/fapi/v1/klines", klines, candles_weight},
     {"/fapi/v1/depth", depth, depth_weight},
     {"/fapi/v1/trades", trades, trades_weight},
     {"/fapi/v1/aggTrades", aggregate_trades, aggregates_weight},
     {"/fapi/v1/premiumIndex", premium_index, weight_of_one},
     {"/fapi/v1/openInterest", open_interest_now, weight_of_one},
     {"/fapi/v1/ticker/24hr", ticker_24h, ticker_weight},
     {"/fapi/v1/ticker/price", ticker_price, all_or_one},
     {"/fapi/v2/ticker/price", ticker_price, all_or_one},
     {"/fapi/v1/ticker/bookTicker", book_ticker, all_or_one}}};

const Endpoint* find_endpoint(const Context& context, std::string_view path) {
  const auto& known = context.flavour.is_futures ? futures_endpoints : endpoints;
  const auto* found = std::ranges::find(known, path, &Endpoint::path);
  return found == known.end() ? nullptr : found;
}

}  // namespace

Reply error(int status, int code, std::string_view message) {
  std::string body = fmt::format("{{\"code\":{},\"msg\":", code);
  json::append_string(body, message);
  return {.status = status,
          .headers = {{"Content-Type", "application/json;charset=UTF-8"}},
          .body = body + "}"};
}

int weight_of(const Context& context, const Request& request) {
  const auto* endpoint = find_endpoint(context, request.path);
  return endpoint == nullptr ? 1 : endpoint->weight(context, request);
}

Reply answer(const Context& context, const Request& request, const RestView& view) {
  const auto* endpoint = find_endpoint(context, request.path);
  if (endpoint == nullptr) {
    return {.status = 404,
            .headers = {{"Content-Type", "text/html"}},
            .body = "<html><head><title>404 Not Found</title></head></html>"};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return {.status = 405, .headers = {{"Allow", "GET, HEAD"}}, .body = {}};
  }
  const auto unit = request.headers.get("X-MBX-TIME-UNIT");
  Call call{.context = context,
            .view = view,
            .parameters = Parameters(context, request),
            .micros = context.flavour.has_microseconds &&
                      (unit == "MICROSECOND" || unit == "microsecond")};
  return endpoint->answer(call);
}

}  // namespace candlewick::simulator::binance
