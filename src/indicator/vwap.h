// Volume-weighted average price of the session: Σ(typical price · volume) / Σ volume, typical price
// = (high + low + close) / 3, over the bars of the UTC day up to this one. Unit: price. From the
// day's first known bar with volume; absent before it. Both sums are exact. Source: S. Berkowitz,
// D. Logue, E. Noser, The Total Cost of Transactions on the NYSE (1988); typical price as charting
// tools do.
#pragma once

#include "indicator/indicator.h"

namespace candlewick::indicator {

class Vwap final : public Indicator {
 public:
  void push(const Bar& bar);
  Output value() const;

  void push(const Step& step) override { push(step.bar); }
  void outputs(std::span<Output> out) const override { out[0] = value(); }
  void save(StateWriter& out) const override;
  void load(StateReader& in) override;

 private:
  std::int64_t day_ = 0;  // since the epoch
  Wide turnover_;         // 3·Σ(typical price · volume), a count of 10^-36
  Wide volume_;           // Σ volume, a count of 10^-18
};

}  // namespace candlewick::indicator
