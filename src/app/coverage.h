// candlewick coverage: what the ledger says of every minute, out of the warehouse alone.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct CoverageOptions {
  std::string exchange;  // empty: all
  std::string symbol;    // in any spelling; empty: all
  std::string timeframe;
  std::string since;
  std::string format;
  bool history = false;  // every assertion that was ever made, in their order
  bool summary = false;  // minutes by state
};
int coverage(const LoadedConfig& loaded, const CoverageOptions& options);

}  // namespace candlewick::app
