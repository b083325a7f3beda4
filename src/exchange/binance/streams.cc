// Names of streams, control messages, words.
#include "exchange/binance/streams.h"

#include <fmt/format.h>

#include "base/json_text.h"
#include "exchange/reading.h"

namespace candlewick::exchange::binance {
namespace {

constexpr std::size_t channels_per_message = 100;

std::vector<std::string> control(std::string_view method, std::span<const Channel> channels,
                                 std::uint64_t first_id) {
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

}  // namespace

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
      return symbol + "@markPrice@1s";
  }
  std::unreachable();
}

std::string combined_url(std::string_view ws_url, std::span<const Channel> channels) {
  std::string url(ws_url);
  while (url.ends_with('/')) url.pop_back();
  url += "/stream";
  if (channels.empty()) return url;
  url += "?streams=";
  // Some symbols have Chinese letters; everything else stands in a URL as it is.
  for (const char c : stream_name(channels.front())) {
    const auto byte = static_cast<unsigned char>(c);
    url += byte < 0x80 ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return url;
}

// Also the one that is in the URL already: a stream is sent once however often it is subscribed to.
std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("SUBSCRIBE", channels, first_id);
}

std::vector<std::string> unsubscribe(std::span<const Channel> channels, std::uint64_t first_id) {
  return control("UNSUBSCRIBE", channels, first_id);
}

std::string explain(int http_status, std::string_view variable, std::string_view elsewhere) {
  switch (http_status) {
    case 451:
      return fmt::format(
          "the venue refuses requests from this country (HTTP 451); set {}_BASE_URL and {}_WS_URL "
          "to another host ({})",
          variable, variable, elsewhere);
    case 403:
      return fmt::format(
          "a firewall of the venue refused the request (HTTP 403), for its rate or its address; "
          "slow down, or set {}_BASE_URL and {}_WS_URL to another host ({})",
          variable, variable, elsewhere);
    case 418:
      return "the venue has banned this address for a while after too many requests (HTTP 418)";
    case 429:
      return "the venue's request budget is used up (HTTP 429)";
    default:
      return {};
  }
}

}  // namespace candlewick::exchange::binance
