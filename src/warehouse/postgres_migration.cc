// The record of what was applied is made first, by hand; everything else is in the files.
#include "warehouse/postgres_migration.h"

#include <array>
#include <optional>
#include <utility>

namespace candlewick::warehouse {
namespace {

using postgres::Connection;

// One migrator at a time in a database; readers and writers do not take it.
constexpr std::int64_t advisory_lock = 0x43574D4947524154;  // "CWMIGRAT"

constexpr const char* make_record =
    "CREATE TABLE schema_migration (number integer PRIMARY KEY, name text NOT NULL, "
    "checksum text NOT NULL, applied_at timestamptz NOT NULL);"
    // What the program needs to know of how the warehouse was made.
    "CREATE TABLE warehouse_property (name text PRIMARY KEY, value text NOT NULL);"
    "GRANT SELECT ON schema_migration, warehouse_property TO PUBLIC";

Result<bool> has_record(Connection& connection) {
  const auto found = connection.query(
      "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename = 'schema_migration'",
      {connection.schema()});
  if (!found) return fail(found.error());
  return found->integer(0, 0) > 0;
}

Result<std::vector<AppliedMigration>> applied_in(Connection& connection) {
  const auto rows =
      connection.query("SELECT number, checksum FROM schema_migration ORDER BY number");
  if (!rows) return fail(rows.error());
  std::vector<AppliedMigration> applied;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    applied.push_back({static_cast<int>(rows->integer(i, 0)), rows->text(i, 1)});
  }
  return applied;
}

Result<void> set_property(Connection& connection, std::string_view name, std::string_view value) {
  const auto set = connection.query(
      "INSERT INTO warehouse_property VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = "
      "excluded.value",
      {std::string(name), std::string(value)});
  if (!set) return fail(set.error());
  return {};
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

Result<void> begin_record(Connection& connection, const PostgresServer& server) {
  const auto there = has_record(connection);
  if (!there) return fail(there.error());
  if (*there) return {};
  postgres::Transaction transaction(connection);
  transaction.run(make_record);
  if (transaction.ok()) {
    transaction.check(set_property(connection, "layout",
                                   server.grade == Grade::plain ? "native" : "hypertables"));
  }
  return transaction.commit();
}

Result<void> apply(Connection& connection, const Migration& migration, const std::string& script,
                   Time now) {
  postgres::Transaction transaction(connection);
  transaction.run(script);
  transaction.query("INSERT INTO schema_migration VALUES ($1, $2, $3, $4)",
                    {std::int64_t{migration.number}, migration.name, migration.checksum, now});
  return transaction.commit();
}

// Under the lock.
Result<int> migrate_locked(Connection& connection, const PostgresServer& server,
                           const std::vector<Migration>& known, const PostgresMigration& options,
                           Time now) {
  if (auto begun = begin_record(connection, server); !begun) return fail(begun.error());
  const auto layout = layout_of(connection);
  if (!layout) return fail(layout.error());
  if (*layout == Layout::hypertables && server.grade == Grade::plain) {
    return fail(ErrorKind::misconfigured,
                "the warehouse was made with TimescaleDB, which this database has not");
  }
  const auto applied = applied_in(connection);
  if (!applied) return fail(applied.error());
  const auto todo = pending(known, *applied);
  if (!todo) return fail(todo.error());
  for (const auto& migration : *todo) {
    const auto script = fit(migration.sql, server, *layout, options);
    if (!script) return within(migration.name, script.error());
    if (auto done = apply(connection, migration, *script, now); !done) {
      return within(fmt::format("migration {}", migration.name), std::move(done.error()));
    }
  }
  return static_cast<int>(todo->size());
}

}  // namespace

int chunk_days(std::size_t streams) {
  if (streams <= 250) return 28;
  return streams <= 1'000 ? 7 : 1;
}

Result<std::string> fit(std::string_view sql, const PostgresServer& server, Layout layout,
                        const PostgresMigration& options) {
  constexpr std::string_view only = "-- @only ";
  const bool continuous =
      layout == Layout::hypertables && server.grade == Grade::timescale_community;
  const std::array<std::pair<std::string_view, bool>, 4> parts{
      {{"plain", layout == Layout::native},
       {"timescale", layout == Layout::hypertables},
       {"continuous", continuous},
       {"kept", !continuous}}};
  std::string fitted;
  bool is_inside = false;
  bool is_wanted = true;
  while (!sql.empty()) {
    const auto end = sql.find('\n');
    const auto line = sql.substr(0, end);
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
    if (line.starts_with(only)) {
      const auto name = line.substr(only.size());
      std::optional<bool> known;
      for (const auto& [part, wanted] : parts) {
        if (part == name) known = wanted;
      }
      if (!known || is_inside) {
        return fail(ErrorKind::misconfigured, "\"{}\" is not understood", line);
      }
      is_inside = true;
      is_wanted = *known;
    } else if (line == "-- @end") {
      is_inside = false;
      is_wanted = true;
    } else if (is_wanted) {
      fitted += line;
      fitted += '\n';
    }
  }
  if (is_inside) return fail(ErrorKind::misconfigured, "-- @end is missing");
  replace_all(fitted, "{timescale}", postgres::quoted_name(server.timescale_schema));
  replace_all(fitted, "{schema}", postgres::quoted_name(options.schema));
  replace_all(fitted, "{chunk_days}", std::to_string(chunk_days(options.streams)));
  return fitted;
}

Result<int> migrate(Connection& connection, const PostgresServer& server,
                    const std::vector<Migration>& known, const PostgresMigration& options,
                    Time now) {
  if (server.is_replica) {
    return fail(ErrorKind::misconfigured, "{}: the server is a read-only replica",
                connection.target());
  }
  const auto schema =
      connection.query("SELECT count(*) FROM pg_namespace WHERE nspname = $1", {options.schema});
  if (!schema) return within(connection.target(), schema.error());
  if (schema->integer(0, 0) == 0) {
    const auto made = connection.run(
        fmt::format("CREATE SCHEMA IF NOT EXISTS {}", postgres::quoted_name(options.schema)));
    if (!made) return within(connection.target(), made.error());
  }
  const auto locked = connection.query("SELECT pg_advisory_lock($1)", {advisory_lock});
  if (!locked) return within(connection.target(), locked.error());
  auto done = migrate_locked(connection, server, known, options, now);
  // When this fails the connection is gone, and the lock with it.
  static_cast<void>(connection.query("SELECT pg_advisory_unlock($1)", {advisory_lock}));
  if (!done) return within(connection.target(), std::move(done.error()));
  return done;
}

Result<void> check_migrated(Connection& connection, const std::vector<Migration>& known) {
  const auto there = has_record(connection);
  if (!there) return within(connection.target(), there.error());
  if (!*there) {
    return fail(ErrorKind::misconfigured,
                "{}: schema \"{}\" is no warehouse of Candlewick's; run `candlewick migrate`",
                connection.target(), connection.schema());
  }
  const auto applied = applied_in(connection);
  if (!applied) return within(connection.target(), applied.error());
  const auto todo = pending(known, *applied);
  if (!todo) return within(connection.target(), todo.error());
  if (!todo->empty()) {
    return fail(ErrorKind::misconfigured,
                "{}: is older than this program; run `candlewick migrate`", connection.target());
  }
  return {};
}

Result<Layout> layout_of(Connection& connection) {
  const auto rows = connection.query("SELECT value FROM warehouse_property WHERE name = 'layout'");
  if (!rows) return fail(rows.error());
  if (rows->size() == 0) return fail(ErrorKind::misconfigured, "warehouse_property has no layout");
  return rows->text(0, 0) == "native" ? Layout::native : Layout::hypertables;
}

}  // namespace candlewick::warehouse
