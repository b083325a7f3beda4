// Migrations of a PostgreSQL warehouse: the same numbered files and record as everywhere
// (migration.h), fitted to the server's grade.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "postgres/connection.h"
#include "warehouse/migration.h"
#include "warehouse/postgres_server.h"

namespace candlewick::warehouse {

// How a warehouse was made. It stays so: a warehouse with native partitions keeps them when the
// extension appears later.
enum class Layout : unsigned char { native, hypertables };

struct PostgresMigration {
  std::string schema = "public";
  // A chunk is about as long as it takes to hold ten million one-minute candles: with up to 250
  // streams 28 days, up to 1,000 7 days, else 1 day.
  std::size_t streams = 0;
};
int chunk_days(std::size_t streams);

// The parts of a file that are for this grade and layout, with its names filled in.
Result<std::string> fit(std::string_view sql, const PostgresServer& server, Layout layout,
                        const PostgresMigration& options);

// Brings the database up to date, each migration in a transaction of its own, under an advisory
// lock. Returns how many were applied. Errors: as pending()'s; misconfigured on a read-only
// replica, without the right to make tables, or when a warehouse of hypertables lost its extension.
Result<int> migrate(postgres::Connection& connection, const PostgresServer& server,
                    const std::vector<Migration>& known, const PostgresMigration& options,
                    Time now);

// Error: misconfigured unless exactly the known migrations are applied.
Result<void> check_migrated(postgres::Connection& connection, const std::vector<Migration>& known);

// Of a warehouse that is migrated.
Result<Layout> layout_of(postgres::Connection& connection);

}  // namespace candlewick::warehouse
