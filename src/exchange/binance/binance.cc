// Facts of Binance spot and Binance.US and the text that subscribes and asks.
//
// Sources: rest-api.md, web-socket-streams.md and faqs/market_data_only.md of
// binance-spot-api-docs, read 2026-07-21; binance-us-api-docs, read 2024-06-17.
#include "exchange/binance/binance.h"

#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/reading.h"

namespace candlewick::exchange::binance {
namespace {

using namespace std::chrono_literals;

// Longest first where one ends another.
constexpr std::array<std::string_view, 37> quote_assets{
    "FDUSD", "TUSD", "USDT", "USDC", "BUSD", "USDP", "BKRW", "IDRT", "BIDR", "BVND",
    "EURI",  "AEUR", "USDS", "DOGE", "USD1", "EUR",  "GBP",  "AUD",  "TRY",  "BRL",
    "RUB",   "NGN",  "UAH",  "ZAR",  "PLN",  "RON",  "ARS",  "JPY",  "MXN",  "CZK",
    "COP",   "DAI",  "BNB",  "BTC",  "ETH",  "TRX",  "USD"};

constexpr std::array<std::string_view, 12> quote_assets_us{
    "USDT", "USDC", "BUSD", "TUSD", "USDP", "DAI", "USD", "BTC", "ETH", "BNB", "EUR", "AUD"};

// 1s candles do not exist on Binance.US (since 2023-09-06).
constexpr std::span<const Timeframe> timeframes_us{all_timeframes.data() + 1,
                                                   all_timeframes.size() - 1};

// "btcusdt@kline_1m"
std::string stream_name(const Channel& channel) {
  const std::string symbol = lower(channel.instrument->exchange_symbol);
  switch (channel.kind) {
    case ChannelKind::candles:
      return symbol + "@kline_" + std::string(to_text(channel.timeframe));
    case ChannelKind::trades:
      return symbol + "@trade";
    case ChannelKind::aggregate_trades:
      return symbol + "@aggTrade";
    case ChannelKind::quotes:
      return symbol + "@bookTicker";
    case ChannelKind::book:
      return symbol + "@depth@100ms";
    case ChannelKind::ladder:
      return symbol + "@depth20@100ms";
    case ChannelKind::ticker:
      return symbol + "@ticker";
    case ChannelKind::mini_ticker:
      return symbol + "@miniTicker";
    case ChannelKind::derivative:
      break;
  }
  std::unreachable();
}

// Combined framing, so that payloads without symbol or kind are told apart. Channels are subscribed
// by messages: a URL of a thousand streams is longer than front ends take.
std::string stream_url(std::string_view ws_url, std::span<const Channel> channels) {
  std::string url(ws_url);
  while (url.ends_with('/')) url.pop_back();
  url += "/stream";
  if (!channels.empty()) url += "?streams=" + stream_name(channels.front());
  return url;
}

std::vector<std::string> control(std::string_view method, std::span<const Channel> channels,
                                 std::uint64_t first_id) {
  constexpr std::size_t channels_per_message = 100;
  std::vector<std::string> messages;
  for (std::size_t at = 0; at < channels.size(); at += channels_per_message) {
    std::string text = fmt::format(R"({{"method":"{}","params":[)", method);
    const auto part = channels.subspan(at, std::min(channels_per_message, channels.size() - at));
    for (const auto& channel : part) {
      if (text.back() != '[') text += ',';
      json::append_string(text, stream_name(channel));
    }
    text += fmt::format(R"(],"id":{}}})", first_id + messages.size());
    messages.push_back(std::move(text));
  }
  return messages;
}

// Also the one that is in the URL already: a stream is sent once however often it is subscribed to.
std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("SUBSCRIBE", channels, first_id);
}

std::vector<std::string> unsubscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("UNSUBSCRIBE", channels, first_id);
}

int depth_weight(int limit) {
  return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250;
}
int depth_weight_us(int limit) {
  return limit <= 100 ? 1 : limit <= 500 ? 5 : limit <= 1000 ? 10 : 50;
}

struct Weights {
  int instruments, candles, trades, historical_trades, aggregate_trades, ticker, price, quote,
      average_price;
  int (*depth)(int limit);
};
constexpr Weights weights{20, 2, 25, 25, 4, 2, 2, 2, 2, depth_weight};
constexpr Weights weights_us{10, 1, 1, 5, 1, 1, 1, 1, 1, depth_weight_us};

