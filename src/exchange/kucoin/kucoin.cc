// Facts of KuCoin spot, the token that a connection begins with, and the text that subscribes and
// asks.
//
// Sources: www.kucoin.com/docs-new (base info, spot market data, rate limit), read 2026-11-21.
#include "exchange/kucoin/kucoin.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/asset_names.h"
#include "exchange/reading.h"

namespace candlewick::exchange::kucoin {
namespace {

using namespace std::chrono_literals;

// Weeks count from a Thursday there, and where months begin is not said: both are left out.
constexpr std::array<TimeframeName, 12> types{{{Timeframe::m1, "1min"},
                                               {Timeframe::m3, "3min"},
                                               {Timeframe::m5, "5min"},
                                               {Timeframe::m15, "15min"},
                                               {Timeframe::m30, "30min"},
                                               {Timeframe::h1, "1hour"},
                                               {Timeframe::h2, "2hour"},
                                               {Timeframe::h4, "4hour"},
                                               {Timeframe::h6, "6hour"},
                                               {Timeframe::h8, "8hour"},
                                               {Timeframe::h12, "12hour"},
                                               {Timeframe::d1, "1day"}}};

constexpr auto timeframes = timeframes_of(types);

// Candles of five minutes are served by REST; of the stream's types they are none.
constexpr std::array<Timeframe, 11> streamed_timeframes{
    Timeframe::m1, Timeframe::m3, Timeframe::m15, Timeframe::m30, Timeframe::h1, Timeframe::h2,
    Timeframe::h4, Timeframe::h6, Timeframe::h8,  Timeframe::h12, Timeframe::d1};

constexpr std::array<AssetName, 6> renamed{{{"ALT", "APTOSLAUNCHTOKEN"},
                                            {"BIFI", "BIFIF"},
                                            {"FUD", "FTX Users' Debt"},
                                            {"KALT", "ALT"},
                                            {"VAI", "VAIOT"},
                                            {"WAX", "WAXP"}}};

std::string topic_of(const Channel& channel) {
  const auto& symbol = channel.instrument->exchange_symbol;
  switch (channel.kind) {
    case ChannelKind::candles:
      return fmt::format("/market/candles:{}_{}", symbol, type_of(channel.timeframe));
    case ChannelKind::trades:
      return fmt::format("/market/match:{}", symbol);
    case ChannelKind::quotes:
      return fmt::format("/spotMarket/level1:{}", symbol);
    case ChannelKind::book:
      return fmt::format("/market/level2:{}", symbol);
    case ChannelKind::ladder:
      return fmt::format("/spotMarket/level2Depth5:{}", symbol);
    case ChannelKind::ticker:
      return fmt::format("/market/snapshot:{}", symbol);
    case ChannelKind::aggregate_trades:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  std::unreachable();
}

// Only a venue's reply to the handshake says where to connect.
std::string stream_url(std::string_view ws_url, std::span<const Channel>) {
  return std::string(ws_url);
}

// One topic a message: the venue refuses a message whole when one of its topics does not exist.
std::vector<std::string> control(std::string_view type, std::span<const Channel> channels,
                                 std::uint64_t first_id) {
  std::vector<std::string> messages;
  for (const auto& channel : channels) {
    std::string text =
        fmt::format(R"({{"id":"{}","type":"{}","topic":)", first_id + messages.size(), type);
    json::append_string(text, topic_of(channel));
    messages.push_back(text + R"(,"privateChannel":false,"response":true})");
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("subscribe", channels, first_id);
}
std::vector<std::string> unsubscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("unsubscribe", channels, first_id);
}

constexpr int max_candles = 1500;

std::int64_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// An answer has the newest 1500 of the range, so the range is cut to as many. Whether its end
// counts is not said: a second before a candle's opening is right either way.
Result<RestRequest> candles(const RestQuery& query, std::string_view symbol) {
  const auto type = type_of(query.timeframe);
  if (type.empty())
    return fail(ErrorKind::rejected, "KuCoin has no candles of {}", to_text(query.timeframe));
  const int limit = query.limit > 0 ? std::min(query.limit, max_candles) : max_candles;
  std::string text = fmt::format("/api/v1/market/candles?symbol={}&type={}", symbol, type);
  if (query.start) {
    Time start = open_of(query.timeframe, *query.start);
    if (start < *query.start) start = next_open(query.timeframe, start);
    Time end = start;
    for (int i = 0; i < limit; ++i) end = next_open(query.timeframe, end);
    if (query.end) end = std::min(end, *query.end);
    text += fmt::format("&startAt={}&endAt={}", seconds_of(start), seconds_of(end) - 1);
  } else if (query.end) {
    text += fmt::format("&endAt={}", seconds_of(*query.end) - 1);
  }
  return RestRequest{text, 3};
}

// Weights as of the reference of each request; 2000 in 30 seconds may be spent by an address.
Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol =
      query.instrument == nullptr ? "" : percent_encoded(query.instrument->exchange_symbol);
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/api/v1/timestamp", 3};
    case RestKind::instruments:
      if (symbol.empty()) return RestRequest{"/api/v2/symbols", 4};
      return RestRequest{fmt::format("/api/v2/symbols/{}", symbol), 4};
    case RestKind::candles:
      return candles(query, symbol);
    case RestKind::trades:
      return RestRequest{fmt::format("/api/v1/market/histories?symbol={}", symbol), 3};
    case RestKind::ticker:
      return RestRequest{fmt::format("/api/v1/market/stats?symbol={}", symbol), 15};
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/api/v1/market/orderbook/level1?symbol={}", symbol), 2};
    // All levels are shown to members only.
    case RestKind::depth:
      if (query.limit > 0 && query.limit <= 20)
        return RestRequest{fmt::format("/api/v1/market/orderbook/level2_20?symbol={}", symbol), 2};
      return RestRequest{fmt::format("/api/v1/market/orderbook/level2_100?symbol={}", symbol), 4};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "KuCoin has no such request");
}

constexpr Duration usual_ping_interval = 18s;

std::string ping(std::uint64_t id) {
  return fmt::format(R"({{"id":"{}","type":"ping"}})", id);
}

RestRequest ask_for_a_token() {
  return {.target = "/api/v1/bullet-public", .weight = 10, .method = "POST", .body = {}};
}

struct Token {
  std::string code;
  std::string message;
  std::string token;
  std::string endpoint;
  Duration ping_interval{};
};

// {"code":"200000","data":{"token":"2neAiuYvAU61ZDXANAGAsiL4-…","instanceServers":[{"endpoint":
//  "wss://ws-api-spot.kucoin.com/","encrypt":true,"protocol":"websocket","pingInterval":18000,
//  "pingTimeout":10000}]}}
Result<Token> read_token(std::string_view reply) {
  Token found;
  json::Reader reader;
  auto read = reader.read(reply, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "code") found.code = value.raw();
      if (key == "msg") found.message = value.string();
      if (key != "data" || value.type() != json::Type::object) return;
      value.members([&](std::string_view name, json::Value part) {
        if (name == "token") found.token = part.string();
        if (name != "instanceServers") return;
        part.elements([&](json::Value server) {
          Token one;
          server.members([&](std::string_view word, json::Value fact) {
            if (word == "endpoint") one.endpoint = fact.string();
            if (word == "pingInterval")
              one.ping_interval = std::chrono::milliseconds{fact.unsigned_integer() % 1'000'000};
          });
          if (!found.endpoint.empty()) return;
          found.endpoint = one.endpoint;
          found.ping_interval = one.ping_interval;
        });
      });
    });
  });
  if (!read) return fail(read.error());
  return found;
}

