// Facts of Gate.io spot and the text that subscribes and asks.
//
// Sources: www.gate.io/docs/developers/apiv4 (REST and WebSocket of spot), read 2026-11-21; the
// unified names of assets are CCXT's choice.
#include "exchange/gateio/gateio.h"

#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/asset_names.h"
#include "exchange/reading.h"

namespace candlewick::exchange::gateio {
namespace {

using namespace std::chrono_literals;

// Candles of 7 and 30 days count from other days than ours.
constexpr std::array<TimeframeName, 8> intervals{{{Timeframe::m1, "1m"},
                                                  {Timeframe::m5, "5m"},
                                                  {Timeframe::m15, "15m"},
                                                  {Timeframe::m30, "30m"},
                                                  {Timeframe::h1, "1h"},
                                                  {Timeframe::h4, "4h"},
                                                  {Timeframe::h8, "8h"},
                                                  {Timeframe::d1, "1d"}}};

constexpr auto timeframes = timeframes_of(intervals);

constexpr std::array<AssetName, 20> renamed{
    {{"88MPH", "MPH"},          {"ASS", "ASSF"},          {"AXIS", "AXISDEFI"},
     {"BIFI", "BITCOINFILE"},   {"BOX", "DEFIBOX"},       {"BYN", "BEYONDFI"},
     {"EGG", "GOOSEFINANCE"},   {"GTC", "GAMECOM"},       {"GTC_BSC", "GAMECOM_BSC"},
     {"GTC_HT", "GAMECOM_HT"},  {"HIT", "HITCHAIN"},      {"MM", "MILLION"},
     {"MPH", "MORPHER"},        {"ORT", "XREATORS"},      {"POINT", "GATEPOINT"},
     {"RAI", "RAIREFLEXINDEX"}, {"SBTC", "SUPERBITCOIN"}, {"TNC", "TRINITYNETWORKCREDIT"},
     {"TRAC", "TRACO"},         {"VAI", "VAIOT"}}};

// The payload that names a channel's stream.
struct Stream {
  std::string_view channel;
  std::string payload;
};

std::string list_of(std::initializer_list<std::string_view> words) {
  std::string text = "[";
  for (const auto word : words) {
    if (text.size() > 1) text += ',';
    json::append_string(text, word);
  }
  return text + ']';
}

Stream stream_of(const Channel& channel) {
  const std::string_view symbol = channel.instrument->exchange_symbol;
  switch (channel.kind) {
    case ChannelKind::candles:
      return {"spot.candlesticks", list_of({interval_of(channel.timeframe), symbol})};
    case ChannelKind::trades:
      return {"spot.trades", list_of({symbol})};
    case ChannelKind::quotes:
      return {"spot.book_ticker", list_of({symbol})};
    case ChannelKind::book:
      return {"spot.order_book_update", list_of({symbol, "100ms"})};
    case ChannelKind::ladder:
      return {"spot.order_book", list_of({symbol, "5", "100ms"})};
    case ChannelKind::ticker:
      return {"spot.tickers", list_of({symbol})};
    case ChannelKind::aggregate_trades:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  std::unreachable();
}

std::string stream_url(std::string_view ws_url, std::span<const Channel>) {
  std::string url(ws_url);
  while (url.ends_with('/')) url.pop_back();
  return url + "/ws/v4/";
}

// One pair a message: an unknown one takes the others of its message with it. The time of a request
// is wanted for signatures only.
std::vector<std::string> control(std::string_view event, std::span<const Channel> channels,
                                 std::uint64_t first_id) {
  std::vector<std::string> messages;
  for (const auto& channel : channels) {
    const auto stream = stream_of(channel);
    messages.push_back(fmt::format(R"({{"id":{},"channel":"{}","event":"{}","payload":{}}})",
                                   first_id + messages.size(), stream.channel, event,
                                   stream.payload));
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("subscribe", channels, first_id);
}
std::vector<std::string> unsubscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("unsubscribe", channels, first_id);
}

constexpr int max_candles = 1000;
constexpr int book_levels = 100;

std::int64_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Both ends count, and a range of more than 1000 is refused; `limit` may not stand beside one. CCXT
// lets no range end in the future, though nothing is said about one that does.
Result<RestRequest> candles(const RestQuery& query, std::string_view symbol) {
  const auto interval = interval_of(query.timeframe);
  if (interval.empty())
    return fail(ErrorKind::rejected, "Gate.io has no candles of {}", to_text(query.timeframe));
  const int limit = query.limit > 0 ? std::min(query.limit, max_candles) : max_candles;
  std::string text =
      fmt::format("/api/v4/spot/candlesticks?currency_pair={}&interval={}", symbol, interval);
  if (query.start) {
    Time start = open_of(query.timeframe, *query.start);
    if (start < *query.start) start = next_open(query.timeframe, start);
    Time end = start;
    for (int i = 0; i < limit; ++i) end = next_open(query.timeframe, end);
    if (query.end) end = std::min(end, *query.end);
    std::int64_t last = seconds_of(end) - 1;
    if (query.now) last = std::min(last, std::max(seconds_of(*query.now), seconds_of(start)));
    text += fmt::format("&from={}&to={}", seconds_of(start), last);
  } else {
    if (query.end) text += fmt::format("&to={}", seconds_of(*query.end) - 1);
    text += fmt::format("&limit={}", limit);
  }
  return RestRequest{text, 1};
}

// 200 requests in ten seconds for each of these by itself.
Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol =
      query.instrument == nullptr ? "" : percent_encoded(query.instrument->exchange_symbol);
  const auto limit = [&](int largest) {
    return query.limit > 0 ? std::min(query.limit, largest) : largest;
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/api/v4/spot/time", 1};
    case RestKind::instruments:
      if (symbol.empty()) return RestRequest{"/api/v4/spot/currency_pairs", 1};
      return RestRequest{fmt::format("/api/v4/spot/currency_pairs/{}", symbol), 1};
    case RestKind::candles:
      return candles(query, symbol);
    case RestKind::trades:
      return RestRequest{
          fmt::format("/api/v4/spot/trades?currency_pair={}&limit={}", symbol, limit(1000)), 1};
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/api/v4/spot/tickers?currency_pair={}", symbol), 1};
    case RestKind::depth:
      return RestRequest{
          fmt::format("/api/v4/spot/order_book?currency_pair={}&limit={}&with_id=true", symbol,
                      limit(book_levels)),
          1};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Gate.io has no such request");
}

std::string ping(std::uint64_t id) {
  return fmt::format(R"({{"id":{},"channel":"spot.ping"}})", id);
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
    case 451:
      return fmt::format(
          "the venue refuses requests from this address or country (HTTP {}); set "
          "CANDLEWICK_GATEIO_BASE_URL and CANDLEWICK_GATEIO_WS_URL to another host",
          http_status);
    case 429:
      return "the venue's request limit is used up (HTTP 429)";
    default:
      return {};
  }
}

constexpr std::array<ChannelKind, 6> channels{ChannelKind::candles, ChannelKind::trades,
                                              ChannelKind::quotes,  ChannelKind::book,
                                              ChannelKind::ladder,  ChannelKind::ticker};

}  // namespace

std::string_view interval_of(Timeframe timeframe) {
  return name_of(intervals, timeframe);
}

std::optional<Timeframe> timeframe_of(std::string_view interval) {
  return exchange::timeframe_of(intervals, interval);
}

std::optional<Pair> read_pair(std::string_view symbol) {
  return separated_pair(renamed, symbol, '_');
}

constinit const Venue gateio{
    .name = "gateio",
    .ccxt_id = "gate",
    .market = Market::spot,
    .rest_url = "https://api.gateio.ws",
    .ws_url = "wss://api.gateio.ws",
    .timeframes = timeframes,
    .symbol_separator = "_",
    .read_pair = read_pair,
    // Of streams and messages no limits are told; these are those of venues like it.
    .limits = {.channels_per_connection = 200,
               .messages_per_second = 10,
               .connections_per_5_minutes = 300,
               .channels_per_message = 1,
               .weight_per_minute = 1000,
               .max_candles = max_candles,
               // 10,000, of which some pass while a request is under way.
               .history_candles = 9990,
               .candle_replies_are_bounded = true},
    .silence_limit = 30s,
    .channels = channels,
    .candle_stream = CandleStream::flagged,
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::omitted,
    .book_rule = BookRule::ranges,
    .book_levels = book_levels,
    .heartbeat = {.interval = 10s, .text = ping},
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/api/v4/spot/tickers", 1}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::gateio
