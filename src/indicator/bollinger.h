// Bollinger bands: middle = SMA of the last n closes, upper and lower = middle ± w·σ, σ being their
// population standard deviation (n = 20, w = 2). Unit: price. First value at the nth bar. Source:
// J. Bollinger, Bollinger on Bollinger Bands (2001).
#pragma once

#include "indicator/deviation.h"
#include "indicator/indicator.h"

namespace candlewick::indicator {

class Bollinger final : public Indicator {
 public:
  struct Bands {
    double upper;
    double middle;
    double lower;
  };

  explicit Bollinger(std::size_t length, double width = 2)
      : length_(length), width_(width), closes_(length) {}

  void push(Decimal close) { closes_.push(close.count()); }
  std::optional<Bands> value() const;

  void push(const Step& step) override { push(step.bar.close); }
  void outputs(std::span<Output> out) const override;
  std::size_t bars_needed() const override { return length_; }

 private:
  std::size_t length_;
  double width_;
  Deviation closes_;
};

}  // namespace candlewick::indicator
