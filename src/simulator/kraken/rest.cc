// REST under /0/public/. Answers are keyed by the pair's own name, "XXBTZUSD", however it was asked
// for.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/json_text.h"
#include "simulator/feeds.h"
#include "simulator/kraken/kraken.h"

namespace candlewick::simulator::kraken {
namespace {

using namespace std::chrono_literals;

// Committed candles that are shown, and the running one.
constexpr std::size_t most_rows = 721;

struct Call {
  const Context& context;
  const Request& request;
  const RestView& view;

  const Listing& listing(std::size_t index) const { return context.market.listings()[index]; }
};

Reply result(std::string json) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}},
          .body = R"({"error":[],"result":)" + std::move(json) + "}"};
}

// What assets are called on REST, and what the oldest of them are called in full.
struct Asset {
  std::string_view name;
  std::string_view short_name;
  std::string_view full_name;
};
constexpr std::array<Asset, 9> old_assets{{{"BTC", "XBT", "XXBT"},
                                           {"DOGE", "XDG", "XXDG"},
                                           {"ETH", "ETH", "XETH"},
                                           {"LTC", "LTC", "XLTC"},
                                           {"XRP", "XRP", "XXRP"},
                                           {"USD", "USD", "ZUSD"},
                                           {"EUR", "EUR", "ZEUR"},
                                           {"GBP", "GBP", "ZGBP"},
                                           {"JPY", "JPY", "ZJPY"}}};

const Asset* old_asset(std::string_view name) {
  const auto* found = std::ranges::find(old_assets, name, &Asset::name);
  return found == old_assets.end() ? nullptr : found;
}
std::string short_name(std::string_view asset) {
  const auto* old = old_asset(asset);
  return std::string(old == nullptr ? asset : old->short_name);
}
std::string full_name(std::string_view asset) {
  const auto* old = old_asset(asset);
  return std::string(old == nullptr ? asset : old->full_name);
}

std::string short_pair(const Instrument& pair) {
  return short_name(pair.base) + short_name(pair.quote);
}
std::string websocket_pair(const Instrument& pair) {
  return short_name(pair.base) + "/" + short_name(pair.quote);
}
// Only where both are old: XXBTZUSD, but XBTUSDT.
std::string key_of(const Instrument& pair) {
  const bool is_old = old_asset(pair.base) != nullptr && old_asset(pair.quote) != nullptr;
  return is_old ? full_name(pair.base) + full_name(pair.quote) : short_pair(pair);
}

std::optional<std::size_t> find(const Context& context, std::string_view typed) {
  const auto& listings = context.market.listings();
  for (std::size_t i = 0; i < listings.size(); ++i) {
    const auto& pair = listings[i].instrument;
    if (context.faults.has_vanished(pair.exchange_symbol)) continue;
    if (typed == key_of(pair) || typed == short_pair(pair) || typed == websocket_pair(pair) ||
        typed == pair.exchange_symbol) {
      return i;
    }
  }
  return std::nullopt;
}

// Of those named in `pair`, or of all; nullopt: one of them is unknown.
std::optional<std::vector<std::size_t>> named(const Call& call) {
  std::vector<std::size_t> found;
  const auto typed = call.request.parameter("pair");
  if (!typed) {
    for (std::size_t i = 0; i < call.context.market.listings().size(); ++i) {
      if (!call.context.faults.has_vanished(call.listing(i).instrument.exchange_symbol))
        found.push_back(i);
    }
    return found;
  }
  for (std::string_view rest = *typed; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto listing = find(call.context, rest.substr(0, comma));
    if (!listing) return std::nullopt;
    found.push_back(*listing);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return found;
}

std::optional<std::int64_t> number(const Call& call, std::string_view name,
                                   std::int64_t otherwise) {
  const auto text = call.request.parameter(name);
  if (!text) return otherwise;
  std::int64_t value = 0;
  const auto* const end = text->data() + text->size();
  const auto [rest, failure] = std::from_chars(text->data(), end, value);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return value;
}

std::int64_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

constexpr std::string_view unknown_pair = "EQuery:Unknown asset pair";
constexpr std::string_view bad_arguments = "EGeneral:Invalid arguments";

// "Tue, 11 Nov 25 00:17:04 +0000"
std::string rfc1123(Time time) {
  constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{midnight};
  return fmt::format(
      "{}, {:02} {} {:02} {} +0000", days[std::chrono::weekday{midnight}.c_encoding()],
      static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()) % 100, to_rfc3339(time).substr(11, 8));
}

Reply server_time(const Call& call) {
  const Time now = call.view.now + call.context.faults.settings().skew;
  return result(fmt::format(R"({{"unixtime":{},"rfc1123":"{}"}})", seconds_of(now), rfc1123(now)));
}

