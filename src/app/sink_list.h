// candlewick sinks: how far each sink is, from the log and, while a service runs, from its
// /v1/sinks.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct SinksOptions {
  std::string format;
  std::string forget;  // removes this sink's place in the log; empty: shows the list
};
int sinks(const LoadedConfig& loaded, const SinksOptions& options);

}  // namespace candlewick::app
