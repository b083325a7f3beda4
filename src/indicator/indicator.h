// What an indicator is: it is pushed closed bars, oldest first, and has values after each. There
// are two kinds. A windowed one depends on the last bars_needed() bars only. A recursive one
// depends on all bars since the first, through a small state that it can save and load.
//
// Either way the same bars give the same bits, whatever restarts or corrections lay between:
// windows hold exact sums, and recursions are replayed from a saved state.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "indicator/bar.h"
#include "indicator/state.h"

namespace candlewick::indicator {

struct Step {
  const Bar& bar;
  double close;     // bar.close, converted once for all
  bool after_hole;  // bars are missing between this and the one before
};

using Output = std::optional<double>;

class Indicator {
 public:
  virtual ~Indicator() = default;

  virtual void push(const Step& step) = 0;
  // One for each output of the registry's row, in its order.
  virtual void outputs(std::span<Output> out) const = 0;

  // Windowed: after this many bars nothing older matters. Recursive: 0.
  virtual std::size_t bars_needed() const { return 0; }
  // Recursive ones only; load after save gives the same indicator.
  virtual void save(StateWriter&) const {}
  virtual void load(StateReader&) {}

 protected:
  Indicator() = default;
  Indicator(const Indicator&) = default;
  Indicator& operator=(const Indicator&) = default;
};

// The values after one bar: the columns of technical_indicators, then the further ones in the order
// of extra_names(). Absent while there are too few bars, or a hole in a window of time.
struct Values {
  Time open_time{};
  Output rolling_return_1h;
  Output rolling_return_24h;
  Output rolling_volatility_24h;
  Output high_low_range_24h;
  Output moving_average_7;
  Output moving_average_30;
  Output rsi_14;
  Output macd;
  Output macd_signal;
  std::vector<Output> extra;

  friend bool operator==(const Values&, const Values&) = default;
};

}  // namespace candlewick::indicator
