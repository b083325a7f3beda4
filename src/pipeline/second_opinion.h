// The candles that a stream tells, held against the same candles built of its trades. Where the two
// do not agree, that is recorded and nothing is changed: neither is known to be the wrong one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "market/event.h"
#include "pipeline/candle_series.h"
#include "pipeline/output.h"
#include "pipeline/verification.h"

namespace candlewick::pipeline {

class SecondOpinion {
 public:
  explicit SecondOpinion(const Instrument& instrument) : instrument_(&instrument) {}

  // A candle built of trades is whole; `told` has what the stream says.
  void compare(const Candle& built, const CandleSeries& told, Time stamp, PipelineOutput& output);
  // A candle of the series has closed: one built of trades may have waited for it.
  void closed(const Candle& told, Time stamp, PipelineOutput& output);
  // Writes what was counted since the last time.
  void flush(Time stamp, PipelineOutput& output);

  std::uint64_t differences() const { return differences_; }

 private:
  void judge(const Candle& built, const Candle& told, Time stamp, PipelineOutput& output);

  const Instrument* instrument_;
  std::deque<Candle> waiting_;
  std::optional<Comparison> counted_;
  std::uint64_t differences_ = 0;
};

}  // namespace candlewick::pipeline
