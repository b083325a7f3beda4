// A warehouse on PostgreSQL: opening it for writing brings it up to date.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "postgres/connection.h"
#include "warehouse/catalogue.h"
#include "warehouse/database.h"
#include "warehouse/postgres_migration.h"
#include "warehouse/postgres_server.h"

namespace candlewick::warehouse {

struct PostgresLocation {
  Secret url;
  std::string schema = "public";
  std::size_t streams = 0;  // how many series are expected: see chunk_days()
  // For questions; writing and migrating have none of ours.
  Duration statement_timeout = std::chrono::seconds{30};
};

struct PostgresWarehouse {
  std::unique_ptr<postgres::Connection> connection;
  PostgresServer server;
  Layout layout = Layout::native;
  int migrated = 0;  // migrations that were applied just now
};

// For writing: migrates, seeds the dimensions and makes the partitions of the next months.
Result<PostgresWarehouse> open_postgres_for_writing(const PostgresLocation& location,
                                                    const Catalogue& catalogue, Time now);

// Read only. When the connection was lost, the next question opens another.
Result<std::unique_ptr<Database>> open_postgres_for_reading(const PostgresLocation& location);

// What is at the URL, without changing anything: for doctor.
Result<PostgresServer> inspect_postgres(const PostgresLocation& location);

// The same interface for writing, over a connection of one's own.
std::unique_ptr<Database> make_postgres_database(std::unique_ptr<postgres::Connection> connection);

// Puts what the catalogue knows into the dimensions; what is there already is not overwritten.
Result<void> seed(postgres::Connection& connection, const Catalogue& catalogue);

// Partitions of every partitioned table for the month of `at`; nothing to do with hypertables.
Result<void> make_partitions(postgres::Connection& connection, std::string_view table, Time at);
// Of all of them, for the month of `now` and the three after it.
Result<void> make_partitions_ahead(postgres::Connection& connection, Time now);

}  // namespace candlewick::warehouse
