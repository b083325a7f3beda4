// What can be listened to, and how streams are named: "binance:BTC/USDT@candle_1m".
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "market/instrument.h"
#include "market/timeframe.h"

namespace candlewick::stream {

enum class Channel : unsigned char {
  candle,
  ticker,
  quote,
  trade,
  book,
  tick,
  indicators,
  coverage
};

// Those whose every event counts reach the hub through a queue; of the others the newest value is
// read from the board when it is time.
constexpr bool is_queued(Channel channel) {
  return channel == Channel::trade || channel == Channel::tick || channel == Channel::indicators ||
         channel == Channel::coverage;
}

struct StreamKey {
  std::size_t slot = 0;  // of the board
  Channel channel = Channel::candle;
  Timeframe timeframe = Timeframe::m1;  // m1 but for candles

  friend auto operator<=>(const StreamKey&, const StreamKey&) = default;
};

std::string name_of(const Instrument& instrument, Channel channel, Timeframe timeframe);

// "ticker", or "candle_" and what may be a timeframe; null for others.
struct ChannelName {
  Channel channel;
  std::string_view timeframe;  // empty but for candles
};
std::optional<ChannelName> parse_channel(std::string_view text);

}  // namespace candlewick::stream
