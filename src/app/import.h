// candlewick import: candles from files into the log, and what they prove into the coverage ledger,
// as backfill does with a venue's REST history. All files are checked from end to end before the
// first row is taken; what is stored already is left alone, so it can be run again.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"

namespace candlewick::app {

struct ImportOptions {
  std::vector<std::string> files;
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::string market = "spot";
  // A file as sha256sum writes it, for a single file; empty: FILE.CHECKSUM where there is one.
  std::string checksum;
};
int import_files(const LoadedConfig& loaded, const ImportOptions& options);

}  // namespace candlewick::app
