// candlewick backfill: REST history into the log, within the venue's budget. Resumable: what is
// stored already is not asked for again. A running service's sinks pick the rows up; without one
// they are written before the command ends.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct BackfillOptions {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::string start;
  std::string end;  // empty: now, by the venue's clock
};
int backfill(const LoadedConfig& loaded, const BackfillOptions& options);

}  // namespace candlewick::app
