// Names of channels, both ways.
#include "stream/channel.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace candlewick::stream {
namespace {

constexpr std::string_view candle_prefix = "candle_";

constexpr std::array<std::pair<Channel, std::string_view>, 7> plain_names{
    {{Channel::ticker, "ticker"},
     {Channel::quote, "quote"},
     {Channel::trade, "trade"},
     {Channel::book, "book"},
     {Channel::tick, "tick"},
     {Channel::indicators, "indicators"},
     {Channel::coverage, "coverage"}}};

}  // namespace

std::string name_of(const Instrument& instrument, Channel channel, Timeframe timeframe) {
  std::string name = fmt::format("{}:{}@", instrument.exchange, instrument.symbol);
  if (channel == Channel::candle) {
    name += candle_prefix;
    name += to_text(timeframe);
  }
  for (const auto& [known, text] : plain_names) {
    if (known == channel) name += text;
  }
  return name;
}

std::optional<ChannelName> parse_channel(std::string_view text) {
  if (text.starts_with(candle_prefix)) {
    return ChannelName{Channel::candle, text.substr(candle_prefix.size())};
  }
  for (const auto& [channel, name] : plain_names) {
    if (name == text) return ChannelName{channel, {}};
  }
  return std::nullopt;
}

}  // namespace candlewick::stream
