// Simple return over a time: close / close[t − window] − 1. Unit: fraction (0.01 is one percent).
// Window: n bars without a hole, so the first value is at the (n + 1)th consecutive bar; absent too
// when the earlier close is zero. Source: J. Campbell, A. Lo, C. MacKinlay, The Econometrics of
// Financial Markets, 1.4.
#pragma once

#include "indicator/indicator.h"
#include "indicator/window.h"

namespace candlewick::indicator {

class Returns final : public Indicator {
 public:
  explicit Returns(std::size_t bars) : closes_(bars + 1) {}

  void push(Decimal close, bool after_hole = false);
  Output value() const;

  void push(const Step& step) override { push(step.bar.close, step.after_hole); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  std::size_t bars_needed() const override { return closes_.length(); }

 private:
  Window<Decimal> closes_;
};

}  // namespace candlewick::indicator
