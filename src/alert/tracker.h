// From what holds now to what people are told: once when it begins, again while it goes on, once
// when it is over. No clock and no I/O.
//
// A value that dances on a line is one alert: what has fired is over when it is clear of the line
// (Finding::clear), or has been back on the good side (near) for the condition's `calm`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alert/message.h"
#include "base/time.h"

namespace candlewick::alert {

struct Moment {
  SteadyTime steady;
  Time wall;
};

class Tracker {
 public:
  // `repeat_interval`: zero: never again.
  explicit Tracker(Duration repeat_interval) : repeat_interval_(repeat_interval) {}

  // `conditions`: all there are, firing or not. One that fired and is not among them any more is
  // over: nobody looks at it. In the order of the conditions.
  std::vector<Message> look(const std::vector<Condition>& conditions, Moment now);

  // What is firing, by name.
  std::map<std::string, std::size_t> firing() const;

 private:
  struct State {
    std::optional<SteadyTime> holding_since;
    Time first_seen;
    std::optional<SteadyTime> good_since;  // of one that fired
    bool is_firing = false;
    Urgency told_urgency = Urgency::information;
    SteadyTime told_at;
    Condition newest;
  };
  using Key = std::pair<std::string, Labels>;

  std::optional<Message> step(State& state, const Condition& condition, Moment now);
  static Message message_of(const State& state, Phase phase, Moment now);

  Duration repeat_interval_;
  std::map<Key, State> states_;
};

}  // namespace candlewick::alert
