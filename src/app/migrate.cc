// Versions are the numbers of the newest migration applied; 0 is a warehouse that is not there.
#include "app/migrate.h"

#include <filesystem>

#include "app/command.h"
#include "app/sinks.h"
#include "app/warehouse_choice.h"
#include "base/clock.h"
#include "postgres/connection.h"
#include "sink/registry.h"
#include "sqlite/database.h"
#include "warehouse/migration.h"
#include "warehouse/postgres_warehouse.h"
#include "warehouse/sqlite_warehouse.h"

namespace candlewick::app {
namespace {

struct Versions {
  std::string what;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

Result<std::int64_t> version_of(sqlite::Database& database) {
  const auto is_there =
      database.integer("SELECT count(*) FROM sqlite_master WHERE name = 'schema_migration'");
  if (!is_there || *is_there == 0) return is_there;
  return database.integer("SELECT coalesce(max(number), 0) FROM schema_migration");
}

Result<Versions> migrate_sqlite(const std::filesystem::path& path,
                                const warehouse::Catalogue& catalogue, Time now) {
  Versions versions{.what = path.string()};
  if (std::filesystem::exists(path)) {
    auto before = sqlite::Database::open({.path = path, .read_only = true, .create = false});
    if (!before) return fail(std::move(before.error()));
    const auto version = version_of(**before);
    if (!version) return fail(version.error());
    versions.from = *version;
  }
  const auto opened = warehouse::open_sqlite_for_writing({.path = path}, catalogue, now);
  if (!opened) return fail(opened.error());
  const auto version = version_of(**opened);
  if (!version) return fail(version.error());
  versions.to = *version;
  return versions;
}

Result<std::int64_t> version_of(postgres::Connection& connection) {
  const auto is_there = connection.query(
      "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename = 'schema_migration'",
      {connection.schema()});
  if (!is_there) return fail(is_there.error());
  if (is_there->integer(0, 0) == 0) return std::int64_t{0};
  const auto version = connection.query("SELECT coalesce(max(number), 0) FROM schema_migration");
  if (!version) return fail(version.error());
  return version->integer(0, 0);
}

Result<Versions> migrate_postgres(const warehouse::PostgresLocation& location,
                                  const warehouse::Catalogue& catalogue, Time now) {
  Versions versions;
  {
    const auto before =
        postgres::Connection::open({.url = location.url, .schema = location.schema});
    if (!before) return fail(before.error());
    versions.what = (*before)->target();
    const auto version = version_of(**before);
    if (!version) return within(versions.what, version.error());
    versions.from = *version;
  }
  const auto opened = warehouse::open_postgres_for_writing(location, catalogue, now);
  if (!opened) return fail(opened.error());
  const auto version = version_of(*opened->connection);
  if (!version) return within(versions.what, version.error());
  versions.to = *version;
  versions.what += ", " + warehouse::describe(opened->server);
  return versions;
}

int print_setup(const Config& config, const MigrateOptions& options) {
  const RealClock clock;
  const auto* kind = sink::find_sink(options.sink);
  if (kind == nullptr) {
    return report({ErrorKind::misconfigured, fmt::format("there is no sink \"{}\" (there are {})",
                                                         options.sink, sink::sink_names())});
  }
  if (kind->setup_sql == nullptr) {
    return report({ErrorKind::misconfigured,
                   fmt::format("sink {} needs no SQL of yours: {}", kind->name, kind->purpose)});
  }
  if (!options.print) {
    return report({ErrorKind::misconfigured,
                   fmt::format("the tables of {0} are their owner's: run what `candlewick migrate "
                               "{0} --print` prints",
                               kind->name)});
  }
  const auto settings = sink_settings(kind->name, config, clock);
  if (!settings) return report(settings.error());
  fmt::print("{}", kind->setup_sql(*settings));
  return done;
}

}  // namespace

int migrate(const LoadedConfig& loaded, const MigrateOptions& options) {
  const Config& config = loaded.config;
  if (!options.sink.empty()) return print_setup(config, options);
  if (options.print) {
    return report({ErrorKind::misconfigured,
                   "--print: name a sink, as in `candlewick migrate "
                   "supabase --print`"});
  }
  const auto catalogue = warehouse::Catalogue::built_in();
  if (!catalogue) return report(catalogue.error());
  const Time now = RealClock().now();
  auto location = postgres_location(config);
  if (!options.to.empty()) location.url = Secret(options.to);
  const bool is_postgres = !options.to.empty() || is_on_postgres(config);
  const auto versions = is_postgres ? migrate_postgres(location, *catalogue, now)
                                    : migrate_sqlite(warehouse_path(config), *catalogue, now);
  if (!versions) return report(versions.error());
  if (versions->from == versions->to) {
    fmt::print("{}: version {} already\n", versions->what, versions->to);
  } else {
    fmt::print("{}: from version {} to version {}\n", versions->what, versions->from, versions->to);
  }
  return done;
}

}  // namespace candlewick::app
