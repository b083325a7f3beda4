// Counters that are there before there is something to count: of one that appears with its first
// count, nobody can tell by how much it grew.
#pragma once

#include <array>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "base/observation.h"

namespace candlewick {

// The counter of a kind of observation, at zero; with a label for the kind of error, all of them.
// Labels that `known` lacks are empty, as they are when an observation lacks the field.
inline void begin_at_zero(Metrics& metrics, const ObservationKind& kind, const Labels& known = {}) {
  if (kind.metric.empty()) return;
  Labels labels;
  bool is_by_error = false;
  for (const auto label : kind.labels) {
    if (label.empty()) continue;
    const auto value = known.find(std::string(label.name()));
    labels.emplace(label.name(), value == known.end() ? "" : value->second);
    is_by_error = is_by_error || (label.name() == "error_kind" && value == known.end());
  }
  const auto begin = [&] {
    static_cast<void>(metrics.counter(std::string(kind.metric), std::string(kind.help), labels));
  };
  if (!is_by_error) return begin();
  for (const auto error : {ErrorKind::transient, ErrorKind::malformed, ErrorKind::rejected,
                           ErrorKind::misconfigured}) {
    labels["error_kind"] = to_text(error);
    begin();
  }
}

}  // namespace candlewick
