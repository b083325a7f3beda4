// Numbered migrations: one folder below sql/ for each kind of target, files named 0001_what.sql.
// Applying them is the target's business; what is to be applied is decided here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sqlite/database.h"

namespace candlewick::warehouse {

struct Migration {
  int number = 0;
  std::string name;
  std::string_view sql;
  std::string checksum;  // of the text, so that a file changed after the fact is noticed
};

struct AppliedMigration {
  int number = 0;
  std::string checksum;
};

// Those in a folder ("warehouse/sqlite"), by number.
std::vector<Migration> migrations_in(std::string_view folder);
std::string checksum_of(std::string_view text);

// Those still to apply, in order. Errors, all misconfigured: the database is newer than the
// program, an applied migration was changed, or one in the middle is missing.
Result<std::vector<Migration>> pending(const std::vector<Migration>& known,
                                       const std::vector<AppliedMigration>& applied);

// Brings a SQLite database up to date, each migration in a transaction of its own together with its
// row in schema_migration. Returns how many were applied.
Result<int> migrate(sqlite::Database& database, const std::vector<Migration>& known, Time now);

// Error: misconfigured unless exactly the known migrations are applied.
Result<void> check_migrated(sqlite::Database& database, const std::vector<Migration>& known);

}  // namespace candlewick::warehouse
