// Sinks take a moment: a candle that is not there yet is asked for again, less and less often.
#include "alert/bar_series.h"

#include <algorithm>

#include "alert/observations.h"
#include "indicator/calculator.h"

namespace candlewick::alert {
namespace {

// Enough for the slowest recursion to have forgotten where it began.
constexpr std::size_t wanted_bars = 400;
constexpr Duration first_pause = std::chrono::seconds{5};
constexpr Duration longest_pause = std::chrono::minutes{5};

}  // namespace

std::optional<indicator::Values> BarSeries::values(const Instrument& instrument,
                                                   Timeframe timeframe, Time minutes_end,
                                                   SteadyTime now) {
  Series& series = series_[{instrument.exchange, instrument.symbol, timeframe}];
  const Time end = open_of(timeframe, minutes_end);
  if (series.end == end) return series.values;
  if (series.tried != end) {
    series.tried = end;
    series.pause = first_pause;
    series.next_try = now;
  }
  if (now < series.next_try) return series.values;
  const auto answer = read_({.exchange = instrument.exchange,
                             .symbol = instrument.symbol,
                             .timeframe = timeframe,
                             .end = end,
                             .count = wanted_bars});
  // That is no attempt: once it is back, no series waits for longer than it has to.
  if (!answer) return series.values;
  series.next_try = now + series.pause;
  series.pause = std::min(2 * series.pause, longest_pause);
  const auto& bars = *answer;
  if (!bars) {
    observer_.observe(series_unreadable,
                      {{"venue", instrument.exchange}, {"error", bars.error().message}});
    return series.values;
  }
  if (bars->empty()) return series.values;
  const Time found = next_open(timeframe, bars->back().open_time);
  if (series.end == found) return series.values;
  indicator::Calculator calculator(length_of(timeframe));
  for (const auto& bar : *bars) calculator.push(bar);
  series.values = calculator.values();
  series.end = found;
  return series.values;
}

}  // namespace candlewick::alert
