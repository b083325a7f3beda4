// One window of a minute; the venue's windows begin elsewhere, which its header corrects.
#include "feed/budget.h"

#include <algorithm>

namespace candlewick::feed {

using namespace std::chrono_literals;

void Budget::roll(SteadyTime now) {
  if (now - window_start_ < 60s) return;
  window_start_ = now;
  used_ = 0;
}

int Budget::allowed() const {
  return std::max(1, static_cast<int>(limit_ * share_));
}

int Budget::used(SteadyTime now) {
  roll(now);
  return used_;
}

SteadyTime Budget::earliest(SteadyTime now, int weight, int reserve) {
  roll(now);
  const SteadyTime free = blocked_until_ ? std::max(now, *blocked_until_) : now;
  // A single request that is larger than all we allow ourselves goes in a window of its own.
  const int room = std::max(allowed() - reserve, std::min(weight, allowed()));
  if (used_ + weight <= room || used_ == 0) return free;
  return std::max(free, window_start_ + 60s);
}

void Budget::spend(SteadyTime now, int weight) {
  roll(now);
  used_ += weight;
}

void Budget::venue_says_used(SteadyTime now, std::int64_t weight) {
  roll(now);
  used_ = std::max(used_, static_cast<int>(std::clamp<std::int64_t>(weight, 0, 1'000'000'000)));
}

void Budget::block_until(SteadyTime time) {
  blocked_until_ = blocked_until_ ? std::max(*blocked_until_, time) : time;
}

}  // namespace candlewick::feed