Reply system_status(const Call& call) {
  return result(fmt::format(R"({{"status":"online","timestamp":"{}"}})",
                            to_rfc3339(std::chrono::floor<std::chrono::seconds>(call.view.now))));
}

Reply assets(const Call& call) {
  std::vector<std::string> names;
  for (const auto& listing : call.context.market.listings()) {
    for (const auto& asset : {listing.instrument.base, listing.instrument.quote}) {
      if (std::ranges::find(names, asset) == names.end()) names.push_back(asset);
    }
  }
  std::string out = "{";
  for (const auto& name : names) {
    if (out.size() > 1) out += ',';
    out += fmt::format(
        R"("{}":{{"aclass":"currency","altname":"{}","decimals":10,"display_decimals":5,"status":"enabled"}})",
        full_name(name), short_name(name));
  }
  return result(out + "}");
}

Reply asset_pairs(const Call& call) {
  const auto listings = named(call);
  if (!listings) return error(unknown_pair);
  std::string out = "{";
  for (const auto index : *listings) {
    const auto& listing = call.listing(index);
    const auto& pair = listing.instrument;
    if (out.size() > 1) out += ',';
    out += fmt::format(
        R"("{}":{{"altname":"{}","wsname":"{}","aclass_base":"currency","base":"{}","aclass_quote":"currency","quote":"{}","lot":"unit","cost_decimals":5,"pair_decimals":{},"lot_decimals":8,"lot_multiplier":1,"leverage_buy":[],"leverage_sell":[],"fees":[[0,0.4],[10000,0.35]],"fees_maker":[[0,0.25],[10000,0.2]],"fee_volume_currency":"ZUSD","margin_call":80,"margin_stop":40,"ordermin":"{}","costmin":"0.5","tick_size":"{}","status":"online"}})",
        key_of(pair), short_pair(pair), websocket_pair(pair), full_name(pair.base),
        full_name(pair.quote), listing.price_digits,
        pair.step_size.value_or(Decimal{1}).to_string(),
        pair.tick_size.value_or(Decimal{1}).to_string());
  }
  return result(out + "}");
}

Reply candles(const Call& call) {
  const auto listing = find(call.context, call.request.parameter("pair").value_or(""));
  if (!listing) return error(unknown_pair);
  const auto minutes = number(call, "interval", 1);
  const auto since = number(call, "since", 0);
  constexpr std::array<std::pair<int, Timeframe>, 7> intervals{{{1, Timeframe::m1},
                                                                {5, Timeframe::m5},
                                                                {15, Timeframe::m15},
                                                                {30, Timeframe::m30},
                                                                {60, Timeframe::h1},
                                                                {240, Timeframe::h4},
                                                                {1440, Timeframe::d1}}};
  const auto* interval =
      std::ranges::find_if(intervals, [&](const auto& entry) { return entry.first == minutes; });
  if (interval == intervals.end() || !since) return error(bad_arguments);
  const auto timeframe = interval->second;
  const Time first = call.view.as_of - length_of(timeframe) * static_cast<int>(most_rows);
  const auto rows = rest_rows(call.context.market, *listing, timeframe, first,
                              call.view.as_of + 1ns, most_rows, true, call.view);
  const auto& facts = call.listing(*listing);
  std::string out = fmt::format(R"({{"{}":[)", key_of(facts.instrument));
  for (const auto& row : rows) {
    if (seconds_of(row.open_time) <= *since) continue;
    const Bar& bar = row.bar;
    if (out.back() != '[') out += ',';
    out += fmt::format(R"([{},"{}","{}","{}","{}","{}","{}",{}])", seconds_of(row.open_time),
                       price_text(facts, bar.open), price_text(facts, bar.high),
                       price_text(facts, bar.low), price_text(facts, bar.close),
                       bar.any ? price_text(facts, mean_price(bar)) : "0.0",
                       volume_text(bar.volume), bar.count);
  }
  const Time running = candlewick::open_of(timeframe, call.view.as_of);
  return result(out +
                fmt::format(R"(],"last":{}}})", seconds_of(previous_open(timeframe, running, {}))));
}

Reply depth(const Call& call) {
  const auto listing = find(call.context, call.request.parameter("pair").value_or(""));
  if (!listing) return error(unknown_pair);
  const auto count = number(call, "count", 100);
  if (!count || *count < 1 || *count > 500) return error(bad_arguments);
  const Book book =
      rest_book(call.context.market, *listing, static_cast<std::size_t>(*count), call.view);
  const auto& facts = call.listing(*listing);
  const auto side = [&](const std::vector<Level>& levels) {
    std::string out = "[";
    for (const auto& level : levels) {
      if (out.size() > 1) out += ',';
      out += fmt::format(R"(["{}","{}",{}])", price_text(facts, level.price),
                         volume_text(level.size), seconds_of(call.view.as_of));
    }
    return out + "]";
  };
  return result(fmt::format(R"({{"{}":{{"asks":{},"bids":{}}}}})", key_of(facts.instrument),
                            side(book.asks), side(book.bids)));
}

