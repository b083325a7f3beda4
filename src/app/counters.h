// Counters of mishaps, at zero from the start: what appears with its first count has grown by
// nothing that anybody can see.
#pragma once

#include <span>
#include <string>

#include "base/config.h"
#include "base/metrics.h"

namespace candlewick::app {

// Those of the service and its sinks.
void begin_counters(Metrics& metrics, const Config& config, std::span<const std::string> sinks);
// Those of each of these venues; again for those that join.
void begin_venue_counters(Metrics& metrics, std::span<const std::string> venues);

}  // namespace candlewick::app
