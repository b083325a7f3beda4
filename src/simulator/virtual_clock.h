// The venue's time: a start and a speed, or as fast as the clients take it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::simulator {

struct Speed {
  // Virtual seconds a real one; nullopt: as fast as the clients take it.
  std::optional<double> factor = 1.0;

  std::string text() const;
};

// "1", "0.5", "60", "max". Error: misconfigured.
Result<Speed> parse_speed(std::string_view text);

// A function of the steady clock and of the pauses: it never goes back. With speed "max" it stands
// still and whoever drives the venues steps them on.
class VirtualClock {
 public:
  VirtualClock(Time start, Speed speed, SteadyTime since)
      : start_(start), speed_(speed), since_(since) {}

  const Speed& speed() const { return speed_; }
  Time at(SteadyTime steady) const;

  // Stands still from that moment on, until it is resumed. Repeating either changes nothing.
  void pause(SteadyTime steady);
  void resume(SteadyTime steady);
  bool is_paused() const { return is_paused_; }

 private:
  Time start_;
  Speed speed_;
  SteadyTime since_;
  bool is_paused_ = false;
};

}  // namespace candlewick::simulator
