// candlewick migrate: brings a warehouse to the schema of this program, and says from where to
// where. The service does the same at its start; this is for doing it beforehand, with the rights
// of the owner. For a sink that is no warehouse it prints the SQL that its owner is to run.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct MigrateOptions {
  std::string to;    // a URL; empty: the configured warehouse
  std::string sink;  // empty: the warehouse
  bool print = false;
};
int migrate(const LoadedConfig& loaded, const MigrateOptions& options);

}  // namespace candlewick::app
