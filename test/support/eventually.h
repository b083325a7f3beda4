// Waiting for another thread without guessing how long it takes: looks again and again until the
// condition holds or a generous deadline has passed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace candlewick::test {

// True as soon as `holds` does; false when it still does not after `deadline`.
inline bool eventually(const std::function<bool()>& holds,
                       std::chrono::seconds deadline = std::chrono::seconds{60}) {
  std::mutex mutex;
  std::condition_variable nobody_notifies;
  std::unique_lock lock(mutex);
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    nobody_notifies.wait_for(lock, std::chrono::milliseconds{5});
  }
  return true;
}

}  // namespace candlewick::test
