// Relative strength index: 100·G / (G + L), G and L being Wilder's smoothed gains and losses of the
// close. Unit: 0 to 100. Recursive. Source: J. W. Wilder, New Concepts in Technical Trading Systems
// (1978); TA-Lib's conventions.
//
// First value after n changes (n + 1 bars), where G and L are simple averages; then
// G = (G·(n−1) + gain) / n. A price that never moved has 0.
#pragma once

#include "indicator/ema.h"

namespace candlewick::indicator {

class Rsi final : public Indicator {
 public:
  // Metastock shows one value more, a bar earlier, in which the first bar counts as no change.
  enum class Start { wilder, metastock };

  explicit Rsi(std::size_t length, Start start = Start::wilder);

  void push(Decimal close);
  Output value() const;

  void push(const Step& step) override { push(step.bar.close); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  void save(StateWriter& out) const override;
  void load(StateReader& in) override;

 private:
  std::int64_t length_;
  Start start_;
  std::int64_t seen_ = 0;  // bars, counted to length_
  Decimal last_close_;
  Ema gain_;
  Ema loss_;
};

}  // namespace candlewick::indicator
