// test:TEST/USDT: an instrument that trades once a second for ever, so that a client can be tried
// when no venue is connected. Its prices depend on the time alone.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "indicator/calculator.h"
#include "market/event.h"
#include "pipeline/latest.h"
#include "stream/intake.h"

namespace candlewick::stream {

class TestMarket {
 public:
  // Adds itself to the intake.
  TestMarket(Intake& intake, std::vector<Timeframe> timeframes);

  const Instrument& instrument() const { return instrument_; }
  const pipeline::LatestBoard& board() const { return board_; }
  // Lets the seconds pass that are over and were not told; of a longer pause the last ones.
  void advance(Time now);
  // When there is something new.
  Time next() const { return next_; }

 private:
  void tell(Time second);
  void tell_candle(Timeframe timeframe, Time second, pipeline::Latest& latest);

  Intake* intake_;
  std::vector<Timeframe> timeframes_;
  Instrument instrument_;
  pipeline::LatestBoard board_;
  pipeline::LatestBoard::Slot* slot_;
  indicator::Calculator indicators_;
  std::map<Timeframe, Candle> forming_;
  Time next_{};
};

}  // namespace candlewick::stream
