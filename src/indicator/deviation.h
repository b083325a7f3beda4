// Standard deviation of the last n integers. n·Σx² − (Σx)² is kept exactly, so there is neither
// drift nor cancellation; only the last root and division are in double.
#pragma once

#include <cstddef>

#include "indicator/exact.h"
#include "indicator/window.h"

namespace candlewick::indicator {

class Deviation {
 public:
  explicit Deviation(std::size_t length) : window_(length) {}

  void push(int128 value);
  void clear();

  bool full() const { return window_.full(); }
  // In the integers' unit, of what is in the window (at least one value).
  double population() const;
  // At least two values.
  double sample() const;
  const Wide& sum() const { return sum_; }

 private:
  // n² times the population variance.
  Wide spread() const;

  Window<int128> window_;
  Wide sum_;
  Wide squares_;
};

}  // namespace candlewick::indicator
