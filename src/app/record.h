// candlewick record: raw frames of a venue into one recording, until a signal or for a while.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"

namespace candlewick::app {

struct RecordOptions {
  std::string exchange;
  std::vector<std::string> symbols;
  std::string output;    // .zst is compressed
  std::string for_time;  // "10m"; empty: until a signal
};
int record(const LoadedConfig& loaded, const RecordOptions& options);

}  // namespace candlewick::app
