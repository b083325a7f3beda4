// The extension may lie in any schema, and its settings are known only once its library is loaded.
#include "warehouse/postgres_server.h"

#include <utility>

namespace candlewick::warehouse {

std::string_view to_text(Grade grade) {
  switch (grade) {
    case Grade::timescale_community:
      return "TimescaleDB community edition";
    case Grade::timescale_apache:
      return "TimescaleDB Apache edition";
    case Grade::plain:
      return "plain PostgreSQL";
  }
  std::unreachable();
}

std::string_view code_of(Grade grade) {
  switch (grade) {
    case Grade::timescale_community:
      return "timescale_community";
    case Grade::timescale_apache:
      return "timescale_apache";
    case Grade::plain:
      return "plain";
  }
  std::unreachable();
}

std::string describe(const PostgresServer& server) {
  std::string text = fmt::format("PostgreSQL {}", server.server_version);
  if (server.grade != Grade::plain) {
    text += fmt::format(" with TimescaleDB {} ({} edition)", server.timescale_version,
                        server.grade == Grade::timescale_apache ? "Apache" : "community");
  }
  if (server.is_replica) text += ", a read-only replica";
  return text;
}

Result<PostgresServer> inspect(postgres::Connection& connection) {
  PostgresServer server;
  const int version = connection.server_version();
  server.server_version = fmt::format("{}.{}", version / 10'000, version % 10'000);
  server.is_replica = connection.is_replica();
  if (version < 140'000) {
    return fail(ErrorKind::misconfigured, "{}: PostgreSQL {} is too old, 14 is needed",
                connection.target(), server.server_version);
  }
  const auto extension = connection.query(
      "SELECT e.extversion, n.nspname FROM pg_extension e JOIN pg_namespace n "
      "ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'");
  if (!extension) return within(connection.target(), extension.error());
  if (extension->size() == 0) return server;
  server.timescale_version = extension->text(0, 0);
  server.timescale_schema = extension->text(0, 1);
  const auto license = connection.query("SELECT current_setting('timescaledb.license', true)");
  if (!license) return within(connection.target(), license.error());
  if (license->is_null(0, 0)) {
    return fail(ErrorKind::misconfigured,
                "{}: the extension timescaledb is installed but not loaded: add it to "
                "shared_preload_libraries and restart the server",
                connection.target());
  }
  server.grade =
      license->text(0, 0) == "apache" ? Grade::timescale_apache : Grade::timescale_community;
  return server;
}

}  // namespace candlewick::warehouse
