// A value that several threads share, reachable only under its lock. Hold it for a few
// instructions: what blocks belongs behind a queue.
#pragma once

#include <mutex>
#include <utility>

namespace candlewick {

template <class T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  // The function sees the value under the lock; what it returns must not refer into it.
  template <class F>
  auto with(F&& function) {
    const std::scoped_lock lock(mutex_);
    return std::forward<F>(function)(value_);
  }
  template <class F>
  auto with(F&& function) const {
    const std::scoped_lock lock(mutex_);
    return std::forward<F>(function)(std::as_const(value_));
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace candlewick
