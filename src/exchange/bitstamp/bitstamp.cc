// Facts of Bitstamp and the text that subscribes and asks.
//
// Sources: www.bitstamp.net/api (market info, rate limits) and /websocket/v2, read 2026-11-21.
#include "exchange/bitstamp/bitstamp.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/asset_names.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitstamp {
namespace {

using namespace std::chrono_literals;

// Those of three days are left out, as nothing says which day they open on.
constexpr std::array<Timeframe, 11> timeframes{
    Timeframe::m1, Timeframe::m3, Timeframe::m5, Timeframe::m15, Timeframe::m30, Timeframe::h1,
    Timeframe::h2, Timeframe::h4, Timeframe::h6, Timeframe::h12, Timeframe::d1};

// Symbols are taken apart in this order, so an asset stands before those that end it.
constexpr std::array<std::string_view, 12> quote_assets{
    "USDT", "USDC", "PYUSD", "RLUSD", "EURCV", "EURC", "USD", "EUR", "GBP", "BTC", "ETH", "PAX"};

constexpr std::array<ChannelKind, 2> channels{ChannelKind::trades, ChannelKind::ladder};

// One less than the most: whether the end counts is not said.
constexpr int most_candles = 999;

std::string stream_url(std::string_view ws_url, std::span<const Channel>) {
  while (ws_url.ends_with('/')) ws_url.remove_suffix(1);
  return std::string(ws_url) + "/";
}

// One channel a message, so that a refusal concerns nothing else.
std::vector<std::string> control(std::string_view event, std::span<const Channel> wanted) {
  std::vector<std::string> messages;
  for (const auto& channel : wanted) {
    const std::string_view kind = channel.kind == ChannelKind::trades   ? "live_trades_"
                                  : channel.kind == ChannelKind::ladder ? "order_book_"
                                                                        : "";
    if (kind.empty()) continue;
    std::string text = fmt::format(R"({{"event":"{}","data":{{"channel":)", event);
    json::append_string(text, std::string(kind) + channel.instrument->exchange_symbol);
    messages.push_back(text + "}}");
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> wanted, std::uint64_t) {
  return control("bts:subscribe", wanted);
}
std::vector<std::string> unsubscribe(std::span<const Channel> wanted, std::uint64_t) {
  return control("bts:unsubscribe", wanted);
}

// Keeps an idle connection.
std::string heartbeat(std::uint64_t) {
  return R"({"event":"bts:heartbeat"})";
}

std::string candles_target(const RestQuery& query, std::string_view symbol) {
  const Duration length = length_of(query.timeframe);
  const int count = query.limit > 0 ? std::min(query.limit, most_candles) : most_candles;
  std::string target = fmt::format("/api/v2/ohlc/{}/?step={}&limit={}", symbol,
                                   length / Duration{1s}, most_candles + 1);
  if (!query.start) return target;
  Time end = *query.start + count * length;
  if (query.end) end = std::min(end, *query.end);
  const auto seconds = [](Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  };
  return target + fmt::format("&start={}&end={}", seconds(*query.start), seconds(end));
}

Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol = query.instrument == nullptr
                                 ? std::string{}
                                 : percent_encoded(query.instrument->exchange_symbol);
  switch (query.kind) {
    // There is none, but the figures of the last hour tell the time; nothing else is asked there.
    case RestKind::server_time:
      return RestRequest{"/api/v2/ticker_hour/btcusd/"};
    case RestKind::instruments:
      return RestRequest{"/api/v2/markets/"};
    case RestKind::candles:
      return RestRequest{candles_target(query, symbol)};
    case RestKind::trades:
      // The newest ones only.
      if (query.from_id || query.start) break;
      return RestRequest{fmt::format("/api/v2/transactions/{}/?time=hour", symbol)};
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/api/v2/ticker/{}/", symbol)};
    case RestKind::depth:
      return RestRequest{fmt::format("/api/v2/order_book/{}/", symbol)};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Bitstamp has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
      return "the venue refuses requests from this address (HTTP 403); set "
             "CANDLEWICK_BITSTAMP_BASE_URL and CANDLEWICK_BITSTAMP_WS_URL to another host";
    case 429:
      return "more than 400 requests a second or 10,000 in ten minutes from this address (HTTP "
             "429)";
    default:
      return {};
  }
}

constexpr std::array<AssetName, 1> renamed{{{"UST", "USTC"}}};

}  // namespace

std::string unified_asset(std::string_view asset) {
  return exchange::unified_asset(renamed, asset);
}

std::optional<Pair> read_pair(std::string_view symbol) {
  if (symbol.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string_view::npos)
    return std::nullopt;
  for (const auto quote : quote_assets) {
    const auto ending = lower(quote);
    if (symbol.size() <= ending.size() || !symbol.ends_with(ending)) continue;
    return Pair{unified_asset(symbol.substr(0, symbol.size() - ending.size())), std::string(quote)};
  }
  return std::nullopt;
}

std::string symbol_of(std::string_view base, std::string_view quote) {
  return lower(asset_of_venue(renamed, base) + asset_of_venue(renamed, quote));
}

std::optional<Timeframe> timeframe_of_seconds(std::string_view seconds) {
  for (const auto timeframe : timeframes) {
    if (seconds == std::to_string(length_of(timeframe) / Duration{1s})) return timeframe;
  }
  return std::nullopt;
}

constinit const Venue bitstamp{
    .name = "bitstamp",
    .ccxt_id = "bitstamp",
    .market = Market::spot,
    .rest_url = "https://www.bitstamp.net",
    .ws_url = "wss://ws.bitstamp.net",
    .timeframes = timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "",
    .read_pair = read_pair,
    .limits = {.channels_per_connection = 100,
               .messages_per_second = 10,
               .connections_per_5_minutes = 100,
               .channels_per_message = 1,
               .max_connection_age = std::chrono::hours{90 * 24},
               // 10,000 in ten minutes.
               .weight_per_minute = 800,
               .max_candles = most_candles,
               .candle_replies_are_bounded = true},
    .silence_limit = 30s,
    .channels = channels,
    .candle_stream = CandleStream::none,
    .streamed_timeframes = {},
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::zero_rows,
    .first_candle = FirstCandle::not_told,
    .book_rule = BookRule::none,
    .book_levels = 100,
    .heartbeat = {.interval = 10s, .text = heartbeat},
    .used_weight_header = "",
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/api/v2/ticker/"}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::bitstamp
