// Candles built from trades, for venues without a candle stream and as a second opinion. Exact:
// prices and sums are decimals. Trade ids prove that nothing is missing: a candle is only ever
// closed when the stream was seen whole from before its open to its end.
//
// A trade that comes late, after others of a later period, still goes where its time belongs: into
// a candle that is not closed yet, or into a closed one, which is then told again one revision up.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "market/event.h"

namespace candlewick::pipeline {

class TradeCandles {
 public:
  // `grace`: how long after its end, by the venue's clock, a candle stays open for late trades.
  TradeCandles(const Instrument& instrument, Timeframe timeframe, Duration grace = {});

  // Trades of one instrument in the venue's order; a repeated id is ignored. Aggregates and single
  // trades number apart: feed one kind. Appends the candles that this trade closed or corrected.
  void apply(const Trade& trade, std::vector<Candle>& closed);
  // The venue's clock: closes what ended before it, unless the stream was interrupted. For trades
  // that are known to be all there are (a recording): without it a candle closes when a later
  // trade's id proves that none is missing.
  void advance(Time venue_time, std::vector<Candle>& closed);
  // The connection is gone: only the id of the next trade can tell whether one was missed.
  void interrupted() { is_interrupted_ = true; }

  std::uint64_t missing_trades() const { return missing_; }
  // The newest candle that is not closed.
  const Candle* forming() const;

 private:
  struct Period {
    Candle candle;
    bool is_whole = false;  // seen from its open on, without a gap
    bool is_closed = false;
  };
  Period* period_of(Time open, const Trade& trade);
  Period make_period(Time open, const Trade& trade) const;
  void close_before(Time time, std::vector<Candle>& closed);
  void note_gap(Time from, Time to);

  const Instrument* instrument_;
  Timeframe timeframe_;
  Duration grace_;
  std::deque<Period> periods_;      // by open; closed ones are kept for a while
  std::optional<Time> whole_from_;  // opens from here on were seen whole
  std::optional<Time> newest_trade_;
  std::optional<std::uint64_t> last_id_;
  std::uint64_t missing_ = 0;
  bool is_interrupted_ = false;
};

}  // namespace candlewick::pipeline
