// One thread of work: an event loop with a name. All sockets and timers made on a loop call back on
// its thread, one at a time, so what belongs to a loop needs no locks.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>

#include "base/time.h"

namespace candlewick::net {

// Cancels when destroyed. May outlive its loop. Once cancel() has returned on the loop's thread the
// function will not run; on another thread it may be running at that moment.
class Timer {
 public:
  struct State;

  Timer() = default;
  explicit Timer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Timer(Timer&& other) noexcept = default;
  Timer& operator=(Timer&& other) noexcept;
  ~Timer() { cancel(); }

  void cancel();
  // Waiting to fire.
  bool armed() const;

 private:
  std::shared_ptr<State> state_;
};

class Loop {
 public:
  using Task = std::move_only_function<void()>;

  // The name is the thread's (the first 15 bytes of it are what `top -H` shows).
  explicit Loop(std::string name);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  // Stops and joins; tasks that have not run are destroyed unrun.
  ~Loop();

  const std::string& name() const;

  // Runs on a thread of its own until stop(). A loop without work waits for some.
  void start();
  // Runs on the calling thread until stop().
  void run();
  // From any thread. The task at work is finished, the waiting ones are kept unrun.
  void stop();
  // Waits for the thread of start() to end; not from that thread.
  void join();
  // True on the thread that runs the loop.
  bool in_loop_thread() const;

  // From any thread; tasks of one thread run in the order posted. Unbounded: bound what you post.
  void post(Task task);
  // Runs the task on the loop's thread and returns when it is done. On that thread, or while the
  // loop does not run, it is run directly.
  void call(Task task);
  // From any thread. On the steady clock.
  [[nodiscard]] Timer after(Duration delay, Task task);
  // Calls back on the loop's thread at each of these signals, from now on.
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> callback);

  // For the files of net/ that touch sockets (loop_impl.h).
  struct Impl;
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace candlewick::net
