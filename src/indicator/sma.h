// Simple moving average: (x₁ + … + xₙ) / n of the last n closes. Unit: price. First value at the
// nth bar. The sum is exact. Source: S. Achelis, Technical Analysis from A to Z, "Moving Averages".
#pragma once

#include "indicator/indicator.h"
#include "indicator/window.h"

namespace candlewick::indicator {

class Sma final : public Indicator {
 public:
  explicit Sma(std::size_t length) : window_(length) {}

  void push(Decimal value);
  Output value() const;

  void push(const Step& step) override { push(step.bar.close); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  std::size_t bars_needed() const override { return window_.length(); }

 private:
  Window<Decimal> window_;
  Wide sum_;
};

}  // namespace candlewick::indicator
