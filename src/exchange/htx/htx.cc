// Facts of HTX and the text that subscribes and asks.
//
// Sources: huobiapi.github.io/docs/spot/v1/en (reference data, market data, websocket market data);
// market/history/candles, which is not documented there, and the names of assets are CCXT's
// (4.5.84); read 2026-11-21.
#include "exchange/htx/htx.h"

#include <array>

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/asset_names.h"
#include "exchange/reading.h"

namespace candlewick::exchange::htx {
namespace {

using namespace std::chrono_literals;

// Days and longer open on UTC+8; four hours fit both.
constexpr std::array<TimeframeName, 6> periods{{{Timeframe::m1, "1min"},
                                                {Timeframe::m5, "5min"},
                                                {Timeframe::m15, "15min"},
                                                {Timeframe::m30, "30min"},
                                                {Timeframe::h1, "60min"},
                                                {Timeframe::h4, "4hour"}}};
constexpr auto timeframes = timeframes_of(periods);

// Symbols are taken apart in this order, so an asset stands before those that end it.
constexpr std::array<std::string_view, 13> quote_assets{"USDT",  "HUSD", "USDC", "USDD", "TUSD",
                                                        "FDUSD", "USD1", "BTC",  "ETH",  "TRX",
                                                        "EUR",   "USD",  "HT"};

constexpr std::array<AssetName, 9> renamed{{{"BIFI", "BITCOINFILE"},
                                            {"FUD", "FTX Users Debt"},
                                            {"GET", "THEMIS"},
                                            {"GTC", "GAMECOM"},
                                            {"HIT", "HITCHAIN"},
                                            {"NGL", "GFNGL"},
                                            {"PNT", "PENTA"},
                                            {"SBTC", "SUPERBITCOIN"},
                                            {"SOUL", "SOULSAVER"}}};

constexpr std::array<ChannelKind, 5> channels{ChannelKind::candles, ChannelKind::trades,
                                              ChannelKind::quotes, ChannelKind::book,
                                              ChannelKind::ticker};

constexpr int most_candles = 1000;
constexpr int most_newest_candles = 2000;

// Books with numbers have a path of their own.
int line_of(const Channel& channel) {
  return channel.kind == ChannelKind::book ? 1 : 0;
}

std::string stream_url(std::string_view ws_url, std::span<const Channel> all) {
  while (ws_url.ends_with('/')) ws_url.remove_suffix(1);
  return std::string(ws_url) + (!all.empty() && line_of(all.front()) == 1 ? "/feed" : "/ws");
}

std::string topic_of(const Channel& channel) {
  const auto about = [&](std::string_view what) {
    return fmt::format("market.{}.{}", channel.instrument->exchange_symbol, what);
  };
  switch (channel.kind) {
    case ChannelKind::candles: {
      const auto period = period_of(channel.timeframe);
      return period.empty() ? std::string{} : about(fmt::format("kline.{}", period));
    }
    case ChannelKind::trades:
      return about("trade.detail");
    case ChannelKind::quotes:
      return about("bbo");
    case ChannelKind::book:
      return about("mbp.150");
    case ChannelKind::ticker:
      return about("ticker");
    case ChannelKind::aggregate_trades:
    case ChannelKind::ladder:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  return {};
}

// One topic a message, so that a refusal concerns nothing else.
std::vector<std::string> control(std::string_view verb, std::span<const Channel> wanted,
                                 std::uint64_t first_id) {
  std::vector<std::string> messages;
  for (const auto& channel : wanted) {
    const auto topic = topic_of(channel);
    if (topic.empty()) continue;
    std::string text = fmt::format(R"({{"{}":)", verb);
    json::append_string(text, topic);
    messages.push_back(text + fmt::format(R"(,"id":"{}"}})", first_id + messages.size()));
  }
  return messages;
}

std::vector<std::string> subscribe(std::span<const Channel> wanted, std::uint64_t first_id) {
  return control("sub", wanted, first_id);
}
// When the subscription that follows is acknowledged, the decoder asks for the book's snapshot.
std::vector<std::string> unsubscribe(std::span<const Channel> wanted, std::uint64_t first_id) {
  return control("unsub", wanted, first_id);
}

// From a time on there are at most 1000 rows; what is newest is known to both endpoints.
std::string candles_target(const RestQuery& query, std::string_view symbol) {
  const auto period = period_of(query.timeframe);
  if (!query.start) {
    return fmt::format(
        "/market/history/kline?symbol={}&period={}&size={}", symbol, period,
        query.limit > 0 ? std::min(query.limit, most_newest_candles) : most_newest_candles);
  }
  const int count = query.limit > 0 ? std::min(query.limit, most_candles) : most_candles;
  const auto seconds = [](Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  };
  // Both ends count. What one in the future is taken for is not said.
  Time last = *query.start + (count - 1) * length_of(query.timeframe);
  if (query.end) last = std::min(last, *query.end - 1s);
  if (query.now) last = std::min(last, *query.now);
  return fmt::format("/market/history/candles?symbol={}&period={}&size={}&from={}&to={}", symbol,
                     period, most_candles, seconds(*query.start),
                     seconds(std::max(last, *query.start)));
}

Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol = query.instrument == nullptr
                                 ? std::string{}
                                 : percent_encoded(query.instrument->exchange_symbol);
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/v1/common/timestamp"};
    case RestKind::instruments:
      return RestRequest{"/v1/common/symbols"};
    case RestKind::candles:
      return RestRequest{candles_target(query, symbol)};
    case RestKind::trades: {
      constexpr int most = 2000;
      // The newest ones only.
      if (query.from_id || query.start) break;
      return RestRequest{fmt::format("/market/history/trade?symbol={}&size={}", symbol,
                                     query.limit > 0 ? std::min(query.limit, most) : most)};
    }
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{"/market/detail/merged?symbol=" + symbol};
    case RestKind::depth:
      return RestRequest{fmt::format("/market/depth?symbol={}&type=step0", symbol)};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "HTX has no such request");
}

std::string explain_status(int http_status) {
  switch (http_status) {
    case 403:
      return "the venue refuses requests from this address (HTTP 403); set "
             "CANDLEWICK_HTX_BASE_URL and CANDLEWICK_HTX_WS_URL to another host "
             "(api-aws.huobi.pro)";
    case 429:
      return "more than ten requests a second from this address (HTTP 429)";
    default:
      return {};
  }
}

}  // namespace

