// Facts of Binance spot and Binance.US and the text that subscribes and asks.
//
// Sources: rest-api.md, web-socket-streams.md and faqs/market_data_only.md of
// binance-spot-api-docs, read 2026-07-21; binance-us-api-docs, read 2024-06-17.
#include "exchange/binance/binance.h"

#include <array>

#include <fmt/format.h>

#include "exchange/binance/streams.h"
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
    .stream_url = combined_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/api/v3/ticker/24hr", 80}; },
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
    .stream_url = combined_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request_us,
    .all_tickers = [] { return RestRequest{"/api/v3/ticker/24hr", 40}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status_us,
};

}  // namespace candlewick::exchange::binance
