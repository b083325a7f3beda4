// The feed's timer.
#include "feed/link.h"

#include <algorithm>

namespace candlewick::feed {

void Link::rearm() {
  const auto wake = feed_->next_wake();
  if (wake == armed_for_) return;
  armed_for_ = wake;
  timer_.cancel();
  if (!wake) return;
  const Duration delay = std::max<Duration>(*wake - clock_.steady(), Duration::zero());
  timer_ = loop_.after(delay, [this] {
    armed_for_.reset();
    feed_->on_tick(now());
    rearm();
  });
}

}  // namespace candlewick::feed
