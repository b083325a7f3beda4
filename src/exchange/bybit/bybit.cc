// Facts of Bybit spot and the text that subscribes and asks.
//
// Source: bybit-exchange/docs at 072c197d0 (2026-07-24), docs/v5, read 2026-11-21.
#include "exchange/bybit/bybit.h"

#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bybit {
namespace {

using namespace std::chrono_literals;

constexpr std::array<TimeframeName, 13> intervals{{{Timeframe::m1, "1"},
                                                   {Timeframe::m3, "3"},
                                                   {Timeframe::m5, "5"},
                                                   {Timeframe::m15, "15"},
                                                   {Timeframe::m30, "30"},
                                                   {Timeframe::h1, "60"},
                                                   {Timeframe::h2, "120"},
                                                   {Timeframe::h4, "240"},
                                                   {Timeframe::h6, "360"},
                                                   {Timeframe::h12, "720"},
                                                   {Timeframe::d1, "D"},
                                                   {Timeframe::w1, "W"},
                                                   {Timeframe::mo1, "M"}}};

constexpr auto timeframes = timeframes_of(intervals);

// None ends another.
constexpr std::array<std::string_view, 13> quote_assets{"USDT", "USDC", "USDE", "USD1", "USDQ",
                                                        "USDR", "EUR",  "BRL",  "TRY",  "PLN",
                                                        "BTC",  "ETH",  "DAI"};

std::string topic_of(const Channel& channel) {
  const std::string& symbol = channel.instrument->exchange_symbol;
  switch (channel.kind) {
    case ChannelKind::candles:
      return fmt::format("kline.{}.{}", interval_of(channel.timeframe), symbol);
    case ChannelKind::trades:
      return "publicTrade." + symbol;
    case ChannelKind::quotes:
      return "orderbook.1." + symbol;
    case ChannelKind::book:
      return "orderbook.200." + symbol;
    case ChannelKind::ticker:
      return "tickers." + symbol;
    case ChannelKind::aggregate_trades:
    case ChannelKind::ladder:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  std::unreachable();
}

std::string stream_url(std::string_view ws_url, std::span<const Channel> /*channels*/) {
  while (ws_url.ends_with('/')) ws_url.remove_suffix(1);
  return fmt::format("{}/v5/public/spot", ws_url);
}

// One topic a message, whose id is the topic: a request with a topic that is refused is refused
// whole, and the refusal repeats nothing but the id.
std::vector<std::string> control(std::string_view operation, std::span<const Channel> channels) {
  std::vector<std::string> messages;
  for (const auto& channel : channels) {
    std::string topic;
    json::append_string(topic, topic_of(channel));
    messages.push_back(
        fmt::format(R"({{"req_id":{0},"op":"{1}","args":[{0}]}})", topic, operation));
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

constexpr int max_candles = 1000;

// Both ends are inclusive. The newest rows of a range come first, so it is cut to what one answer
// holds.
Result<RestRequest> candles(const RestQuery& query, std::string_view symbol) {
  const auto interval = interval_of(query.timeframe);
  if (interval.empty())
    return fail(ErrorKind::rejected, "Bybit has no candles of {}", to_text(query.timeframe));
  const int limit = query.limit > 0 ? std::min(query.limit, max_candles) : max_candles;
  std::string text =
      fmt::format("/v5/market/kline?category=spot&symbol={}&interval={}", symbol, interval);
  std::optional<Time> end = query.end;
  if (query.start) {
    text += fmt::format("&start={}", to_ms(*query.start));
    Time last = open_of(query.timeframe, *query.start);
    if (last < *query.start) last = next_open(query.timeframe, last);
    for (int i = 0; i < limit; ++i) last = next_open(query.timeframe, last);
    end = end ? std::min(*end, last) : last;
  }
  if (end) text += fmt::format("&end={}", to_ms(*end) - 1);
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
      return RestRequest{"/v5/market/time", 1};
    case RestKind::instruments:
      return RestRequest{
          symbol.empty()
              ? "/v5/market/instruments-info?category=spot"
              : fmt::format("/v5/market/instruments-info?category=spot&symbol={}", symbol),
          1};
    case RestKind::candles:
      return candles(query, symbol);
    case RestKind::trades:
      return RestRequest{fmt::format("/v5/market/recent-trade?category=spot&symbol={}&limit={}",
                                     symbol, limit(60)),
                         1};
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/v5/market/tickers?category=spot&symbol={}", symbol), 1};
    case RestKind::depth:
      return RestRequest{
          fmt::format("/v5/market/orderbook?category=spot&symbol={}&limit={}", symbol, limit(1000)),
          1};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Bybit has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
      return "the venue refused the request (HTTP 403), for its rate (then it answers again after "
             "ten minutes without any) or for its address (the United States and mainland China "
             "are refused); slow down, or set CANDLEWICK_BYBIT_BASE_URL and "
             "CANDLEWICK_BYBIT_WS_URL to another host";
    case 451:
      return "the venue refuses requests from this country (HTTP 451); set "
             "CANDLEWICK_BYBIT_BASE_URL and CANDLEWICK_BYBIT_WS_URL to another host";
    case 429:
      return "the venue protects itself against too many requests (HTTP 429)";
    default:
      return {};
  }
}

std::string ping(std::uint64_t id) {
  return fmt::format(R"({{"req_id":"{}","op":"ping"}})", id);
}

constexpr std::array<ChannelKind, 5> channels{ChannelKind::candles, ChannelKind::trades,
                                              ChannelKind::quotes, ChannelKind::book,
                                              ChannelKind::ticker};

}  // namespace

std::string_view interval_of(Timeframe timeframe) {
  return name_of(intervals, timeframe);
}

std::optional<Timeframe> timeframe_of(std::string_view interval) {
  return exchange::timeframe_of(intervals, interval);
}

constinit const Venue bybit{
    .name = "bybit",
    .ccxt_id = "bybit",
    .market = Market::spot,
    .rest_url = "https://api.bybit.com",
    .ws_url = "wss://stream.bybit.com",
    .timeframes = timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "",
    // Topics of one connection may have 21,000 characters together.
    .limits = {.channels_per_connection = 500,
               .messages_per_second = 20,
               .connections_per_5_minutes = 500,
               .channels_per_message = 1,
               .weight_per_minute = 6000,
               .max_candles = max_candles,
               .candle_replies_are_bounded = true},
    .silence_limit = 30s,
    .channels = channels,
    .candle_stream = CandleStream::flagged,
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::zero_rows,
    .book_rule = BookRule::stream_consecutive,
    .book_levels = 1000,
    .book_depth = 200,
    .heartbeat = {.interval = 20s, .text = ping},
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/v5/market/tickers?category=spot", 1}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::bybit
