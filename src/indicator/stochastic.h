// Stochastic oscillator: fast %K = 100·(close − lowest low) / (highest high − lowest low) of the
// last n bars, %K = its mean over `slowing` bars, %D = the mean of %K over d bars. Unit: 0 to 100.
// Source: G. Lane; Achelis, "Stochastic Oscillator".
//
// The service shows the fast one (14, 1, 3): %K unslowed. As in TA-Lib both lines begin together,
// at bar n + slowing + d − 2, and a range of zero gives 0.
#pragma once

#include "indicator/extreme.h"
#include "indicator/indicator.h"
#include "indicator/window.h"

namespace candlewick::indicator {

class Stochastic final : public Indicator {
 public:
  struct Options {
    std::size_t length = 14;
    std::size_t slowing = 1;
    std::size_t d = 3;
  };
  struct Lines {
    double k;
    double d;
  };

  Stochastic() : Stochastic(Options{}) {}
  explicit Stochastic(const Options& options);

  void push(Decimal high, Decimal low, Decimal close);
  std::optional<Lines> value() const;

  void push(const Step& step) override { push(step.bar.high, step.bar.low, step.bar.close); }
  void outputs(std::span<Output> out) const override;
  std::size_t bars_needed() const override { return bars_needed_; }

 private:
  std::size_t bars_needed_;
  Extreme highest_;
  Extreme lowest_;
  Window<double> fast_k_;
  Window<double> k_;
};

}  // namespace candlewick::indicator
