// Indicators of longer timeframes than the service computes all the time, for the thresholds that
// want them: made anew from the warehouse's candles when another one is over.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/observation.h"
#include "base/result.h"
#include "indicator/bar.h"
#include "indicator/indicator.h"
#include "market/instrument.h"
#include "market/timeframe.h"

namespace candlewick::alert {

struct BarQuery {
  std::string exchange;
  std::string symbol;
  Timeframe timeframe = Timeframe::h1;
  Time end;               // exclusive
  std::size_t count = 0;  // the newest
};
// Complete ones, ascending. Null: nobody was asked, as whoever has them was away a moment ago. May
// block.
using ReadBars = std::function<std::optional<Result<std::vector<indicator::Bar>>>(const BarQuery&)>;

class BarSeries {
 public:
  BarSeries(ReadBars read, Observer& observer) : read_(std::move(read)), observer_(observer) {}

  // After the newest complete candle that there is. `minutes_end`: where the closed one-minute
  // candles end. Null when there is none; the value before while a newer one is not stored yet.
  std::optional<indicator::Values> values(const Instrument& instrument, Timeframe timeframe,
                                          Time minutes_end, SteadyTime now);

 private:
  struct Series {
    std::optional<Time> end;  // of the candle that the values are of
    std::optional<indicator::Values> values;
    std::optional<Time> tried;  // for which end
    Duration pause{};
    SteadyTime next_try{};
  };
  using Key = std::tuple<std::string, std::string, Timeframe>;

  ReadBars read_;
  Observer& observer_;
  std::map<Key, Series> series_;
};

}  // namespace candlewick::alert
