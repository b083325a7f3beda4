// A venue's clock as its events show it: the newest exchange time seen. One frame with an absurd
// time must not move it for good, so a leap of more than an hour (and the first time of all) counts
// only when an event with another time near it confirms it: the same frame may come twice.
#pragma once

#include <optional>

#include "base/time.h"

namespace candlewick::feed {

class VenueClock {
 public:
  // True when the clock moved.
  bool observe(Time time) {
    if (!now_) {
      if (!confirmed(time)) return false;
      now_ = time;
      return true;
    }
    if (time <= *now_) return false;
    if (time - *now_ > leap && !confirmed(time)) return false;
    now_ = time;
    return true;
  }
  // A time endpoint's answer needs no confirmation.
  void set(Time time) {
    if (!now_ || time > *now_) now_ = time;
  }
  std::optional<Time> now() const { return now_; }

 private:
  static constexpr Duration leap = std::chrono::hours{1};
  bool confirmed(Time time) {
    const bool near = candidate_ && time != *candidate_ && time - *candidate_ <= leap &&
                      *candidate_ - time <= leap;
    candidate_ = time;
    return near;
  }
  std::optional<Time> now_;
  std::optional<Time> candidate_;
};

}  // namespace candlewick::feed
