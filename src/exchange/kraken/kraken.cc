// Facts of Kraken spot and the text that subscribes and asks.
//
// Sources: docs.kraken.com (websocket-v2, rest-api, guides/spot-ws-intro, guides/spot-rest-intro,
// guides/spot-rest-ratelimits), read 2026-11-21.
#include "exchange/kraken/kraken.h"

#include <array>
#include <map>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/kraken/symbols.h"
#include "exchange/reading.h"

namespace candlewick::exchange::kraken {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t symbols_per_message = 100;
// One of 10, 25, 100, 500, 1000.
constexpr int depth = 100;

constexpr std::array<std::string_view, 18> quote_assets{
    "USDT", "USDC", "USDG", "USDQ", "USDR", "RLUSD", "PYUSD", "EURC", "EURR",
    "USD",  "EUR",  "GBP",  "AUD",  "CAD",  "CHF",   "JPY",   "BTC",  "ETH"};

// Weeks of Kraken open on Thursdays, as the epoch did, and its longest candles have 15 days: no
// lengths of ours.
constexpr std::array<Timeframe, 7> timeframes{Timeframe::m1,  Timeframe::m5, Timeframe::m15,
                                              Timeframe::m30, Timeframe::h1, Timeframe::h4,
                                              Timeframe::d1};

constexpr std::array<ChannelKind, 5> channels{ChannelKind::candles, ChannelKind::trades,
                                              ChannelKind::quotes, ChannelKind::book,
                                              ChannelKind::ticker};

std::string stream_url(std::string_view ws_url, std::span<const Channel>) {
  std::string url(ws_url);
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with("/v2") ? url : url + "/v2";
}

// The ticker tells quotes too, if it is to be sent with each of their changes.
bool wants_quotes(std::span<const Channel> all, const Instrument* instrument) {
  return std::ranges::find(all, Channel{.kind = ChannelKind::quotes, .instrument = instrument}) !=
         all.end();
}

// What a subscription has beside its symbols; channels with the same share messages. A symbol that
// is refused is refused alone: there is one answer for each.
std::string parameters(const Channel& channel, std::span<const Channel> all, bool subscribes) {
  switch (channel.kind) {
    case ChannelKind::candles:
      return fmt::format(R"("channel":"ohlc","interval":{})",
                         length_of(channel.timeframe) / Duration{1min});
    case ChannelKind::ticker:
    case ChannelKind::quotes:
      return fmt::format(R"("channel":"ticker","event_trigger":"{}")",
                         wants_quotes(all, channel.instrument) ? "bbo" : "trades");
    case ChannelKind::trades:
      return subscribes ? R"("channel":"trade","snapshot":false)" : R"("channel":"trade")";
    case ChannelKind::book:
      return fmt::format(R"("channel":"book","depth":{})", depth);
    case ChannelKind::aggregate_trades:
    case ChannelKind::ladder:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  return {};
}

std::vector<std::string> control(std::string_view method, std::span<const Channel> wanted,
                                 std::uint64_t first_id) {
  std::map<std::string, std::vector<std::string_view>> groups;
  std::vector<std::string> order;
  for (const auto& channel : wanted) {
    const auto key = parameters(channel, wanted, method == "subscribe");
    if (key.empty()) continue;
    auto [group, is_new] = groups.try_emplace(key);
    if (is_new) order.push_back(key);
    const std::string_view symbol = channel.instrument->exchange_symbol;
    if (std::ranges::find(group->second, symbol) == group->second.end())
      group->second.push_back(symbol);
  }
  std::vector<std::string> messages;
  for (const auto& key : order) {
    const std::span<const std::string_view> symbols = groups.at(key);
    for (std::size_t at = 0; at < symbols.size(); at += symbols_per_message) {
      std::string text = fmt::format(R"({{"method":"{}","params":{{{},"symbol":[)", method, key);
      const auto part = symbols.subspan(at, std::min(symbols_per_message, symbols.size() - at));
      for (const auto symbol : part) {
        if (text.back() != '[') text += ',';
        json::append_string(text, symbol);
      }
      text += fmt::format(R"(]}},"req_id":{}}})", first_id + messages.size());
      messages.push_back(std::move(text));
    }
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> wanted, std::uint64_t first_id) {
  return control("subscribe", wanted, first_id);
}
std::vector<std::string> unsubscribe(std::span<const Channel> wanted, std::uint64_t first_id) {
  return control("unsubscribe", wanted, first_id);
}

// Keeps an idle connection, and its answer tells the venue's clock in quiet markets.
std::string ping(std::uint64_t id) {
  return fmt::format(R"({{"method":"ping","req_id":{}}})", id);
}

Result<RestRequest> request(const RestQuery& query) {
  const auto pair = [&] {
    return query.instrument == nullptr
               ? std::string{}
               : percent_encoded(rest_pair(query.instrument->exchange_symbol));
  };
  const auto limited = [&](int most) {
    return query.limit > 0 ? std::min(query.limit, most) : most;
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/0/public/Time"};
    case RestKind::instruments:
      if (query.instrument == nullptr) return RestRequest{"/0/public/AssetPairs"};
      return RestRequest{fmt::format("/0/public/AssetPairs?pair={}", pair())};
    case RestKind::candles: {
      const auto minutes = length_of(query.timeframe) / Duration{1min};
      std::string target = fmt::format("/0/public/OHLC?pair={}&interval={}", pair(), minutes);
      // Rows that open after `since`: one earlier shows `start` itself however that is read. There
      // is no end.
      if (query.start) {
        const auto since =
            std::chrono::floor<std::chrono::seconds>(*query.start - length_of(query.timeframe));
        target +=
            fmt::format("&since={}", std::max<std::int64_t>(0, since.time_since_epoch().count()));
      }
      return RestRequest{std::move(target)};
    }
    case RestKind::trades:
    case RestKind::historical_trades:
      // Trades after `since`, which counts nanoseconds.
      return RestRequest{fmt::format(
          "/0/public/Trades?pair={}{}&count={}", pair(),
          query.start ? fmt::format("&since={}", to_ns(*query.start) - 1) : "", limited(1000))};
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/0/public/Ticker?pair={}", pair())};
    case RestKind::depth:
      return RestRequest{fmt::format("/0/public/Depth?pair={}&count={}", pair(), limited(500))};
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Kraken has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 429:
      return "too many requests or connections from this address (HTTP 429): Kraken's front lets "
             "some 150 connections in ten minutes through and bans for as long";
    case 403:
      return "the front of the venue refuses this address (HTTP 403); set "
             "CANDLEWICK_KRAKEN_BASE_URL and CANDLEWICK_KRAKEN_WS_URL to another host";
    case 520:
    case 530:
      return fmt::format("the front of the venue does not reach the venue (HTTP {})", http_status);
    default:
      return {};
  }
}

}  // namespace

constinit const Venue kraken{
    .name = "kraken",
    .ccxt_id = "kraken",
    .market = Market::spot,
    .rest_url = "https://api.kraken.com",
    .ws_url = "wss://ws.kraken.com/v2",
    .timeframes = timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "/",
    .read_pair = read_pair,
    .limits = {.channels_per_connection = 500,
               .messages_per_second = 10,
               .connections_per_5_minutes = 75,
               .channels_per_message = symbols_per_message,
               .weight_per_minute = 60,
               // 720 committed rows and the running one; a minute less, so that the oldest is still
               // there when the question arrives.
               .max_candles = 720,
               .history_candles = 719},
    .silence_limit = 20s,
    .channels = channels,
    .candle_stream = CandleStream::forming,
    .streamed_timeframes = {},
    .trade_ids = TradeIds::consecutive,
    .quiet_periods = QuietPeriods::zero_rows,
    .book_rule = BookRule::stream_ascending,
    .book_levels = 500,
    .book_depth = depth,
    .checksum = checksum,
    .checksum_levels = 10,
    .heartbeat = {.interval = 10s, .text = ping},
    .used_weight_header = "",
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/0/public/Ticker", 1}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::kraken
