// Exponential back-off with jitter.
#include "net/backoff.h"

#include <algorithm>
#include <cmath>

namespace candlewick::net {

Duration Backoff::next(Duration at_least) {
  const auto cap = static_cast<double>(options_.cap.count());
  // pow() may overflow to infinity; min() brings it back.
  const double whole = std::min(cap, static_cast<double>(options_.first.count()) *
                                         std::pow(std::max(1.0, options_.factor), attempts_));
  ++attempts_;
  std::uniform_real_distribution<double> share(0.5, 1.0);
  const Duration delay{static_cast<Duration::rep>(whole * share(random_))};
  return std::max(delay, at_least);
}

}  // namespace candlewick::net
