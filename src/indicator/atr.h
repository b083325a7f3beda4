// Average true range: Wilder's smoothing of max(high − low, |high − c|, |low − c|), c being the
// close before. Unit: price. Recursive. Source: J. W. Wilder, New Concepts in Technical Trading
// Systems (1978).
//
// The first bar has no close before it. second_bar (TA-Lib): the first range is the second bar's,
// the first value at bar n + 1. first_bar (Wilder's sheet, Tulip, talipp): the first bar's range is
// high − low, the first value at bar n. The first value is a simple average.
#pragma once

#include "indicator/ema.h"

namespace candlewick::indicator {

// Without a close before: high - low.
double true_range(const Bar& bar, std::optional<Decimal> last_close);

class Atr final : public Indicator {
 public:
  enum class FirstRange { second_bar, first_bar };

  explicit Atr(std::size_t length, FirstRange first = FirstRange::second_bar)
      : first_(first), average_(Ema::wilder(length)) {}

  void push(const Bar& bar);
  Output value() const { return average_.value(); }

  void push(const Step& step) override { push(step.bar); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  void save(StateWriter& out) const override;
  void load(StateReader& in) override;

 private:
  FirstRange first_;
  std::optional<Decimal> last_close_;
  Ema average_;
};

}  // namespace candlewick::indicator