Result<RestRequest> request_with(const Weights& weight, const RestQuery& query) {
  const auto symbol = [&] {
    return query.instrument == nullptr ? std::string{}
                                       : percent_encoded(query.instrument->exchange_symbol);
  };
  const auto limit = [&](int largest) {
    return query.limit > 0 ? std::min(query.limit, largest) : largest;
  };
  // Binance's end is inclusive and candles are named by their open, ours is exclusive.
  const auto range = [&] {
    std::string text;
    if (query.start) text += fmt::format("&startTime={}", to_ms(*query.start));
    if (query.end) text += fmt::format("&endTime={}", to_ms(*query.end - Duration{1}));
    return text;
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/api/v3/time", 1};
    case RestKind::instruments:
      if (query.instrument == nullptr)
        return RestRequest{"/api/v3/exchangeInfo", weight.instruments};
      return RestRequest{fmt::format("/api/v3/exchangeInfo?symbol={}", symbol()),
                         weight.instruments};
    case RestKind::candles:
      return RestRequest{fmt::format("/api/v3/klines?symbol={}&interval={}{}&limit={}", symbol(),
                                     to_text(query.timeframe), range(), limit(1000)),
                         weight.candles};
    case RestKind::trades:
      return RestRequest{fmt::format("/api/v3/trades?symbol={}&limit={}", symbol(), limit(1000)),
                         weight.trades};
    case RestKind::historical_trades:
      return RestRequest{
          fmt::format("/api/v3/historicalTrades?symbol={}&limit={}{}", symbol(), limit(1000),
                      query.from_id ? fmt::format("&fromId={}", *query.from_id) : ""),
          weight.historical_trades};
    case RestKind::aggregate_trades:
      return RestRequest{
          fmt::format("/api/v3/aggTrades?symbol={}{}&limit={}{}", symbol(), range(), limit(1000),
                      query.from_id ? fmt::format("&fromId={}", *query.from_id) : ""),
          weight.aggregate_trades};
    case RestKind::ticker:
      return RestRequest{fmt::format("/api/v3/ticker/24hr?symbol={}", symbol()), weight.ticker};
    case RestKind::price:
      return RestRequest{fmt::format("/api/v3/ticker/price?symbol={}", symbol()), weight.price};
    case RestKind::quote:
      return RestRequest{fmt::format("/api/v3/ticker/bookTicker?symbol={}", symbol()),
                         weight.quote};
    case RestKind::average_price:
      return RestRequest{fmt::format("/api/v3/avgPrice?symbol={}", symbol()), weight.average_price};
    case RestKind::depth: {
      const int levels = query.limit > 0 ? std::min(query.limit, 5000) : 1000;
      return RestRequest{fmt::format("/api/v3/depth?symbol={}&limit={}", symbol(), levels),
                         weight.depth(levels)};
    }
    case RestKind::derivative:
      return fail(ErrorKind::rejected, "spot markets have no such figures");
  }
  std::unreachable();
}

Result<RestRequest> request(const RestQuery& query) {
  return request_with(weights, query);
}
Result<RestRequest> request_us(const RestQuery& query) {
  return request_with(weights_us, query);
}

std::string explain(int http_status, std::string_view variable, std::string_view elsewhere) {
  switch (http_status) {
    case 451:
      return fmt::format(
          "the venue refuses requests from this country (HTTP 451); set {}_BASE_URL and {}_WS_URL "
          "to "
          "another host ({})",
          variable, variable, elsewhere);
    case 403:
      return fmt::format(
          "a firewall of the venue refused the request (HTTP 403), for its rate or its address; "
          "slow down, or "
          "set {}_BASE_URL and {}_WS_URL to another host ({})",
          variable, variable, elsewhere);
    case 418:
      return "the venue has banned this address for a while after too many requests (HTTP 418)";
    case 429:
      return "the venue's request budget is used up (HTTP 429)";
    default:
      return {};
  }
}

std::string explain_status(int http_status) {
  return explain(http_status, "BINANCE",
                 "public market data: data-api.binance.vision and data-stream.binance.vision");
}

std::string explain_status_us(int http_status) {
  return explain(http_status, "CANDLEWICK_BINANCE_US",
                 "outside the United States use the venue binance");
}

constexpr std::array<ChannelKind, 8> channels{
    ChannelKind::candles, ChannelKind::trades,     ChannelKind::aggregate_trades,
    ChannelKind::quotes,  ChannelKind::book,       ChannelKind::ladder,
    ChannelKind::ticker,  ChannelKind::mini_ticker};

constexpr Limits limits{
    .channels_per_connection = 1024,
    .messages_per_second = 5,
    .connections_per_5_minutes = 300,
    .channels_per_message = 100,
    .max_connection_age = 24h,
    .ping_interval = 20s,
    .weight_per_minute = 6000,
    .max_candles = 1000,
};

}  // namespace

constinit const Venue binance{
    .name = "binance",
    .ccxt_id = "binance",
    .market = Market::spot,
    .rest_url = "https://data-api.binance.vision",
    .ws_url = "wss://data-stream.binance.vision",
    .timeframes = all_timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "",
    .limits = limits,
    .silence_limit = 30s,
    .channels = channels,
    .candle_stream = CandleStream::flagged,
    .trade_ids = TradeIds::consecutive,
    .quiet_periods = QuietPeriods::zero_rows,
    .book_rule = BookRule::ranges,
    .used_weight_header = "X-MBX-USED-WEIGHT-1M",
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

// The same protocol on other hosts, with its own weights and a smaller budget.
constinit const Venue binance_us{
    .name = "binance-us",
    .ccxt_id = "binanceus",
    .market = Market::spot,
    .rest_url = "https://api.binance.us",
    .ws_url = "wss://stream.binance.us:9443",
    .timeframes = timeframes_us,
    .quote_assets = quote_assets_us,
    .symbol_separator = "",
    .limits = {.channels_per_connection = 1024,
               .messages_per_second = 5,
               .connections_per_5_minutes = 300,
               .channels_per_message = 100,
               .max_connection_age = 24h,
               .ping_interval = 180s,
               .weight_per_minute = 1200,
               .max_candles = 1000},
    .silence_limit = 60s,
    .channels = channels,
    .candle_stream = CandleStream::flagged,
    .trade_ids = TradeIds::consecutive,
    .quiet_periods = QuietPeriods::zero_rows,
    .book_rule = BookRule::ranges,
    .used_weight_header = "X-MBX-USED-WEIGHT-1M",
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request_us,
    .make_decoder = make_decoder,
    .explain_status = explain_status_us,
};

}  // namespace candlewick::exchange::binance
