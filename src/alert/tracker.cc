// One state a condition, by name and labels.
#include "alert/tracker.h"

#include <set>

#include <fmt/format.h>

namespace candlewick::alert {

Message Tracker::message_of(const State& state, Phase phase, Moment now) {
  const Condition& of = state.newest;
  std::string summary = of.summary;
  if (phase == Phase::resolved)
    summary = of.resolved.empty() ? fmt::format("over: {}", of.summary) : of.resolved;
  return {.name = of.name,
          .urgency = of.urgency,
          .phase = phase,
          .summary = std::move(summary),
          .labels = of.labels,
          .at = now.wall,
          .since = state.first_seen};
}

std::optional<Message> Tracker::step(State& state, const Condition& condition, Moment now) {
  switch (condition.finding) {
    case Finding::unknown:
      if (!state.is_firing) state.holding_since.reset();
      state.good_since.reset();
      return std::nullopt;
    case Finding::holds: {
      state.newest = condition;
      state.good_since.reset();
      if (!state.holding_since) {
        state.holding_since = now.steady;
        state.first_seen = now.wall;
      }
      if (!state.is_firing && now.steady - *state.holding_since < condition.patience)
        return std::nullopt;
      const bool is_worse = state.is_firing && condition.urgency > state.told_urgency;
      const bool is_due = state.is_firing && repeat_interval_ > Duration::zero() &&
                          now.steady - state.told_at >= repeat_interval_;
      if (state.is_firing && !is_worse && !is_due) return std::nullopt;
      const Phase phase = state.is_firing && !is_worse ? Phase::repeated : Phase::firing;
      state.is_firing = true;
      state.told_urgency = condition.urgency;
      state.told_at = now.steady;
      return message_of(state, phase, now);
    }
    case Finding::near:
    case Finding::clear:
      break;
  }
  if (!state.is_firing) {
    state.holding_since.reset();
    return std::nullopt;
  }
  if (!state.good_since) state.good_since = now.steady;
  const bool is_over =
      (condition.finding == Finding::clear) || now.steady - *state.good_since >= condition.calm;
  if (!is_over) return std::nullopt;
  // What was wrong is what is told when there are no words for its end.
  if (!condition.resolved.empty()) state.newest.resolved = condition.resolved;
  Message message = message_of(state, Phase::resolved, now);
  state = {};
  return message;
}

std::vector<Message> Tracker::look(const std::vector<Condition>& conditions, Moment now) {
  std::vector<Message> messages;
  std::set<Key> seen;
  for (const auto& condition : conditions) {
    Key key{condition.name, condition.labels};
    if (auto message = step(states_[key], condition, now)) messages.push_back(std::move(*message));
    seen.insert(std::move(key));
  }
  for (auto entry = states_.begin(); entry != states_.end();) {
    auto& [key, state] = *entry;
    if (seen.contains(key)) {
      ++entry;
      continue;
    }
    if (state.is_firing) {
      state.newest.resolved = fmt::format("not looked at any more: {}", state.newest.summary);
      messages.push_back(message_of(state, Phase::resolved, now));
    }
    entry = states_.erase(entry);
  }
  return messages;
}

std::map<std::string, std::size_t> Tracker::firing() const {
  std::map<std::string, std::size_t> firing;
  for (const auto& [key, state] : states_) {
    if (state.is_firing) ++firing[key.first];
  }
  return firing;
}

}  // namespace candlewick::alert
