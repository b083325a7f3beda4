// The only place that reads a clock. Code that needs the time is given a Clock; tests drive a fake.
#pragma once

#include "base/time.h"

namespace candlewick {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual SteadyTime steady() const = 0;
};

class RealClock final : public Clock {
 public:
  Time now() const override;
  SteadyTime steady() const override;
};

// Moves only when told to; both times advance together.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Time start) : now_(start), steady_(start.time_since_epoch()) {}
  Time now() const override { return now_; }
  SteadyTime steady() const override { return steady_; }
  void advance(Duration by) {
    now_ += by;
    steady_ += by;
  }
  // The wall clock is set (by an administrator, NTP, a leap): the steady one does not notice.
  void jump(Duration by) { now_ += by; }

 private:
  Time now_;
  SteadyTime steady_;
};

}  // namespace candlewick
