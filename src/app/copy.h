// candlewick copy: an embedded SQLite warehouse into PostgreSQL, whole. What was copied is recorded
// with the rows, so an interrupted copy goes on where it was; at the end every row of every table
// is compared, and the tables' hashes are printed.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct CopyOptions {
  std::string from;  // a file; empty: the embedded warehouse of the data folder
  std::string to;    // a URL; empty: the configured database_url
  std::string format;
};
int copy(const LoadedConfig& loaded, const CopyOptions& options);

}  // namespace candlewick::app
