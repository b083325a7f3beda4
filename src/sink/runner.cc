// The thread's loop: step, then sleep until there are rows, the time is over or the end is asked
// for.
#include "sink/runner.h"

#include <utility>

#include "base/check.h"

namespace candlewick::sink {

Runner::Runner(std::unique_ptr<Sink> sink, std::unique_ptr<log::Log> log, const Clock& clock,
               DeliveryOptions options)
    : delivery_(std::move(sink), std::move(log), clock, options) {}

Runner::~Runner() {
  stop(false);
}

void Runner::start() {
  check(!thread_.joinable(), "a sink's thread is started once");
  thread_ = std::thread([this] { run(); });
}

void Runner::wake() {
  {
    const std::scoped_lock lock(mutex_);
    has_rows_ = true;
  }
  changed_.notify_one();
}

void Runner::begin_stop(bool drain) {
  {
    const std::scoped_lock lock(mutex_);
    if (!is_stopping_) drain_ = drain;
    is_stopping_ = true;
  }
  changed_.notify_one();
}

void Runner::stop(bool drain) {
  begin_stop(drain);
  if (thread_.joinable()) thread_.join();
}

void Runner::run() {
  while (true) {
    const auto next = delivery_.step();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, next.wait,
                      [&] { return is_stopping_ || (next.wake_on_rows && has_rows_); });
    has_rows_ = false;
    if (!is_stopping_) continue;
    const bool drain = drain_;
    lock.unlock();
    if (drain) static_cast<void>(delivery_.drain());  // what it could not write stays in the log
    return;
  }
}

}  // namespace candlewick::sink
