// Who does not answer is left alone for a while by everybody: many that ask one after the other
// would each wait for as long as it takes to give up.
#pragma once

#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace candlewick::alert {

class Outage {
 public:
  // `pause` counts from the end of what failed.
  Outage(const Clock& clock, Duration pause) : clock_(clock), pause_(pause) {}

  // What `ask` gives; null, and nothing is asked, during a pause. Only a transient error is an
  // outage: any other is an answer.
  template <class Ask>
  auto unless_away(Ask&& ask) -> std::optional<decltype(ask())> {
    if (away_until_ && clock_.steady() < *away_until_) return std::nullopt;
    auto answer = std::forward<Ask>(ask)();
    away_until_.reset();
    if (!answer && answer.error().kind == ErrorKind::transient)
      away_until_ = clock_.steady() + pause_;
    return answer;
  }

 private:
  const Clock& clock_;
  const Duration pause_;
  std::optional<SteadyTime> away_until_;
};

}  // namespace candlewick::alert