// The reply names a host; one that the user has set takes its place.
Result<std::string> tokened_url(std::string_view reply, std::string_view ws_url,
                                std::span<const Channel>) {
  auto read = read_token(reply);
  if (!read) return fail(read.error());
  if (read->code != "200000") return fail(ErrorKind::rejected, "{}: {}", read->code, read->message);
  if (read->token.empty() || (read->endpoint.empty() && ws_url.empty()))
    return fail(ErrorKind::malformed, "a token and an endpoint were expected");
  std::string url(ws_url.empty() ? std::string_view(read->endpoint) : ws_url);
  while (url.ends_with('/')) url.pop_back();
  return fmt::format("{}/?token={}&connectId=candlewick", url, percent_encoded(read->token));
}

// As the reply says, but no more rarely than the answers that keep a quiet connection from being
// taken for dead.
Duration ping_interval_of(std::string_view reply) {
  const auto read = read_token(reply);
  return read ? std::min(read->ping_interval, usual_ping_interval) : Duration{0};
}

constexpr Handshake handshake{
    .request = ask_for_a_token, .stream_url = tokened_url, .heartbeat = ping_interval_of};

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
    case 451:
      return fmt::format(
          "the venue refuses requests from this address or country (HTTP {}); set "
          "CANDLEWICK_KUCOIN_BASE_URL and CANDLEWICK_KUCOIN_WS_URL to another host",
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

std::string_view type_of(Timeframe timeframe) {
  return name_of(types, timeframe);
}

std::optional<Timeframe> timeframe_of(std::string_view type) {
  return exchange::timeframe_of(types, type);
}

std::optional<Pair> read_pair(std::string_view symbol) {
  if (std::ranges::count(symbol, '-') != 1) return std::nullopt;
  return separated_pair(renamed, symbol, '-');
}

constinit const Venue kucoin{
    .name = "kucoin",
    .ccxt_id = "kucoin",
    .market = Market::spot,
    .rest_url = "https://api.kucoin.com",
    .ws_url = "wss://ws-api-spot.kucoin.com",
    .timeframes = timeframes,
    .symbol_separator = "-",
    .read_pair = read_pair,
    // 100 messages in ten seconds and 300 topics a connection. What may be spent in half a minute
    // is taken for a whole one, as it could be spent at once.
    .limits = {.channels_per_connection = 300,
               .messages_per_second = 9,
               .connections_per_5_minutes = 150,
               .channels_per_message = 1,
               .max_connection_age = 24h,
               .weight_per_minute = 2000,
               .max_candles = max_candles,
               .candle_replies_are_bounded = true},
    .silence_limit = 40s,
    .channels = channels,
    .candle_stream = CandleStream::forming,
    .streamed_timeframes = streamed_timeframes,
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::omitted,
    .book_rule = BookRule::ranges,
    .book_levels = 100,
    .heartbeat = {.interval = usual_ping_interval, .text = ping},
    .handshake = &handshake,
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/api/v1/market/allTickers", 15}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::kucoin
