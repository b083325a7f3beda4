// Facts of Bitfinex and the text that subscribes and asks.
//
// Sources: docs.bitfinex.com (docs/ws-general, ws-public, ws-websocket-checksum, requirements-and-
// limitations; reference/ws-config, ws-public-*, rest-public-*), read 2026-11-21.
#include "exchange/bitfinex/bitfinex.h"

#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/bitfinex/symbols.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitfinex {
namespace {

using namespace std::chrono_literals;

// Weeks are left out, as nothing says which day they open on.
constexpr std::array<TimeframeName, 8> lengths{{{Timeframe::m1, "1m"},
                                                {Timeframe::m5, "5m"},
                                                {Timeframe::m15, "15m"},
                                                {Timeframe::m30, "30m"},
                                                {Timeframe::h1, "1h"},
                                                {Timeframe::h6, "6h"},
                                                {Timeframe::h12, "12h"},
                                                {Timeframe::d1, "1D"}}};
constexpr auto timeframes = timeframes_of(lengths);

constexpr std::array<std::string_view, 9> quote_assets{"USDT", "USD",  "USDC", "EUR", "GBP",
                                                       "JPY",  "EURT", "BTC",  "ETH"};

constexpr std::array<ChannelKind, 4> channels{ChannelKind::candles, ChannelKind::trades,
                                              ChannelKind::ticker, ChannelKind::book};

constexpr int most_rows = 10'000;

// Every frame tells its time and its number among those of the connection, and books their
// checksums.
constexpr int flags = 32'768 + 65'536 + 131'072;

std::string stream_url(std::string_view ws_url, std::span<const Channel>) {
  constexpr std::string_view path = "/ws/2";
  while (ws_url.ends_with('/')) ws_url.remove_suffix(1);
  std::string url(ws_url);
  return url.ends_with(path) ? url : url.append(path);
}

std::vector<std::string> subscribe(std::span<const Channel> wanted, std::uint64_t) {
  std::vector<std::string> messages{fmt::format(R"({{"event":"conf","flags":{}}})", flags)};
  for (const auto& channel : wanted) {
    if (auto text = subscription(channel); !text.empty()) messages.push_back(std::move(text));
  }
  return messages;
}

// It takes the number that the venue gave the channel. The decoder knows it: when the next
// subscription is refused as a repetition, it ends the one before and subscribes again.
std::vector<std::string> unsubscribe(std::span<const Channel>, std::uint64_t) {
  return {};
}

// Its answer tells the venue's clock.
std::string ping(std::uint64_t id) {
  return fmt::format(R"({{"event":"ping","cid":{}}})", id);
}

// What each costs so that none exceeds the venue's limit for it, which is by address and minute:
// 90 tickers, 30 lists of them, 30 of candles, 15 of trades, 240 books.
constexpr int weight_per_minute = 720;
constexpr int weight_of_ticker = 8;
constexpr int weight_of_tickers = 24;
constexpr int weight_of_candles = 24;
constexpr int weight_of_trades = 48;
constexpr int weight_of_book = 3;

std::string since(const RestQuery& query) {
  std::string text;
  if (query.start) text += fmt::format("&start={}", to_ms(*query.start));
  // The end counts.
  if (query.end) text += fmt::format("&end={}", to_ms(*query.end) - 1);
  return text;
}

Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol =
      query.instrument == nullptr ? std::string{} : query.instrument->exchange_symbol;
  const int limit = query.limit > 0 ? std::min(query.limit, most_rows) : most_rows;
  // Without a start the newest come, and they come first.
  const int sort = query.start ? 1 : -1;
  switch (query.kind) {
    case RestKind::instruments:
      return RestRequest{"/v2/conf/pub:list:pair:exchange", weight_of_ticker};
    case RestKind::candles:
      return RestRequest{
          fmt::format("/v2/candles/trade:{}:{}/hist?limit={}&sort={}{}",
                      length_name(query.timeframe), symbol, limit, sort, since(query)),
          weight_of_candles};
    case RestKind::trades:
    case RestKind::historical_trades:
      // By time only.
      if (query.from_id && !query.start) break;
      return RestRequest{
          fmt::format("/v2/trades/{}/hist?limit={}&sort={}{}", symbol, limit, sort, since(query)),
          weight_of_trades};
    case RestKind::ticker:
    case RestKind::price:
      return RestRequest{"/v2/ticker/" + symbol, weight_of_ticker};
    case RestKind::quote:
      return RestRequest{fmt::format("/v2/book/{}/P0?len=1", symbol), weight_of_book};
    case RestKind::depth:
      return RestRequest{fmt::format("/v2/book/{}/P0?len=100", symbol), weight_of_book};
    case RestKind::server_time:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Bitfinex has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
      return "the venue refuses requests from this address (HTTP 403); set "
             "CANDLEWICK_BITFINEX_BASE_URL and CANDLEWICK_BITFINEX_WS_URL to another host";
    case 429:
      return "more than ten to ninety requests a minute from this address (HTTP 429); the venue "
             "then blocks it for a minute";
    default:
      return {};
  }
}

}  // namespace

std::string_view length_name(Timeframe timeframe) {
  return name_of(lengths, timeframe);
}

std::optional<Timeframe> timeframe_of(std::string_view name) {
  return exchange::timeframe_of(lengths, name);
}

std::string subscription(const Channel& channel) {
  const auto text = [&](std::string_view name, std::string_view key, std::string_view value,
                        std::string_view more) {
    std::string out = fmt::format(R"({{"event":"subscribe","channel":"{}","{}":)", name, key);
    json::append_string(out, value);
    out += more;
    return out + "}";
  };
  const std::string& symbol = channel.instrument->exchange_symbol;
  switch (channel.kind) {
    case ChannelKind::candles: {
      const auto length = length_name(channel.timeframe);
      if (length.empty()) return {};
      return text("candles", "key", fmt::format("trade:{}:{}", length, symbol), "");
    }
    case ChannelKind::trades:
      return text("trades", "symbol", symbol, "");
    case ChannelKind::ticker:
      return text("ticker", "symbol", symbol, "");
    case ChannelKind::book:
      return text("book", "symbol", symbol, R"(,"prec":"P0","freq":"F0","len":"100")");
    case ChannelKind::aggregate_trades:
    case ChannelKind::quotes:
    case ChannelKind::ladder:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  return {};
}

constinit const Venue bitfinex{
    .name = "bitfinex",
    .ccxt_id = "bitfinex",
    .market = Market::spot,
    .rest_url = "https://api-pub.bitfinex.com",
    .ws_url = "wss://api-pub.bitfinex.com/ws/2",
    .timeframes = timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "",
    .read_pair = read_pair,
    .limits = {.channels_per_connection = 25,
               .messages_per_second = 10,
               .connections_per_5_minutes = 100,
               .channels_per_message = 1,
               .weight_per_minute = weight_per_minute,
               .max_candles = most_rows},
    // Every channel beats each 15 s.
    .silence_limit = 25s,
    .channels = channels,
    .candle_stream = CandleStream::forming,
    .streamed_timeframes = {},
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::omitted,
    .book_rule = BookRule::stream_ascending,
    .book_levels = 100,
    .book_depth = 100,
    .checksum = checksum,
    .checksum_levels = 25,
    .heartbeat = {.interval = 15s, .text = ping},
    .used_weight_header = "",
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/v2/tickers?symbols=ALL", weight_of_tickers}; },
    .make_decoder = make_decoder,
    .explains_failures = true,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::bitfinex
