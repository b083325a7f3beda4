// The facts of a venue as CCXT knows them, and the lines that subscribe and ask.
//
// Source: CCXT's manual and the unified structures of its JavaScript package 4.5.58, read
// 2026-11-21.
#include "exchange/ccxt/ccxt.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/reading.h"
#include "exchange/registry.h"

namespace candlewick::exchange::ccxt {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view prefix = "ccxt:";
// CCXT paces requests itself; no more than this even where it would.
constexpr std::int64_t most_requests_per_minute = 6000;

// Where a symbol is typed without a separator, the first that fits.
constexpr std::array<std::string_view, 38> quote_assets{
    "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDE", "USD", "DAI", "EUR", "GBP",
    "JPY",  "KRW",  "TRY",   "BRL",  "AUD",  "CAD",  "CHF", "CNY", "HKD", "IDR",
    "INR",  "MXN",  "NGN",   "PHP",  "PLN",  "RUB",  "SGD", "THB", "TWD", "UAH",
    "VND",  "ZAR",  "BTC",   "ETH",  "BNB",  "SOL",  "TRX", "XRP"};

std::string_view name_of(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::candles:
      return "candles";
    case ChannelKind::trades:
      return "trades";
    case ChannelKind::ladder:
      return "ladder";
    case ChannelKind::ticker:
      return "ticker";
    case ChannelKind::aggregate_trades:
    case ChannelKind::quotes:
    case ChannelKind::book:
    case ChannelKind::mini_ticker:
    case ChannelKind::derivative:
      break;
  }
  std::unreachable();
}

// One a connection: what happens to one kind (a poll that fails, a stream that breaks) leaves the
// others alone. They cost nothing, as they are all one process.
int line_of(const Channel& channel) {
  return static_cast<int>(channel.kind);
}

std::string stream_url(std::string_view ws_url, std::span<const Channel> channels) {
  return fmt::format("{}/{}", ws_url, channels.empty() ? "" : name_of(channels.front().kind));
}

constexpr std::size_t channels_per_message = 50;

std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t /*first_id*/) {
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const bool is_first = i % channels_per_message == 0;
    if (is_first) messages.emplace_back(R"({"subscribe":[)");
    std::string& text = messages.back();
    if (!is_first) text += ',';
    json::Members members(text);
    members("channel", name_of(channels[i].kind))("symbol", channels[i].instrument->symbol);
    if (channels[i].kind == ChannelKind::candles)
      members("timeframe", to_text(channels[i].timeframe));
    members.close();
  }
  for (auto& message : messages) message += "]}";
  return messages;
}

// No book's snapshot comes with a subscription, so nothing is ever taken off and on again.
std::vector<std::string> unsubscribe(std::span<const Channel> /*channels*/,
                                     std::uint64_t /*first_id*/) {
  return {};
}

// `end` is left to whoever asks: an answer may have later rows.
Result<RestRequest> request(const RestQuery& query) {
  const std::string symbol =
      query.instrument == nullptr ? "" : percent_encoded(query.instrument->symbol);
  const auto range = [&](std::string target) {
    if (query.start) target += fmt::format("&since={}", to_ms(*query.start));
    if (query.limit > 0) target += fmt::format("&limit={}", query.limit);
    return RestRequest{std::move(target), 1};
  };
  switch (query.kind) {
    case RestKind::server_time:
      return RestRequest{"/time", 1};
    case RestKind::instruments:
      return RestRequest{"/markets", 1};
    case RestKind::candles:
      return range(
          fmt::format("/candles?symbol={}&timeframe={}", symbol, to_text(query.timeframe)));
    case RestKind::trades:
      return range(fmt::format("/trades?symbol={}", symbol));
    case RestKind::ticker:
    case RestKind::price:
    case RestKind::quote:
      return RestRequest{fmt::format("/ticker?symbol={}", symbol), 1};
    case RestKind::depth:
      return RestRequest{fmt::format("/depth?symbol={}", symbol), 1};
    case RestKind::historical_trades:
    case RestKind::aggregate_trades:
    case RestKind::average_price:
    case RestKind::derivative:
      break;
  }
  return fail(ErrorKind::rejected, "CCXT has no such request");
}

// The sidecar tells the venue's own words.
std::string explain_status(int http_status) {
  return http_status == 429 ? "the venue's request limit is used up" : "";
}

class Bridged final : public BridgedVenue {
 public:
  const Venue& venue() const override { return venue_; }

  Result<void> read(std::string_view name, std::string_view ready);

 private:
  void read_facts(json::Value& facts);
  void read_channels(json::Value& ways);
  Result<void> conclude(std::string_view name);

  std::string name_;
  std::string ccxt_id_;
  std::string url_;
  std::vector<Timeframe> timeframes_;
  std::vector<ChannelKind> channels_;
  bool has_candles_ = false;
  std::int64_t max_candles_ = 0;
  std::int64_t requests_per_minute_ = 0;
  Venue venue_;
};

