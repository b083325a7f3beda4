// Facts of Bitget spot and the text that subscribes and asks.
//
// Sources: Bitget API v2 documentation (api-doc/spot, websocket-intro) and what public clients
// send, read 2026-11-21. The newer v3 (of unified accounts) serves the same public data; v1 is
// switched off.
#include "exchange/bitget/bitget.h"

#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/bitget/symbols.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitget {
namespace {

using namespace std::chrono_literals;

// Six hours and longer open on UTC+8 unless the name ends with "utc". Candles of 3 days count from
// another day than ours.
constexpr std::array<TimeframeName, 11> granularities{{{Timeframe::m1, "1min"},
                                                       {Timeframe::m3, "3min"},
                                                       {Timeframe::m5, "5min"},
                                                       {Timeframe::m15, "15min"},
                                                       {Timeframe::m30, "30min"},
                                                       {Timeframe::h1, "1h"},
                                                       {Timeframe::h4, "4h"},
                                                       {Timeframe::h6, "6Hutc"},
                                                       {Timeframe::h12, "12Hutc"},
                                                       {Timeframe::d1, "1Dutc"},
                                                       {Timeframe::w1, "1Wutc"}}};

// The streams' list has none of 3 minutes.
constexpr std::array<TimeframeName, 10> channel_names{{{Timeframe::m1, "1m"},
                                                       {Timeframe::m5, "5m"},
                                                       {Timeframe::m15, "15m"},
                                                       {Timeframe::m30, "30m"},
                                                       {Timeframe::h1, "1H"},
                                                       {Timeframe::h4, "4H"},
                                                       {Timeframe::h6, "6Hutc"},
                                                       {Timeframe::h12, "12Hutc"},
                                                       {Timeframe::d1, "1Dutc"},
                                                       {Timeframe::w1, "1Wutc"}}};

constexpr auto timeframes = timeframes_of(granularities);
constexpr auto streamed_timeframes = timeframes_of(channel_names);

std::string channel_name(const Channel& channel) {
  switch (channel.kind) {
    case ChannelKind::candles:
      return fmt::format("candle{}", channel_of(channel.timeframe));
    case ChannelKind::trades:
      return "trade";
    case ChannelKind::quotes:
      return "books1";
    case ChannelKind::book:
      return "books";
    case ChannelKind::ladder:
      return "books15";
    case ChannelKind::ticker:
      return "ticker";
    case ChannelKind::aggregate_trades:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  std::unreachable();
}

std::string stream_url(std::string_view ws_url, std::span<const Channel> /*channels*/) {
  while (ws_url.ends_with('/')) ws_url.remove_suffix(1);
  return fmt::format("{}/v2/ws/public", ws_url);
}

// One channel a message, so that a refusal concerns no other.
std::vector<std::string> control(std::string_view operation, std::span<const Channel> channels) {
  std::vector<std::string> messages;
  for (const auto& channel : channels) {
    std::string text =
        fmt::format(R"({{"op":"{}","args":[{{"instType":"SPOT","channel":)", operation);
    json::append_string(text, channel_name(channel));
    text += R"(,"instId":)";
    json::append_string(text, channel.instrument->exchange_symbol);
    messages.push_back(text + "}]}");
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t /*first_id*/) {
  return control("subscribe", channels);
}
std::vector<std::string> unsubscribe(std::span<const Channel> channels,
                                     std::uint64_t /*first_id*/) {
  return control("unsubscribe", channels);
}

constexpr int max_candles = 200;  // of history; the newest may be 1000
// The path of the newest candles reaches a month back for the shortest; the other one takes no
// start.
constexpr Duration recent = 24h * 25;

// An end is exclusive at the venue as well, and rows are counted back from it; a start plays no
// role. So the end is no later than what can be there, and the limit is the number of periods.
Result<RestRequest> candles(const RestQuery& query, std::string_view symbol) {
  const auto granularity = granularity_of(query.timeframe);
  if (granularity.empty())
    return fail(ErrorKind::rejected, "Bitget has no candles of {}", to_text(query.timeframe));
  int limit = query.limit > 0 ? std::min(query.limit, max_candles) : max_candles;
  std::optional<Time> end = query.end;
  if (query.start) {
    Time bound = query.end.value_or(Time::max());
    if (query.now) bound = std::min(bound, next_open(query.timeframe, *query.now));
    Time last = open_of(query.timeframe, *query.start);
    if (last < *query.start) last = next_open(query.timeframe, last);
    int periods = 0;
    do {
      last = next_open(query.timeframe, last);
      ++periods;
    } while (periods < limit && last < bound);
    end = query.end ? std::min(*query.end, last) : last;
    limit = periods;
  }
  const bool is_recent =
      query.start ? query.now && *query.now - *query.start < recent : !query.end.has_value();
  std::string text = fmt::format("/api/v2/spot/market/{}?symbol={}&granularity={}",
                                 is_recent ? "candles" : "history-candles", symbol, granularity);
  if (end) text += fmt::format("&endTime={}", to_ms(*end));
  return RestRequest{fmt::format("{}&limit={}", text, limit), 1};
}

Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol =
      query.instrument == nullptr ? "" : percent_encoded(query.instrument->exchange_symbol);
  const auto limit = [&](int largest) {
    return query.limit > 0 ? std::min(query.limit, largest) : largest;
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/api/v2/public/time", 1};
    case RestKind::instruments:
      if (symbol.empty()) return RestRequest{"/api/v2/spot/public/symbols", 1};
      return RestRequest{fmt::format("/api/v2/spot/public/symbols?symbol={}", symbol), 1};
    case RestKind::candles:
      return candles(query, symbol);
    case RestKind::trades:
      return RestRequest{
          fmt::format("/api/v2/spot/market/fills?symbol={}&limit={}", symbol, limit(500)), 2};
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/api/v2/spot/market/tickers?symbol={}", symbol), 1};
    case RestKind::depth:
      return RestRequest{
          fmt::format("/api/v2/spot/market/orderbook?symbol={}&limit={}", symbol, limit(150)), 1};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Bitget has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 451:
    case 403:
      return fmt::format(
          "the venue refuses requests from this address or country (HTTP {}); set "
          "CANDLEWICK_BITGET_BASE_URL and CANDLEWICK_BITGET_WS_URL to a proxy elsewhere",
          http_status);
    case 429:
      return "the venue's request limit is used up (HTTP 429)";
    default:
      return {};
  }
}

std::string ping(std::uint64_t /*id*/) {
  return "ping";
}

constexpr std::array<ChannelKind, 6> channels{ChannelKind::candles, ChannelKind::trades,
                                              ChannelKind::quotes,  ChannelKind::book,
                                              ChannelKind::ladder,  ChannelKind::ticker};

}  // namespace

std::string_view granularity_of(Timeframe timeframe) {
  return name_of(granularities, timeframe);
}
std::optional<Timeframe> timeframe_of_granularity(std::string_view name) {
  return timeframe_of(granularities, name);
}
std::string_view channel_of(Timeframe timeframe) {
  return name_of(channel_names, timeframe);
}
std::optional<Timeframe> timeframe_of_channel(std::string_view name) {
  return timeframe_of(channel_names, name);
}

std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks, int price_digits,
                       int size_digits) {
  std::string text;
  const auto add = [&](std::span<const Level> side, std::size_t i) {
    if (i >= side.size()) return;
    if (!text.empty()) text += ':';
    text += side[i].price.to_fixed(price_digits) + ":" + side[i].size.to_fixed(size_digits);
  };
  for (std::size_t i = 0; i < std::max(bids.size(), asks.size()); ++i) {
    add(bids, i);
    add(asks, i);
  }
  return crc32(text);
}

constinit const Venue bitget{
    .name = "bitget",
    .ccxt_id = "bitget",
    .market = Market::spot,
    .rest_url = "https://api.bitget.com",
    .ws_url = "wss://ws.bitget.com",
    .timeframes = timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "",
    .read_pair = read_pair,
    // 240 subscriptions an hour and connection, and 50 channels as the venue advises: this leaves
    // most of them for new snapshots.
    .limits = {.channels_per_connection = 50,
               .messages_per_second = 8,
               .connections_per_5_minutes = 300,
               .channels_per_message = 1,
               .max_connection_age = 24h,
               .weight_per_minute = 1200,
               .max_candles = max_candles,
               .candle_replies_are_bounded = true},
    .silence_limit = 60s,
    .channels = channels,
    .candle_stream = CandleStream::forming,
    .streamed_timeframes = streamed_timeframes,
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::zero_rows,
    // Rows are counted back from an end.
    .first_candle = FirstCandle::not_told,
    .book_rule = BookRule::stream_ascending,
    .book_levels = 150,
    .checksum = checksum,
    .checksum_levels = 25,
    .heartbeat = {.interval = 25s, .text = ping},
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/api/v2/spot/market/tickers", 1}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::bitget
