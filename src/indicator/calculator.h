// All indicators of the registry over one sequence of bars: pushed in, values out. It keeps no
// history beyond the windows; what can correct itself is a Series.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "indicator/indicator.h"

namespace candlewick::indicator {

class Calculator {
 public:
  // Aborts unless bar_length is positive.
  explicit Calculator(Duration bar_length);

  // The bar after the last one. When its open_time is not one bar later there is a hole between.
  void push(const Bar& bar);
  // Whatever its open_time, it follows the last one.
  void push_consecutive(const Bar& bar);

  // After the last bar.
  Values values() const;

  std::int64_t bars() const { return bars_; }
  Time last_open() const { return last_open_; }

  // A state is resumed in two steps: warm() with the last bars_needed() bars (or all there were),
  // which fills the windows, then load() of what save() gave after the last of them.
  std::size_t bars_needed() const { return bars_needed_; }
  void warm(const Bar& bar);
  std::string save() const;
  // False when the text is not a state of this registry; the calculator is of no use then.
  bool load(std::string_view state);

 private:
  struct Slot {
    std::unique_ptr<Indicator> indicator;  // null: no meaning for this bar length
    bool windowed;
    // Where its outputs go; null for an entry of `extra`.
    std::vector<Output Values::*> columns;
  };

  void push(const Bar& bar, bool after_hole, bool recursive_too);
  bool hole_before(const Bar& bar) const;

  Duration bar_length_;
  std::vector<Slot> slots_;  // one for each row of the registry
  std::size_t bars_needed_ = 1;
  std::int64_t bars_ = 0;
  bool any_ = false;  // last_open_ is a bar's
  Time last_open_{};
};

// The number of bars and the last open_time of a saved state.
struct StateSummary {
  std::int64_t bars;
  Time last_open;
};
Result<StateSummary> read_summary(std::string_view state);

}  // namespace candlewick::indicator
