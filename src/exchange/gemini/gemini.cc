// Facts of Gemini spot and the text that subscribes and asks.
//
// Sources: docs.gemini.com and developer.gemini.com (REST market data, WebSocket market data v2,
// rate limits), read 2026-11-21.
#include "exchange/gemini/gemini.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/reading.h"

namespace candlewick::exchange::gemini {
namespace {

using namespace std::chrono_literals;

// Where days and their quarters begin is not said, so they are left out.
constexpr std::array<TimeframeName, 5> stream_names{{{Timeframe::m1, "1m"},
                                                     {Timeframe::m5, "5m"},
                                                     {Timeframe::m15, "15m"},
                                                     {Timeframe::m30, "30m"},
                                                     {Timeframe::h1, "1h"}}};
constexpr std::array<TimeframeName, 5> rest_names{{{Timeframe::m1, "1m"},
                                                   {Timeframe::m5, "5m"},
                                                   {Timeframe::m15, "15m"},
                                                   {Timeframe::m30, "30m"},
                                                   {Timeframe::h1, "1hr"}}};

constexpr auto timeframes = timeframes_of(stream_names);

constexpr std::string_view dollar = "USD";
constexpr std::string_view gemini_dollar = "GUSD";
// Tried in this order: "USD" ends many others.
constexpr std::array<std::string_view, 15> quotes{"USDT", "RLUSD", gemini_dollar, "USDC", dollar,
                                                  "DAI",  "EUR",   "GBP",         "SGD",  "BTC",
                                                  "ETH",  "LTC",   "BCH",         "FIL",  "SOL"};
// What is quoted in Gemini dollars, as far as is known: all others that end so are an asset whose
// name ends in G, in dollars.
constexpr std::array<std::string_view, 2> of_gemini_dollar{"BTC", "ETH"};

std::string stream_url(std::string_view ws_url, std::span<const Channel>) {
  std::string url(ws_url);
  while (url.ends_with('/')) url.pop_back();
  return url + "/v2/marketdata";
}

// Trades come with the book. An instrument that does not exist takes the whole message with it, so
// each has its own; the venue asks for one request a symbol and minute.
std::vector<std::string> control(std::string_view type, std::span<const Channel> channels) {
  struct Wanted {
    const Instrument* instrument;
    std::vector<std::string> names;
  };
  std::vector<Wanted> wanted;
  for (const auto& channel : channels) {
    auto found = std::ranges::find(wanted, channel.instrument, &Wanted::instrument);
    if (found == wanted.end())
      found = wanted.insert(found, {.instrument = channel.instrument, .names = {}});
    auto name = channel.kind == ChannelKind::candles
                    ? fmt::format("candles_{}", stream_name_of(channel.timeframe))
                    : std::string("l2");
    if (std::ranges::find(found->names, name) == found->names.end())
      found->names.push_back(std::move(name));
  }
  std::vector<std::string> messages;
  for (const auto& [instrument, names] : wanted) {
    std::string text = fmt::format(R"({{"type":"{}","subscriptions":[)", type);
    for (const auto& name : names) {
      if (text.back() != '[') text += ',';
      text += fmt::format(R"({{"name":"{}","symbols":[)", name);
      json::append_string(text, instrument->exchange_symbol);
      text += "]}";
    }
    messages.push_back(text + "]}");
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t) {
  return control("subscribe", channels);
}
std::vector<std::string> unsubscribe(std::span<const Channel> channels, std::uint64_t) {
  return control("unsubscribe", channels);
}

constexpr int candles_served = 1440;
constexpr int book_levels = 500;

// An answer has the newest candles, however many were wanted: there is no other range.
Result<RestRequest> candles(const RestQuery& query, std::string_view symbol) {
  const auto name = rest_name_of(query.timeframe);
  if (name.empty())
    return fail(ErrorKind::rejected, "Gemini has no candles of {}", to_text(query.timeframe));
  return RestRequest{fmt::format("/v2/candles/{}/{}", symbol, name), 1};
}

Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol =
      query.instrument == nullptr ? "" : percent_encoded(lower(query.instrument->exchange_symbol));
  const auto limit = [&](int largest) {
    return query.limit > 0 ? std::min(query.limit, largest) : largest;
  };
  switch (query.kind) {
    case RestKind::instruments:
      if (symbol.empty()) return RestRequest{"/v1/symbols", 1};
      return RestRequest{fmt::format("/v1/symbols/details/{}", symbol), 1};
    case RestKind::candles:
      return candles(query, symbol);
    case RestKind::trades:
      return RestRequest{fmt::format("/v1/trades/{}?limit_trades={}", symbol, limit(500)), 1};
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/v1/pubticker/{}", symbol), 1};
    case RestKind::depth: {
      const int levels = limit(book_levels);
      return RestRequest{
          fmt::format("/v1/book/{}?limit_bids={}&limit_asks={}", symbol, levels, levels), 1};
    }
    case RestKind::server_time:  // heartbeats of the stream tell it
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Gemini has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
    case 451:
      return fmt::format(
          "the venue refuses requests from this address or country (HTTP {}); set "
          "CANDLEWICK_GEMINI_BASE_URL and CANDLEWICK_GEMINI_WS_URL to another host",
          http_status);
    case 429:
      return "the venue's limit of 120 requests a minute is used up (HTTP 429)";
    default:
      return {};
  }
}

constexpr std::array<ChannelKind, 3> channels{ChannelKind::candles, ChannelKind::trades,
                                              ChannelKind::book};

bool is_asset(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string_view::npos;
}

}  // namespace

std::string_view stream_name_of(Timeframe timeframe) {
  return name_of(stream_names, timeframe);
}

std::string_view rest_name_of(Timeframe timeframe) {
  return name_of(rest_names, timeframe);
}

std::optional<Timeframe> timeframe_of(std::string_view name) {
  const auto found = exchange::timeframe_of(stream_names, name);
  return found ? found : exchange::timeframe_of(rest_names, name);
}

bool is_perpetual(std::string_view symbol) {
  return upper(symbol).ends_with("PERP");
}

std::optional<Pair> read_pair_among(std::string_view symbol, std::span<const std::string> listed) {
  constexpr std::size_t longest = 24;
  if (symbol.size() > longest) return std::nullopt;
  const std::string name = upper(symbol);
  if (!is_asset(name) || is_perpetual(name)) return std::nullopt;
  for (const auto quote : quotes) {
    if (name.size() <= quote.size() || !name.ends_with(quote)) continue;
    const std::string base = name.substr(0, name.size() - quote.size());
    const bool is_read_right =
        quote != gemini_dollar ||
        std::ranges::find(of_gemini_dollar, base) != of_gemini_dollar.end() ||
        std::ranges::binary_search(listed, base + std::string(dollar));
    if (is_read_right) return Pair{base, std::string(quote)};
  }
  return std::nullopt;
}

std::optional<Pair> read_pair(std::string_view symbol) {
  return read_pair_among(symbol, {});
}

constinit const Venue gemini{
    .name = "gemini",
    .ccxt_id = "gemini",
    .market = Market::spot,
    .rest_url = "https://api.gemini.com",
    .ws_url = "wss://api.gemini.com",
    .timeframes = timeframes,
    .read_pair = read_pair,
    // Of streams no limits are told, but for one request a symbol and minute.
    .limits = {.channels_per_connection = 100,
               .messages_per_second = 5,
               .connections_per_5_minutes = 100,
               .channels_per_message = 3,
               .weight_per_minute = 120,
               .max_candles = candles_served,
               // One is running, and another minute may begin before the answer comes.
               .history_candles = candles_served - 2},
    .silence_limit = 20s,
    .channels = channels,
    .candle_stream = CandleStream::forming,
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::zero_rows,
    .first_candle = FirstCandle::not_told,
    .book_rule = BookRule::stream_ascending,
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::gemini
