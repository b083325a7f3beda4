// A venue's request budget: so much weight a minute for one address, shared with everybody behind
// it. Counts what we spend, believes the venue when it says that more is used, and stops on 429 and
// 418 until the time they name. Wall (steady) time throughout: the venue's servers keep it too.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace candlewick::feed {

class Budget {
 public:
  // `share`: the part of the venue's limit that we allow ourselves, in (0, 1].
  Budget(int weight_per_minute, double share) : limit_(weight_per_minute), share_(share) {}

  // The venue states another limit.
  void set_limit(int weight_per_minute) { limit_ = weight_per_minute; }
  // When a request of this weight may go: `now` or later. `reserve` keeps that much back for those
  // that matter more (live needs before history).
  SteadyTime earliest(SteadyTime now, int weight, int reserve = 0);
  void spend(SteadyTime now, int weight);
  // The venue's own count for the current minute, from a reply's header.
  void venue_says_used(SteadyTime now, std::int64_t weight);
  // 429 or 418: nothing before this.
  void block_until(SteadyTime time);
  // Weight used in the current minute, and the weight that we allow ourselves.
  int used(SteadyTime now);
  int allowed() const;

 private:
  void roll(SteadyTime now);

  int limit_;
  double share_;
  SteadyTime window_start_{};
  int used_ = 0;
  std::optional<SteadyTime> blocked_until_;
};

}  // namespace candlewick::feed
