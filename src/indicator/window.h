// The last n values pushed, oldest first.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/check.h"

namespace candlewick::indicator {

template <class T>
class Window {
 public:
  explicit Window(std::size_t length) : length_(length) { check(length > 0, "a window is empty"); }

  // The value that left, once the window was full.
  std::optional<T> push(T value) {
    if (values_.size() < length_) {
      values_.reserve(length_);
      values_.push_back(value);
      return std::nullopt;
    }
    const T left = values_[next_];
    values_[next_] = value;
    next_ = next_ + 1 == length_ ? 0 : next_ + 1;
    return left;
  }
  void clear() {
    values_.clear();
    next_ = 0;
  }

  std::size_t length() const { return length_; }
  std::size_t size() const { return values_.size(); }
  bool full() const { return values_.size() == length_; }
  // 0 is the oldest.
  const T& operator[](std::size_t age) const {
    const std::size_t at = next_ + age;
    return values_[at < values_.size() ? at : at - values_.size()];
  }

 private:
  std::size_t length_;
  std::size_t next_ = 0;  // where the oldest is, once full
  std::vector<T> values_;
};

}  // namespace candlewick::indicator
