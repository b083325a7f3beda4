// candlewick migrate: brings a warehouse to the schema of this program, and says from where to
// where. The service does the same at its start; this is for doing it beforehand, with the rights
// of the owner.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct MigrateOptions {
  std::string to;  // a URL; empty: the configured warehouse
};
int migrate(const LoadedConfig& loaded, const MigrateOptions& options);

}  // namespace candlewick::app
