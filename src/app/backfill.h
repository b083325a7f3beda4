// candlewick backfill: REST history into the log, within the venue's budget, and what it proves
// into the coverage ledger. Resumable: neither what is stored nor what is proven to be empty is
// asked for again.
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
