// The greatest or the least of the last n decimals, amortised O(1): a queue that holds only values
// which can still become the extreme.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/check.h"
#include "base/decimal.h"

namespace candlewick::indicator {

class Extreme {
 public:
  enum class Kind { greatest, least };

  Extreme(Kind kind, std::size_t length) : kind_(kind), length_(length) {
    check(length > 0, "a window is empty");
  }

  void push(Decimal value) {
    const auto beaten = [&](Decimal old) {
      return kind_ == Kind::greatest ? old <= value : old >= value;
    };
    while (!queue_.empty() && beaten(queue_.back().value)) queue_.pop_back();
    queue_.push_back({.value = value, .number = pushed_++});
    if (queue_.front().number + length_ < pushed_) queue_.pop_front();
  }
  void clear() {
    queue_.clear();
    pushed_ = 0;
  }

  bool full() const { return pushed_ >= length_; }
  // Of what was pushed so far; not before the first push.
  Decimal value() const { return queue_.front().value; }

 private:
  struct Entry {
    Decimal value;
    std::uint64_t number;
  };

  Kind kind_;
  std::size_t length_;
  std::uint64_t pushed_ = 0;
  std::deque<Entry> queue_;
};

}  // namespace candlewick::indicator