std::string_view period_of(Timeframe timeframe) {
  return name_of(periods, timeframe);
}

std::optional<Timeframe> timeframe_of(std::string_view period) {
  return exchange::timeframe_of(periods, period);
}

std::string unified_asset(std::string_view asset) {
  return exchange::unified_asset(renamed, asset);
}

std::optional<Pair> read_pair(std::string_view symbol) {
  if (symbol.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string_view::npos)
    return std::nullopt;
  for (const auto quote : quote_assets) {
    const auto ending = lower(quote);
    if (symbol.size() <= ending.size() || !symbol.ends_with(ending)) continue;
    return Pair{unified_asset(symbol.substr(0, symbol.size() - ending.size())), std::string(quote)};
  }
  return std::nullopt;
}

std::string symbol_of(std::string_view base, std::string_view quote) {
  return lower(asset_of_venue(renamed, base) + asset_of_venue(renamed, quote));
}

constinit const Venue htx{
    .name = "htx",
    .ccxt_id = "htx",
    .market = Market::spot,
    .rest_url = "https://api.huobi.pro",
    .ws_url = "wss://api.huobi.pro",
    .timeframes = timeframes,
    .quote_assets = quote_assets,
    .symbol_separator = "",
    .read_pair = read_pair,
    .limits = {.channels_per_connection = 100,
               .messages_per_second = 20,
               .connections_per_5_minutes = 100,
               .channels_per_message = 1,
               // Ten a second, of which live needs and others behind the address take their part.
               .weight_per_minute = 400,
               .max_candles = most_candles,
               .candle_replies_are_bounded = true},
    // Pings come every five seconds.
    .silence_limit = 15s,
    .channels = channels,
    .candle_stream = CandleStream::forming,
    .streamed_timeframes = {},
    .trade_ids = TradeIds::ascending,
    .quiet_periods = QuietPeriods::zero_rows,
    .first_candle = FirstCandle::not_told,
    .book_rule = BookRule::stream_linked,
    .book_levels = 150,
    .book_depth = 150,
    .used_weight_header = "",
    .line_of = line_of,
    .stream_url = stream_url,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .request = request,
    .all_tickers = [] { return RestRequest{"/market/tickers"}; },
    .make_decoder = make_decoder,
    .explain_status = explain_status,
};

}  // namespace candlewick::exchange::htx
