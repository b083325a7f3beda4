// Names of the enumerators.
#include "market/event.h"

namespace candlewick {
namespace {

struct ExchangeTime {
  std::optional<Time> operator()(const ClockReading& reading) const {
    return reading.exchange_time;
  }
  std::optional<Time> operator()(const ShutdownNotice& notice) const {
    return notice.exchange_time;
  }
  std::optional<Time> operator()(const Refusal& /*refusal*/) const { return std::nullopt; }
  std::optional<Time> operator()(const LimitNotice& /*notice*/) const { return std::nullopt; }
  std::optional<Time> operator()(const ConnectionGap& /*gap*/) const { return std::nullopt; }
  std::optional<Time> operator()(const auto& event) const { return event.origin.exchange_time; }
};

struct ReceivedTime {
  std::optional<Time> operator()(const ClockReading& reading) const {
    return reading.received_time;
  }
  std::optional<Time> operator()(const Refusal& refusal) const { return refusal.received_time; }
  std::optional<Time> operator()(const ShutdownNotice& /*notice*/) const { return std::nullopt; }
  std::optional<Time> operator()(const LimitNotice& /*notice*/) const { return std::nullopt; }
  std::optional<Time> operator()(const ConnectionGap& gap) const { return gap.received_time; }
  std::optional<Time> operator()(const auto& event) const { return event.origin.received_time; }
};

}  // namespace

std::string_view to_text(Side side) {
  return side == Side::buy ? "buy" : "sell";
}

std::string_view to_text(Source source) {
  switch (source) {
    case Source::ws:
      return "ws";
    case Source::rest:
      return "rest";
    case Source::trades:
      return "trades";
  }
  std::unreachable();
}

std::optional<Source> parse_source(std::string_view text) {
  for (const auto source : {Source::ws, Source::rest, Source::trades}) {
    if (to_text(source) == text) return source;
  }
  return std::nullopt;
}

std::optional<Stream> parse_stream(std::string_view text) {
  for (const auto stream : {Stream::book, Stream::trades, Stream::candles}) {
    if (to_text(stream) == text) return stream;
  }
  return std::nullopt;
}

std::string_view to_text(Stream stream) {
  switch (stream) {
    case Stream::book:
      return "book";
    case Stream::trades:
      return "trades";
    case Stream::candles:
      return "candles";
  }
  std::unreachable();
}

std::optional<Time> exchange_time_of(const Event& event) {
  return std::visit(ExchangeTime{}, event);
}

std::optional<Time> received_time_of(const Event& event) {
  return std::visit(ReceivedTime{}, event);
}

bool Candle::same_values(const Candle& other) const {
  const auto agree = [](const auto& a, const auto& b) { return !a || !b || *a == *b; };
  return open == other.open && high == other.high && low == other.low && close == other.close &&
         volume == other.volume && agree(quote_volume, other.quote_volume) &&
         agree(trade_count, other.trade_count) && agree(taker_buy_volume, other.taker_buy_volume) &&
         agree(taker_buy_quote_volume, other.taker_buy_quote_volume);
}

}  // namespace candlewick