// A page never ends between trades of one instant: the next one begins after it.
std::vector<MarketTrade> page_of_trades(const Call& call, std::size_t listing, Time since,
                                        bool has_since, std::size_t count) {
  Market& market = call.context.market;
  if (!has_since) return market.trades(listing, Time{}, call.view.as_of, count, true);
  auto trades = market.trades(listing, since + 1ns, call.view.as_of, count, false);
  if (trades.size() < count) return trades;
  const Time last = trades.back().time;
  for (const auto& more :
       market.trades(listing, last, last, std::numeric_limits<std::size_t>::max(), false)) {
    if (more.id > trades.back().id) trades.push_back(more);
  }
  return trades;
}

Reply trades(const Call& call) {
  const auto listing = find(call.context, call.request.parameter("pair").value_or(""));
  if (!listing) return error(unknown_pair);
  const auto count = number(call, "count", 1000);
  const auto since = number(call, "since", 0);
  if (!count || *count < 1 || *count > 1000 || !since || *since < 0) return error(bad_arguments);
  // Nanoseconds; small numbers are seconds.
  constexpr std::int64_t least_nanoseconds = 1'000'000'000'000'000;
  const Time from = *since < least_nanoseconds
                        ? Time{std::chrono::seconds{std::min<std::int64_t>(*since, 9'000'000'000)}}
                        : time_from_ns(*since);
  const auto found =
      page_of_trades(call, *listing, from, call.request.parameter("since").has_value(),
                     static_cast<std::size_t>(*count));
  const auto& facts = call.listing(*listing);
  std::string out = fmt::format(R"({{"{}":[)", key_of(facts.instrument));
  for (const auto& trade : found) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"(["{}","{}",{}.{:03},"{}","m","",{}])", price_text(facts, trade.price),
                       volume_text(trade.size), seconds_of(trade.time), to_ms(trade.time) % 1000,
                       trade.taker_is_buyer ? "b" : "s", trade.id);
  }
  const auto last = found.empty() ? *since : to_ns(found.back().time);
  return result(out + fmt::format(R"(],"last":"{}"}})", last));
}

Reply ticker(const Call& call) {
  const auto listings = named(call);
  if (!listings) return error(unknown_pair);
  Market& market = call.context.market;
  const Time now = call.view.as_of;
  const Time midnight = candlewick::open_of(Timeframe::d1, now);
  std::string out = "{";
  for (const auto index : *listings) {
    const auto& facts = call.listing(index);
    const DayFigures day = day_figures(market, index, now);
    Bar today = market.bar(index, midnight, now + 1ns);
    if (!today.any) today.open = today.high = today.low = day.bar.close;
    const auto price = [&](Decimal value) { return price_text(facts, value); };
    const auto quote = [&](const Level& level) {
      return fmt::format(R"(["{}","{}","{}"])", price(level.price), level.size.to_fixed(0),
                         volume_text(level.size));
    };
    const auto pair = [&](const std::string& of_today, const std::string& of_24h) {
      return fmt::format(R"(["{}","{}"])", of_today, of_24h);
    };
    if (out.size() > 1) out += ',';
    out += fmt::format(
        R"("{}":{{"a":{},"b":{},"c":["{}","{}"],"v":{},"p":{},"t":[{},{}],"l":{},"h":{},"o":"{}"}})",
        key_of(facts.instrument), quote(day.ask), quote(day.bid), price(day.bar.close),
        volume_text(day.last_size), pair(volume_text(today.volume), volume_text(day.bar.volume)),
        pair(price(mean_price(today)), price(mean_price(day.bar))), today.count, day.bar.count,
        pair(price(today.low), price(day.bar.low)), pair(price(today.high), price(day.bar.high)),
        price(today.open));
  }
  return result(out + "}");
}

struct Method {
  std::string_view path;
  Reply (*answer)(const Call& call);
};
constexpr std::array<Method, 8> methods{{{"/0/public/Time", server_time},
                                         {"/0/public/SystemStatus", system_status},
                                         {"/0/public/Assets", assets},
                                         {"/0/public/AssetPairs", asset_pairs},
                                         {"/0/public/OHLC", candles},
                                         {"/0/public/Depth", depth},
                                         {"/0/public/Trades", trades},
                                         {"/0/public/Ticker", ticker}}};

}  // namespace

Reply answer(const Context& context, const Request& request, const RestView& view) {
  const auto* method = std::ranges::find(methods, request.path, &Method::path);
  if (method == methods.end()) return error("EGeneral:Unknown method");
  return method->answer({context, request, view});
}

}  // namespace candlewick::simulator::kraken
