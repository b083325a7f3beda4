// Exponential moving average: eₜ = eₜ₋₁ + k·(xₜ − eₜ₋₁), k = 2/(n+1). Unit: price. Recursive; the
// weight of what lies n bars back is about 13.5 %. Source: Achelis, "Moving Averages"; seeds as in
// TA-Lib (ta_EMA.c) and Tulip Indicators.
//
// Where e starts is a convention:
//  - simple_average (TA-Lib's default, talipp): e = mean of the first n values, at the nth value.
//  - first_value (Tulip, TA-Lib's Metastock mode): e = the first value, at the first value.
// With k = 1/n and a simple average it is Wilder's smoothing (wilder()), which RSI and ATR use.
#pragma once

#include <cstdint>

#include "indicator/indicator.h"

namespace candlewick::indicator {

enum class Seed { simple_average, first_value };

class Ema final : public Indicator {
 public:
  explicit Ema(std::size_t length, Seed seed = Seed::simple_average);
  // With a factor k of its own: some books round 2/(12+1) to 0.15.
  Ema(std::size_t length, Seed seed, double factor);
  static Ema wilder(std::size_t length);

  void push(double value);
  Output value() const;
  // The sum of the values so far while a simple average is being made.
  double seed_sum() const { return state_; }

  void push(const Step& step) override { push(step.close); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  void save(StateWriter& out) const override;
  void load(StateReader& in) override;

 private:
  std::int64_t seed_length_;
  double factor_;
  std::int64_t seen_ = 0;  // counts to seed_length_ and stays there
  double state_ = 0;       // the sum while seeding, then the average
};

}  // namespace candlewick::indicator
