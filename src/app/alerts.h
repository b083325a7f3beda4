// candlewick alerts: who is told and of which thresholds, and a message to try it with.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct AlertsOptions {
  std::string format;
  bool is_test = false;  // sends everybody a message
};
int alerts(const LoadedConfig& loaded, const AlertsOptions& options);

}  // namespace candlewick::app
