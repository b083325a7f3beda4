// What a PostgreSQL server can do for a warehouse, and what a warehouse on it was made as.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "postgres/connection.h"

namespace candlewick::warehouse {

enum class Grade : unsigned char {
  timescale_community,  // hypertables, compression, continuous aggregates, policies
  timescale_apache,     // hypertables
  plain,                // native partitions
};
// "TimescaleDB community edition": for people.
std::string_view to_text(Grade grade);
// "timescale_community": for settings, metrics and JSON.
std::string_view code_of(Grade grade);

struct PostgresServer {
  Grade grade = Grade::plain;
  std::string server_version;     // "15.4"
  std::string timescale_version;  // "2.19.3"; empty when there is none
  std::string timescale_schema;   // where the extension's functions are
  bool is_replica = false;
};

// "PostgreSQL 15.4 with TimescaleDB 2.19.3 (Apache edition)": for doctor, /health and the log.
std::string describe(const PostgresServer& server);

// Error: misconfigured for servers before 14, and for an extension that is there and cannot be
// used.
Result<PostgresServer> inspect(postgres::Connection& connection);

}  // namespace candlewick::warehouse
