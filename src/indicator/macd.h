// Moving average convergence/divergence: line = EMA₁₂ − EMA₂₆, signal = EMA₉ of the line, histogram
// = line − signal. Unit: price. Recursive. Source: G. Appel; Achelis, "MACD"; TA-Lib (ta_MACD.c).
//
// As in TA-Lib the fast average is seeded at the slow one's first bar (with the mean of the 12
// closes that end there), so the line is not ema_12 − ema_26 in the first bars; and all three
// appear together at bar 26 + 9 − 1 = 34.
#pragma once

#include "indicator/ema.h"

namespace candlewick::indicator {

class Macd final : public Indicator {
 public:
  struct Options {
    std::size_t fast = 12;
    std::size_t slow = 26;
    std::size_t signal = 9;
    Seed seed = Seed::simple_average;
    // False: the fast average starts as soon as it can (talipp).
    bool align_fast_to_slow = true;
    // False: the line appears at the slow average's first bar.
    bool wait_for_signal = true;
    // Factors other than 2/(n+1).
    std::optional<double> fast_factor{};
    std::optional<double> slow_factor{};
  };

  Macd() : Macd(Options{}) {}
  explicit Macd(const Options& options);

  void push(double close);
  Output line() const;
  Output signal() const;
  Output histogram() const;

  void push(const Step& step) override { push(step.close); }
  void outputs(std::span<Output> out) const override;
  void save(StateWriter& out) const override;
  void load(StateReader& in) override;

 private:
  bool has_line() const { return seen_ == slow_length_; }

  std::int64_t slow_length_;
  std::int64_t skipped_by_fast_;
  bool wait_for_signal_;
  std::int64_t seen_ = 0;  // bars, counted to slow_length_
  Ema fast_;
  Ema slow_;
  Ema signal_;
};

}  // namespace candlewick::indicator
