// Candles built from trades, for venues without a candle stream and as a second opinion. Exact:
// prices and sums are decimals. A candle closes when the venue's clock has passed its end; the
// first one is only whole if the stream was seen from before its open.
#pragma once

#include <optional>
#include <vector>

#include "market/event.h"

namespace candlewick::pipeline {

class TradeCandles {
 public:
  TradeCandles(const Instrument& instrument, Timeframe timeframe);

  // Trades of one instrument in the venue's order; a repeated id is ignored. Aggregates and single
  // trades number apart: feed one kind. Appends the candles that this trade closed.
  void apply(const Trade& trade, std::vector<Candle>& closed);
  // The venue's clock: closes what ended before it.
  void advance(Time venue_time, std::vector<Candle>& closed);
  // Ids were skipped: the candles from here until the stream is whole again cannot be trusted.
  std::uint64_t missing_trades() const { return missing_; }
  const std::optional<Candle>& forming() const { return forming_; }

 private:
  void start(Time open, const Trade& trade);
  void close(std::vector<Candle>& closed);

  const Instrument* instrument_;
  Timeframe timeframe_;
  std::optional<Candle> forming_;
  bool is_whole_ = false;  // seen from its open on, without a gap
  Time closed_until_{Duration::min()};
  std::optional<std::uint64_t> last_id_;
  std::uint64_t missing_ = 0;
};

}  // namespace candlewick::pipeline
