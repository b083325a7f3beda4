// The embedded warehouse as a file: opening brings it up to date.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "sqlite/database.h"
#include "warehouse/catalogue.h"

namespace candlewick::warehouse {

struct SqliteWarehouseFile {
  std::filesystem::path path;
  std::int64_t max_pages = 0;  // SQLite's own limit on the file; 0: none
};

// For writing: makes the file and its folder, migrates, seeds the dimensions.
Result<std::unique_ptr<sqlite::Database>> open_sqlite_for_writing(const SqliteWarehouseFile& file,
                                                                  const Catalogue& catalogue,
                                                                  Time now);

// Puts what the catalogue knows into dim_exchange and into rows of dim_cryptocurrency that lack it.
// What is there already is not overwritten: users may have corrected it.
Result<void> seed(sqlite::Database& database, const Catalogue& catalogue);

}  // namespace candlewick::warehouse
