// The door of a thread: a queue with limits on items and on weight (bytes, rows). Offering never
// waits: a full queue says so and its caller decides. Any number of threads push, one pops.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "base/time.h"

namespace candlewick {

enum class Push : unsigned char { accepted, full, closed };

template <class T>
class BoundedQueue {
 public:
  struct Limits {
    std::size_t items = 0;
    std::size_t weight = 0;
  };

  explicit BoundedQueue(Limits limits) : limits_(limits) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  // Moves the value in only when it is accepted. One that is heavier than the whole limit is taken
  // when nothing else waits: else it could never pass.
  Push try_push(T&& value, std::size_t weight = 1) {
    {
      const std::scoped_lock lock(mutex_);
      if (is_closed_) return Push::closed;
      if (items_.size() >= limits_.items) return Push::full;
      if (!items_.empty() && weight > limits_.weight - std::min(weight_, limits_.weight)) {
        return Push::full;
      }
      weight_ += weight;
      items_.emplace_back(std::move(value), weight);
    }
    changed_.notify_one();
    return Push::accepted;
  }

  // Takes the oldest without waiting, at least one if there is any, then as many as stay within
  // both limits.
  std::vector<T> pop_all(Limits at_most) {
    std::vector<T> taken;
    const std::scoped_lock lock(mutex_);
    std::size_t weight = 0;
    while (!items_.empty() && taken.size() < at_most.items) {
      if (!taken.empty() && weight + items_.front().second > at_most.weight) break;
      weight += items_.front().second;
      taken.push_back(std::move(items_.front().first));
      items_.pop_front();
    }
    weight_ -= weight;
    return taken;
  }
  std::vector<T> pop_all() {
    return pop_all({.items = static_cast<std::size_t>(-1), .weight = static_cast<std::size_t>(-1)});
  }

  // Until there is something to pop, or the queue is closed. False when closed and empty.
  bool wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_closed_ || !items_.empty(); });
    return !items_.empty();
  }

  // Until the queue is closed or the time is over: how its thread waits before it tries again.
  // False when closed.
  bool wait_unless_closed(Duration at_most) {
    std::unique_lock lock(mutex_);
    return !closing_.wait_for(lock, at_most, [this] { return is_closed_; });
  }

  // Nothing more is accepted; what waits can still be popped.
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      is_closed_ = true;
    }
    changed_.notify_all();
    closing_.notify_all();
  }

  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return items_.size();
  }
  std::size_t weight() const {
    const std::scoped_lock lock(mutex_);
    return weight_;
  }
  bool is_closed() const {
    const std::scoped_lock lock(mutex_);
    return is_closed_;
  }

 private:
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable closing_;
  std::deque<std::pair<T, std::size_t>> items_;
  std::size_t weight_ = 0;
  bool is_closed_ = false;
};

}  // namespace candlewick
