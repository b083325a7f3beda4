// Facts of Binance's USD-M futures: the protocol of spot on other hosts, with streams at two paths,
// a book that is chained by the update before, and figures of their own.
//
// Sources: developers.binance.com, derivatives / usds-margined-futures (market streams, REST,
// "Important WebSocket Change Notice" of 2026-03-06), read 2026-11-21.
#include <array>

#include <fmt/format.h>

#include "exchange/binance/binance.h"
#include "exchange/binance/streams.h"
#include "exchange/reading.h"

namespace candlewick::exchange::binance {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 4> quote_assets{"USDT", "USDC", "BUSD", "BTC"};

// There are none of 1s.
constexpr std::span<const Timeframe> timeframes{all_timeframes.data() + 1,
                                                all_timeframes.size() - 1};

// Since 2026-04-23 streams are served at two paths: what comes often at one, the rest at the other;
// a stream at the wrong one stays silent.
int line_of(const Channel& channel) {
  switch (channel.kind) {
    case ChannelKind::quotes:
    case ChannelKind::book:
    case ChannelKind::ladder:
    case ChannelKind::trades:
      return 0;
    default:
      return 1;
  }
}

std::string stream_url(std::string_view ws_url, std::span<const Channel> channels) {
  while (ws_url.ends_with('/')) ws_url.remove_suffix(1);
  const bool is_public = !channels.empty() && line_of(channels.front()) == 0;
  return combined_url(fmt::format("{}/{}", ws_url, is_public ? "public" : "market"), channels);
}

int candles_weight(int limit) {
  return limit < 100 ? 1 : limit < 500 ? 2 : limit <= 1000 ? 5 : 10;
}
int depth_weight(int limit) {
  return limit <= 50 ? 2 : limit <= 100 ? 5 : limit <= 500 ? 10 : 20;
}
// No others are served.
int depth_limit(int wanted) {
  for (const int limit : {5, 10, 20, 50, 100, 500}) {
    if (wanted > 0 && wanted <= limit) return limit;
  }
  return 1000;
}

Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol = query.instrument == nullptr
                                 ? std::string{}
                                 : percent_encoded(query.instrument->exchange_symbol);
  const auto limit = [&](int largest) {
    return query.limit > 0 ? std::min(query.limit, largest) : largest;
  };
  const auto from_id = [&] {
    return query.from_id ? fmt::format("&fromId={}", *query.from_id) : std::string{};
  };
  // The venue's end is inclusive and candles are named by their open, ours is exclusive.
  const auto range = [&] {
    std::string text;
    if (query.start) text += fmt::format("&startTime={}", to_ms(*query.start));
    if (query.end) text += fmt::format("&endTime={}", to_ms(*query.end - Duration{1}));
    return text;
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/fapi/v1/time", 1};
    case RestKind::instruments:
      return RestRequest{"/fapi/v1/exchangeInfo", 1};
    case RestKind::candles:
      // 1500 at once cost twice as much as 1000.
      return RestRequest{fmt::format("/fapi/v1/klines?symbol={}&interval={}{}&limit={}", symbol,
                                     to_text(query.timeframe), range(), limit(1000)),
                         candles_weight(limit(1000))};
    case RestKind::trades:
      return RestRequest{fmt::format("/fapi/v1/trades?symbol={}&limit={}", symbol, limit(1000)), 5};
    case RestKind::historical_trades:
      // Only with a key.
      return fail(ErrorKind::rejected, "the venue serves old trades to key holders only");
    case RestKind::aggregate_trades:
      return RestRequest{fmt::format("/fapi/v1/aggTrades?symbol={}{}&limit={}{}", symbol, range(),
                                     limit(1000), from_id()),
                         20};
    case RestKind::ticker:
      return RestRequest{fmt::format("/fapi/v1/ticker/24hr?symbol={}", symbol), 1};
    case RestKind::price:
      return RestRequest{fmt::format("/fapi/v2/ticker/price?symbol={}", symbol), 1};
    case RestKind::quote:
      return RestRequest{fmt::format("/fapi/v1/ticker/bookTicker?symbol={}", symbol), 2};
    case RestKind::average_price:
      return fail(ErrorKind::rejected, "there is no average price of futures");
    case RestKind::depth: {
      const int levels = depth_limit(query.limit);
      return RestRequest{fmt::format("/fapi/v1/depth?symbol={}&limit={}", symbol, levels),
                         depth_weight(levels)};
    }
    case RestKind::derivative:
      // The mark price and the funding rate come by their stream.
      return RestRequest{fmt::format("/fapi/v1/openInterest?symbol={}", symbol), 1};
  }
  std::unreachable();
}

std::string explain_status(int http_status) {
  return explain(http_status, "CANDLEWICK_BINANCE_USDM",
                 "a proxy elsewhere; there is no host of public data alone");
}

// Trades come in no documented stream but as aggregates, which leave those of the insurance fund
// out: no candles are built of them.
constexpr std::array<ChannelKind, 7> channels{
    ChannelKind::candles, ChannelKind::aggregate_trades, ChannelKind::quotes,    ChannelKind::book,
    ChannelKind::ladder,  ChannelKind::ticker,           ChannelKind::derivative};

}  // namespace

constinit const Venue binance_usdm{
    .name = "binance",
    .key = "binance-usdm",
    .ccxt_id = "binanceusdm",
    .market = Market::swap,
    .rest_url = "https://fapi.binance.com",
    .ws_url = "wss://fstream.binance.com",
    .timeframes = timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "",
    .limits = {.channels_per_connection = 1024,
               .messages_per_second = 5,
               .connections_per_5_minutes = 300,
               .channels_per_message = 100,
               .max_connection_age = 24h,
               .ping_interval = 180s,
               .weight_per_minute = 2400,
               .max_candles = 1000},
    .silence_limit = 60s,
    .channels = channels,
    .candle_stream = CandleStream::flagged,
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::zero_rows,
    .book_rule = BookRule::linked,
    .used_weight_header = "X-MBX-USED-WEIGHT-1M",
    .line_of = line_of,
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/fapi/v1/ticker/24hr", 40}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::binance
