// `candlewick top`: a running service on the whole terminal, refreshed about once a second. Where
// there is no terminal, one snapshot as text.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct TopOptions {
  std::string url;       // empty: where the configuration has the service listen
  std::string key;       // of the API, where reading needs one
  std::string key_file;  // or a file with it, which other users of the machine cannot see
  double interval_seconds = 1;
  bool once = false;
};

int top(const LoadedConfig& loaded, const TopOptions& options);

}  // namespace candlewick::app