// {"ready":{"name":"mexc","version":"4.5.58","has_candles":true,"has_time":true,
//   "timeframes":["1m","5m"],"max_candles":1000,"requests_per_minute":1200,
//   "channels":{"candles":"stream","ticker":"poll","ladder":"stream","trades":null}}}
Result<void> Bridged::read(std::string_view name, std::string_view ready) {
  json::Reader reader;
  bool is_ready = false;
  auto read = reader.read(ready, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key != "ready") return;
      is_ready = true;
      read_facts(value);
    });
  });
  if (!read) return within(name, read.error());
  if (!is_ready) return fail(ErrorKind::malformed, "{}: the sidecar does not say what it is", name);
  return conclude(name);
}

void Bridged::read_facts(json::Value& facts) {
  facts.members([&](std::string_view key, json::Value value) {
    if (key == "name") ccxt_id_ = value.string();
    if (key == "has_candles") has_candles_ = value.boolean();
    if (key == "max_candles") max_candles_ = value.integer();
    if (key == "requests_per_minute") requests_per_minute_ = value.integer();
    if (key == "channels") read_channels(value);
    if (key == "timeframes") {
      value.elements([&](json::Value name) {
        // Those that we have no name for (10m, 45m) are CCXT's alone.
        if (const auto timeframe = parse_timeframe(name.string()); timeframe)
          timeframes_.push_back(*timeframe);
      });
    }
  });
}

void Bridged::read_channels(json::Value& ways) {
  ways.members([&](std::string_view key, json::Value way) {
    if (way.is_null()) return;
    for (const auto kind :
         {ChannelKind::candles, ChannelKind::ticker, ChannelKind::ladder, ChannelKind::trades}) {
      if (name_of(kind) == key) channels_.push_back(kind);
    }
  });
}

Result<void> Bridged::conclude(std::string_view name) {
  if (!has_candles_ || std::ranges::find(timeframes_, Timeframe::m1) == timeframes_.end()) {
    return fail(
        ErrorKind::misconfigured,
        "exchanges: {}: CCXT has no candles of one minute from {}, so it cannot be followed", name,
        ccxt_id_);
  }
  if (max_candles_ < 1 || max_candles_ > 100'000 || requests_per_minute_ < 1)
    return fail(ErrorKind::malformed, "{}: the sidecar's limits are none", name);
  name_ = name;
  url_ = fmt::format("ccxt://{}", ccxt_id_);
  venue_.name = name_;
  venue_.ccxt_id = ccxt_id_;
  venue_.rest_url = url_;
  venue_.ws_url = url_;
  venue_.timeframes = timeframes_;
  venue_.quote_assets = quote_assets;
  venue_.symbol_separator = "/";
  venue_.limits = {.channels_per_connection = 200,
                   .messages_per_second = 20,
                   .channels_per_message = channels_per_message,
                   .weight_per_minute =
                       static_cast<int>(std::min(requests_per_minute_, most_requests_per_minute)),
                   .max_candles = static_cast<int>(max_candles_)};
  // The sidecar beats every second; this is for a channel that it has lost.
  venue_.silence_limit = 60s;
  venue_.channels = channels_;
  venue_.candle_stream =
      has_channel(venue_, ChannelKind::candles) ? CandleStream::forming : CandleStream::none;
  venue_.trade_ids = TradeIds::none;
  venue_.quiet_periods = QuietPeriods::omitted;
  venue_.line_of = line_of;
  venue_.stream_url = stream_url;
  venue_.subscribe = subscribe;
  venue_.unsubscribe = unsubscribe;
  venue_.request = request;
  venue_.make_decoder = make_decoder;
  venue_.explain_status = explain_status;
  return {};
}

}  // namespace

bool is_bridged(std::string_view name) {
  return name.starts_with(prefix);
}

Result<std::string> exchange_of(std::string_view name) {
  const std::string id(name.substr(std::min(name.size(), prefix.size())));
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (!is_bridged(name) || id.empty() || !std::ranges::all_of(id, is_letter)) {
    return fail(
        ErrorKind::misconfigured,
        "exchanges: \"{}\" is no name of CCXT's: those are ccxt: and small letters or digits",
        name);
  }
  for (const auto* venue : all_venues()) {
    if (venue->ccxt_id != id && venue->name != id) continue;
    return fail(ErrorKind::misconfigured, "exchanges: {} is built in: write \"{}\"", name,
                key_of(*venue));
  }
  return id;
}

Result<std::unique_ptr<BridgedVenue>> make_venue(std::string_view name, std::string_view ready) {
  auto bridged = std::make_unique<Bridged>();
  if (auto read = bridged->read(name, ready); !read) return fail(read.error());
  return bridged;
}

}  // namespace candlewick::exchange::ccxt
