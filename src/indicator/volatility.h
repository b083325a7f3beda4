// Realised volatility: sample standard deviation of the last n log returns, times √n, where n bars
// fill the window (1,440 one-minute bars for a day): the deviation of one day's return. Unit:
// fraction. First value at the (n + 1)th consecutive bar; absent for n = 1, and while a close in
// the window is not positive. Source: J. Hull, Options, Futures, and Other Derivatives, "Estimating
// volatility from historical data".
#pragma once

#include "indicator/deviation.h"
#include "indicator/indicator.h"

namespace candlewick::indicator {

class Volatility final : public Indicator {
 public:
  explicit Volatility(std::size_t returns) : length_(returns), deviation_(returns) {}

  void push(Decimal close, bool after_hole = false);
  Output value() const;

  void push(const Step& step) override { push(step.bar.close, step.after_hole); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  std::size_t bars_needed() const override { return length_ + 1; }

 private:
  std::size_t length_;
  std::optional<Decimal> last_close_;
  Deviation deviation_;  // of log returns, counted in steps of 2^-54
};

}  // namespace candlewick::indicator
