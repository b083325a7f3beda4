// The embedded warehouse as a sink: one transaction a batch with the cursor in it, so that every
// row is stored exactly once whatever dies when.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "sink/registry.h"
#include "sink/sink.h"

namespace candlewick::sink {

struct SqliteWarehouseOptions {
  std::filesystem::path path;
  // Write the venue's spelling ("BTCUSDT") into `symbol` of ticks and indicators.
  bool exchange_symbol_style = false;
  // For tests of a full disk: SQLite's own limit on the file, in pages. 0: none.
  std::int64_t max_pages = 0;
};

std::unique_ptr<Sink> make_sqlite_warehouse(SqliteWarehouseOptions options, const Clock& clock);

// Settings: "path", "symbol_style" ("unified" or "exchange").
Result<std::unique_ptr<Sink>> make_sqlite_warehouse_from(const Settings& settings);

}  // namespace candlewick::sink
