// Loops and their timers. A timer's socket-side object lives inside its pending wait, so that a
// Timer may outlive the loop, and only the loop's thread ever touches it.
#include "net/loop.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/check.h"
#include "net/loop_impl.h"

namespace candlewick::net {

struct Timer::State {
  enum Status : int { waiting, fired, cancelled };

  std::atomic<int> status{waiting};
  Loop::Task task;  // whoever moves the status away from waiting owns it
  std::weak_ptr<Loop::Impl> loop;
  asio::steady_timer* armed = nullptr;  // on the loop's thread only

  bool leave_waiting(Status next) {
    int expected = waiting;
    return status.compare_exchange_strong(expected, next, std::memory_order_acq_rel);
  }
};

namespace {

void disarm(Timer::State& state) {
  if (state.armed != nullptr) {
    state.armed->cancel();
  }
}

void arm(asio::io_context& context, std::shared_ptr<Timer::State> state, Duration delay) {
  if (state->status.load(std::memory_order_acquire) != Timer::State::waiting) {
    return;
  }
  auto timer = std::make_unique<asio::steady_timer>(context);
  timer->expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay));
  state->armed = timer.get();
  asio::steady_timer& armed = *timer;
  armed.async_wait(
      [state = std::move(state), timer = std::move(timer)](const boost::system::error_code& error) {
        state->armed = nullptr;
        if (!error && state->leave_waiting(Timer::State::fired)) {
          Loop::Task task = std::move(state->task);
          task();
        }
      });
}

void wait_for_signal(std::shared_ptr<asio::signal_set> signals,
                     std::shared_ptr<std::function<void(int)>> callback) {
  asio::signal_set& set = *signals;
  set.async_wait([signals = std::move(signals), callback = std::move(callback)](
                     const boost::system::error_code& error, int signal) mutable {
    if (error) {
      return;
    }
    (*callback)(signal);
    wait_for_signal(std::move(signals), std::move(callback));
  });
}

}  // namespace

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Timer::cancel() {
  const std::shared_ptr<State> state = std::move(state_);
  state_ = nullptr;
  if (!state || !state->leave_waiting(State::cancelled)) {
    return;
  }
  state->task = nullptr;
  const std::shared_ptr<Loop::Impl> loop = state->loop.lock();
  if (!loop) {
    return;
  }
  if (loop->in_loop_thread()) {
    disarm(*state);
  } else {
    asio::post(loop->context, [state] { disarm(*state); });
  }
}

bool Timer::armed() const {
  return state_ && state_->status.load(std::memory_order_acquire) == State::waiting;
}

void Loop::Impl::run() {
  {
    const std::lock_guard lock(mutex);
    running = true;
  }
  runner.store(std::this_thread::get_id(), std::memory_order_relaxed);
  context.run();
  runner.store(std::thread::id{}, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex);
    running = false;
  }
  changed.notify_all();
}

void Loop::Impl::call(Task task) {
  if (in_loop_thread()) {
    task();
    return;
  }
  struct Once {
    Task task;
    std::atomic<bool> taken{false};
    bool done = false;
  };
  auto once = std::make_shared<Once>();
  once->task = std::move(task);
  std::unique_lock lock(mutex);
  if (running) {
    asio::post(context, [this, once] {
      if (once->taken.exchange(true)) {
        return;
      }
      once->task();
      once->task = nullptr;
      {
        const std::lock_guard guard(mutex);
        once->done = true;
      }
      changed.notify_all();
    });
    changed.wait(lock, [&] { return once->done || !running; });
  }
  lock.unlock();
  if (!once->taken.exchange(true)) {
    once->task();
  }
}

Loop::Loop(std::string name) : impl_(std::make_shared<Impl>(std::move(name))) {}

Loop::~Loop() {
  stop();
  if (impl_->thread.joinable()) {
    join();
  }
}

const std::string& Loop::name() const {
  return impl_->name;
}

void Loop::start() {
  check(!impl_->thread.joinable(), "a loop is started once");
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->running = true;
  }
  impl_->thread = std::thread([impl = impl_.get()] {
    pthread_setname_np(pthread_self(), impl->name.substr(0, 15).c_str());
    impl->run();
  });
}

void Loop::run() {
  impl_->run();
}

void Loop::stop() {
  impl_->context.stop();
}

void Loop::join() {
  check(!in_loop_thread(), "a loop cannot join itself");
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

bool Loop::in_loop_thread() const {
  return impl_->in_loop_thread();
}

void Loop::post(Task task) {
  asio::post(impl_->context, std::move(task));
}

void Loop::call(Task task) {
  impl_->call(std::move(task));
}

Timer Loop::after(Duration delay, Task task) {
  auto state = std::make_shared<Timer::State>();
  state->task = std::move(task);
  state->loop = impl_;
  if (in_loop_thread()) {
    arm(impl_->context, state, delay);
  } else {
    asio::post(impl_->context,
               [&context = impl_->context, state, delay] { arm(context, state, delay); });
  }
  return Timer(std::move(state));
}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> callback) {
  auto set = std::make_shared<asio::signal_set>(impl_->context);
  for (const int signal : signals) {
    set->add(signal);
  }
  auto shared = std::make_shared<std::function<void(int)>>(std::move(callback));
  asio::post(impl_->context,
             [set = std::move(set), shared = std::move(shared)] { wait_for_signal(set, shared); });
}

}  // namespace candlewick::net
