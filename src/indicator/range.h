// High-low range: the highest high less the lowest low of the last n bars. Unit: price. Window: n
// bars without a hole, so the first value is at the nth consecutive bar. Source: M. Parkinson, The
// Extreme Value Method for Estimating the Variance of the Rate of Return (1980), for the range
// itself.
#pragma once

#include "indicator/extreme.h"
#include "indicator/indicator.h"

namespace candlewick::indicator {

class Range final : public Indicator {
 public:
  explicit Range(std::size_t bars)
      : bars_(bars), highest_(Extreme::Kind::greatest, bars), lowest_(Extreme::Kind::least, bars) {}

  void push(Decimal high, Decimal low, bool after_hole = false);
  Output value() const;

  void push(const Step& step) override { push(step.bar.high, step.bar.low, step.after_hole); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  std::size_t bars_needed() const override { return bars_; }

 private:
  std::size_t bars_;
  Extreme highest_;
  Extreme lowest_;
};

}  // namespace candlewick::indicator
