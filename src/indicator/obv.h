// On-balance volume: the volume is added when the close rose, subtracted when it fell, and neither
// when it stood. Unit: base currency; only its changes mean something. Recursive, exact. First
// value at the first bar. Source: J. Granville, Granville's New Key to Stock Market Profits (1963).
//
// It starts with the first bar's volume (TA-Lib) or with 0 (Tulip).
#pragma once

#include "indicator/indicator.h"

namespace candlewick::indicator {

class Obv final : public Indicator {
 public:
  enum class Start { first_volume, zero };

  explicit Obv(Start start = Start::first_volume) : start_(start) {}

  void push(Decimal close, Decimal volume);
  Output value() const;

  void push(const Step& step) override { push(step.bar.close, step.bar.volume); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  void save(StateWriter& out) const override;
  void load(StateReader& in) override;

 private:
  Start start_;
  std::optional<Decimal> last_close_;
  Wide balance_;  // a count of 10^-18
};

}  // namespace candlewick::indicator
