// Facts of Coinbase Exchange and the text that subscribes and asks.
//
// Sources: docs.cdp.coinbase.com (exchange/websocket-feed, exchange-api: candles, book, trades,
// rate limits), read 2026-11-21.
#include "exchange/coinbase/coinbase.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/asset_names.h"
#include "exchange/reading.h"

namespace candlewick::exchange::coinbase {
namespace {

using namespace std::chrono_literals;

constexpr std::array<AssetName, 1> renamed{{{"CGLD", "CELO"}}};

constexpr std::array<Timeframe, 6> timeframes{Timeframe::m1, Timeframe::m5, Timeframe::m15,
                                              Timeframe::h1, Timeframe::h6, Timeframe::d1};

constexpr std::array<ChannelKind, 4> channels{ChannelKind::trades, ChannelKind::ticker,
                                              ChannelKind::quotes, ChannelKind::book};

std::string stream_url(std::string_view ws_url, std::span<const Channel>) {
  std::string url(ws_url);
  while (url.ends_with('/')) url.pop_back();
  return url + "/";
}

// A product that does not exist takes the whole message with it, so there is one for each; and its
// book has one of its own, as it is what the venue may refuse by itself.
std::vector<std::string> control(std::string_view type, std::span<const Channel> wanted) {
  struct Product {
    const Instrument* instrument;
    bool matches = false;
    bool ticker = false;
    bool book = false;
  };
  std::vector<Product> products;
  for (const auto& channel : wanted) {
    auto found = std::ranges::find(products, channel.instrument, &Product::instrument);
    if (found == products.end()) found = products.insert(found, {.instrument = channel.instrument});
    if (channel.kind == ChannelKind::trades) found->matches = true;
    if (channel.kind == ChannelKind::ticker || channel.kind == ChannelKind::quotes)
      found->ticker = true;
    if (channel.kind == ChannelKind::book) found->book = true;
  }
  std::vector<std::string> messages;
  const auto add = [&](const Product& product, std::string_view names) {
    std::string text = fmt::format(R"({{"type":"{}","product_ids":[)", type);
    json::append_string(text, product.instrument->exchange_symbol);
    text += fmt::format(R"(],"channels":[{}]}})", names);
    messages.push_back(std::move(text));
  };
  for (const auto& product : products) {
    // The heartbeat tells the venue's clock where nothing is traded, and keeps the connection.
    if (product.matches || product.ticker) {
      add(product, fmt::format("{}{}\"heartbeat\"", product.matches ? "\"matches\"," : "",
                               product.ticker ? "\"ticker\"," : ""));
    }
    if (product.book) add(product, "\"level2_batch\"");
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> wanted, std::uint64_t) {
  return control("subscribe", wanted);
}
std::vector<std::string> unsubscribe(std::span<const Channel> wanted, std::uint64_t) {
  return control("unsubscribe", wanted);
}

constexpr int most_candles = 300;

// Both ends count, and are needed both. More than 300 periods are refused.
std::string candle_range(const RestQuery& query) {
  if (!query.start) return {};
  const Duration length = length_of(query.timeframe);
  const int count = query.limit > 0 ? std::min(query.limit, most_candles) : most_candles;
  Time end = *query.start + length * (count - 1);
  if (query.end) end = std::min(end, *query.end - std::chrono::seconds{1});
  const auto text = [](Time time) {
    return percent_encoded(to_rfc3339(std::chrono::floor<std::chrono::seconds>(time)));
  };
  return "&start=" + text(*query.start) + "&end=" + text(std::max(end, *query.start));
}

Result<RestRequest> request(const RestQuery& query) {
  const auto product = [&](std::string_view what) {
    return fmt::format("/products/{}/{}",
                       query.instrument == nullptr
                           ? std::string{}
                           : percent_encoded(query.instrument->exchange_symbol),
                       what);
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/time"};
    case RestKind::instruments:
      if (query.instrument == nullptr) return RestRequest{"/products"};
      return RestRequest{"/products/" + percent_encoded(query.instrument->exchange_symbol)};
    case RestKind::candles:
      return RestRequest{product("candles") + fmt::format("?granularity={}{}",
                                                          length_of(query.timeframe) / Duration{1s},
                                                          candle_range(query))};
    case RestKind::trades:
    case RestKind::historical_trades: {
      constexpr int most = 1000;
      const int limit = query.limit > 0 ? std::min(query.limit, most) : most;
      // Pages go back in time: those before a number.
      return RestRequest{
          product("trades") + fmt::format("?limit={}", limit) +
          (query.from_id
               ? fmt::format("&after={}", *query.from_id + static_cast<std::uint64_t>(limit))
               : "")};
    }
    case RestKind::ticker:
      return RestRequest{product("stats")};
    case RestKind::price:
      return RestRequest{product("ticker")};
    case RestKind::quote:
      return RestRequest{product("book?level=1")};
    case RestKind::depth:
      return RestRequest{product("book?level=2")};
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "Coinbase has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
      return "the venue refuses requests from this address (HTTP 403); set "
             "CANDLEWICK_COINBASE_BASE_URL and CANDLEWICK_COINBASE_WS_URL to another host";
    case 429:
      return "more than ten requests a second from this address (HTTP 429)";
    default:
      return {};
  }
}

}  // namespace

std::optional<Pair> read_pair(std::string_view product) {
  if (std::ranges::count(product, '-') != 1) return std::nullopt;
  return separated_pair(renamed, product, '-');
}

constinit const Venue coinbase{
    .name = "coinbase",
    .ccxt_id = "coinbaseexchange",
    .market = Market::spot,
    .rest_url = "https://api.exchange.coinbase.com",
    .ws_url = "wss://ws-feed.exchange.coinbase.com",
    .timeframes = timeframes,
    .symbol_separator = "-",
    .read_pair = read_pair,
    .limits = {.channels_per_connection = 400,
               .messages_per_second = 10,
               .connections_per_5_minutes = 300,
               .channels_per_message = 3,
               // Ten a second, of which live needs and others behind the address take their part.
               .weight_per_minute = 400,
               .max_candles = most_candles},
    .silence_limit = 20s,
    .channels = channels,
    .candle_stream = CandleStream::none,
    .streamed_timeframes = {},
    .trade_ids = TradeIds::consecutive,
    .quiet_periods = QuietPeriods::omitted,
    .book_rule = BookRule::stream_ascending,
    .used_weight_header = "",
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::coinbase
