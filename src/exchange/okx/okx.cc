// Facts of OKX spot and the text that subscribes and asks.
//
// Source: OKX API v5 documentation (docs-v5), copy of 2026-06-27, read 2026-11-21.
#include "exchange/okx/okx.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/asset_names.h"
#include "exchange/reading.h"

namespace candlewick::exchange::okx {
namespace {

using namespace std::chrono_literals;

// Days and longer open on UTC+8 unless the name ends with "utc". There are no candles of 8 hours;
// those of 3 days count from another day than ours.
constexpr std::array<TimeframeName, 14> bars{{{Timeframe::s1, "1s"},
                                              {Timeframe::m1, "1m"},
                                              {Timeframe::m3, "3m"},
                                              {Timeframe::m5, "5m"},
                                              {Timeframe::m15, "15m"},
                                              {Timeframe::m30, "30m"},
                                              {Timeframe::h1, "1H"},
                                              {Timeframe::h2, "2H"},
                                              {Timeframe::h4, "4H"},
                                              {Timeframe::h6, "6Hutc"},
                                              {Timeframe::h12, "12Hutc"},
                                              {Timeframe::d1, "1Dutc"},
                                              {Timeframe::w1, "1Wutc"},
                                              {Timeframe::mo1, "1Mutc"}}};

constexpr auto timeframes = timeframes_of(bars);

constexpr std::array<AssetName, 1> renamed{{{"AE", "AET"}}};

std::string channel_name(const Channel& channel) {
  switch (channel.kind) {
    case ChannelKind::candles:
      return fmt::format("candle{}", bar_of(channel.timeframe));
    case ChannelKind::trades:
      return "trades";
    case ChannelKind::quotes:
      return "bbo-tbt";
    case ChannelKind::book:
      return "books";
    case ChannelKind::ladder:
      return "books5";
    case ChannelKind::ticker:
      return "tickers";
    case ChannelKind::aggregate_trades:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  std::unreachable();
}

// Candles are at another path, and refused at this one.
int line_of(const Channel& channel) {
  return channel.kind == ChannelKind::candles ? 1 : 0;
}

std::string stream_url(std::string_view ws_url, std::span<const Channel> channels) {
  while (ws_url.ends_with('/')) ws_url.remove_suffix(1);
  const bool is_business = !channels.empty() && line_of(channels.front()) == 1;
  return fmt::format("{}/ws/v5/{}", ws_url, is_business ? "business" : "public");
}

// One channel a message: whatever a refusal makes of the other channels of its message, there are
// none.
std::vector<std::string> control(std::string_view operation, std::span<const Channel> channels,
                                 std::uint64_t first_id) {
  std::vector<std::string> messages;
  for (const auto& channel : channels) {
    std::string text = fmt::format(R"({{"id":"{}","op":"{}","args":[{{"channel":)",
                                   first_id + messages.size(), operation);
    json::append_string(text, channel_name(channel));
    text += R"(,"instId":)";
    json::append_string(text, channel.instrument->exchange_symbol);
    messages.push_back(text + "}]}");
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("subscribe", channels, first_id);
}
std::vector<std::string> unsubscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("unsubscribe", channels, first_id);
}

constexpr int max_candles = 300;
// The path of the newest candles has 1440 of them, that of history has closed ones only.
constexpr int recent_candles = 1400;

bool is_recent(const RestQuery& query) {
  if (!query.start) return !query.end;
  return query.now && *query.now - *query.start < length_of(query.timeframe) * recent_candles;
}

// `before` means newer than, `after` older than; with both, the newest rows in between come first,
// so the range is cut to what one answer holds.
Result<RestRequest> candles(const RestQuery& query, std::string_view symbol) {
  const auto bar = bar_of(query.timeframe);
  if (bar.empty())
    return fail(ErrorKind::rejected, "OKX has no candles of {}", to_text(query.timeframe));
  const int limit = query.limit > 0 ? std::min(query.limit, max_candles) : max_candles;
  std::string text = fmt::format("/api/v5/market/{}?instId={}&bar={}",
                                 is_recent(query) ? "candles" : "history-candles", symbol, bar);
  if (query.start) {
    Time end = open_of(query.timeframe, *query.start);
    if (end < *query.start) end = next_open(query.timeframe, end);
    for (int i = 0; i < limit; ++i) end = next_open(query.timeframe, end);
    if (query.end) end = std::min(end, *query.end);
    const auto before = std::max<std::int64_t>(to_ms(*query.start) - 1, 0);
    text += fmt::format("&before={}&after={}", before, to_ms(end));
  } else if (query.end) {
    text += fmt::format("&after={}", to_ms(*query.end));
  }
  return RestRequest{fmt::format("{}&limit={}", text, limit), 1};
}

// Limits are by endpoint, 10 to 40 requests in two seconds: see README.md.
Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol =
      query.instrument == nullptr ? "" : percent_encoded(query.instrument->exchange_symbol);
  const auto limit = [&](int largest) {
    return query.limit > 0 ? std::min(query.limit, largest) : largest;
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/api/v5/public/time", 1};
    case RestKind::instruments:
      if (symbol.empty()) return RestRequest{"/api/v5/public/instruments?instType=SPOT", 1};
      return RestRequest{fmt::format("/api/v5/public/instruments?instType=SPOT&instId={}", symbol),
                         1};
    case RestKind::candles:
      return candles(query, symbol);
    case RestKind::trades:
      return RestRequest{
          fmt::format("/api/v5/market/trades?instId={}&limit={}", symbol, limit(500)), 1};
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/api/v5/market/ticker?instId={}", symbol), 1};
    case RestKind::depth:
      return RestRequest{fmt::format("/api/v5/market/books?instId={}&sz={}", symbol, limit(400)),
                         1};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "OKX has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 451:
    case 403:
      return fmt::format(
          "the venue refuses requests from this address or country (HTTP {}); set "
          "CANDLEWICK_OKX_BASE_URL and CANDLEWICK_OKX_WS_URL to a regional host (us.okx.com, "
          "eea.okx.com)",
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

std::string_view bar_of(Timeframe timeframe) {
  return name_of(bars, timeframe);
}

std::optional<Timeframe> timeframe_of(std::string_view name) {
  return exchange::timeframe_of(bars, name);
}

std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks,
                       int /*price_digits*/, int /*size_digits*/) {
  std::string text;
  const auto add = [&](std::span<const Level> side, std::size_t i) {
    if (i >= side.size()) return;
    if (!text.empty()) text += ':';
    text += side[i].price.to_string() + ":" + side[i].size.to_string();
  };
  for (std::size_t i = 0; i < std::max(bids.size(), asks.size()); ++i) {
    add(bids, i);
    add(asks, i);
  }
  return crc32(text);
}

std::optional<Pair> read_pair(std::string_view symbol) {
  if (std::ranges::count(symbol, '-') != 1) return std::nullopt;
  return separated_pair(renamed, symbol, '-');
}

constinit const Venue okx{
    .name = "okx",
    .ccxt_id = "okx",
    .market = Market::spot,
    .rest_url = "https://www.okx.com",
    .ws_url = "wss://ws.okx.com:8443",
    .timeframes = timeframes,
    .symbol_separator = "-",
    .read_pair = read_pair,
    // 480 subscriptions an hour and connection: this leaves most of them for new snapshots.
    .limits = {.channels_per_connection = 120,
               .messages_per_second = 10,
               .connections_per_5_minutes = 900,
               .channels_per_message = 1,
               .weight_per_minute = 600,
               .max_candles = max_candles,
               .candle_replies_are_bounded = true},
    .silence_limit = 30s,
    .channels = channels,
    .candle_stream = CandleStream::flagged,
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::zero_rows,
    .book_rule = BookRule::stream_linked,
    .book_levels = 400,
    .book_depth = 400,
    .checksum = checksum,
    .checksum_levels = 25,
    .heartbeat = {.interval = 20s, .text = ping},
    .line_of = line_of,
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/api/v5/market/tickers?instType=SPOT", 1}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::okx
