// The order of migrations is their number; schema_migration remembers what was done and to which
// text, so that running twice, or two programs at once, does each step once.
#include "warehouse/migration.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "warehouse/embedded.h"

namespace candlewick::warehouse {
namespace {

constexpr const char* make_record =
    "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
    "checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT";

Result<std::vector<AppliedMigration>> applied_in(sqlite::Database& database) {
  auto statement =
      database.prepare("SELECT number, checksum FROM schema_migration ORDER BY number");
  if (!statement) return fail(std::move(statement.error()));
  std::vector<AppliedMigration> applied;
  while (true) {
    const auto row = statement->step();
    if (!row) return fail(row.error());
    if (!*row) return applied;
    applied.push_back({static_cast<int>(statement->integer(0)), std::string(statement->text(1))});
  }
}

Result<void> apply(sqlite::Database& database, const Migration& migration, Time now) {
  sqlite::Transaction transaction(database);
  // Under the write lock: another program may have done it meanwhile.
  auto found = database.prepare("SELECT 1 FROM schema_migration WHERE number = ?");
  if (!found) return fail(std::move(found.error()));
  found->bind(1, static_cast<std::int64_t>(migration.number));
  const auto is_there = found->step();
  found->reset();
  if (!is_there) return fail(is_there.error());
  if (*is_there) return transaction.commit();

  transaction.execute(std::string(migration.sql));
  auto record = database.prepare("INSERT INTO schema_migration VALUES (?, ?, ?, ?)");
  if (!record) return fail(std::move(record.error()));
  record->bind(1, static_cast<std::int64_t>(migration.number));
  record->bind(2, std::string_view(migration.name));
  record->bind(3, std::string_view(migration.checksum));
  record->bind(4, to_us(now));
  transaction.run(*record);
  return transaction.commit();
}

}  // namespace

// FNV-1a: it guards against mistakes, not against enemies.
std::string checksum_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  }
  return fmt::format("{:016x}", hash);
}

std::vector<Migration> migrations_in(std::string_view folder) {
  std::vector<Migration> found;
  for (const auto& file : embedded_files()) {
    if (!file.path.starts_with(folder) || !file.path.ends_with(".sql")) continue;
    std::string_view name = file.path.substr(folder.size());
    if (!name.starts_with('/')) continue;
    name.remove_prefix(1);
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end == name.data() + name.size() || *end != '_') continue;
    found.push_back({number, std::string(name), file.text, checksum_of(file.text)});
  }
  std::ranges::sort(found, {}, &Migration::number);
  for (std::size_t i = 0; i < found.size(); ++i) {
    check(found[i].number == static_cast<int>(i) + 1, "migrations are numbered 1, 2, 3, ...");
  }
  return found;
}

Result<std::vector<Migration>> pending(const std::vector<Migration>& known,
                                       const std::vector<AppliedMigration>& applied) {
  for (std::size_t i = 0; i < applied.size(); ++i) {
    const auto& done = applied[i];
    if (done.number > static_cast<int>(known.size())) {
      return fail(
          ErrorKind::misconfigured,
          "the database is newer than this program: it has migration {}, the program knows {}",
          applied.back().number, known.size());
    }
    if (done.number != static_cast<int>(i) + 1) {
      return fail(ErrorKind::misconfigured, "migration {} is missing in the database", i + 1);
    }
    if (done.checksum != known[i].checksum) {
      return fail(ErrorKind::misconfigured, "migration {} was changed after it was applied",
                  known[i].name);
    }
  }
  return std::vector<Migration>(known.begin() + static_cast<std::ptrdiff_t>(applied.size()),
                                known.end());
}

Result<int> migrate(sqlite::Database& database, const std::vector<Migration>& known, Time now) {
  if (auto made = database.execute(make_record); !made) return fail(std::move(made.error()));
  const auto applied = applied_in(database);
  if (!applied) return fail(applied.error());
  const auto todo = pending(known, *applied);
  if (!todo) return within(database.path().string(), todo.error());
  for (const auto& migration : *todo) {
    if (auto done = apply(database, migration, now); !done) {
      return within(fmt::format("migration {}", migration.name), std::move(done.error()));
    }
  }
  return static_cast<int>(todo->size());
}

Result<void> check_migrated(sqlite::Database& database, const std::vector<Migration>& known) {
  const auto is_there = database.integer(
      "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migration' AND type = 'table'");
  if (!is_there) return fail(is_there.error());
  if (*is_there == 0) {
    return fail(ErrorKind::misconfigured, "{}: is no warehouse of Candlewick's",
                database.path().string());
  }
  const auto applied = applied_in(database);
  if (!applied) return fail(applied.error());
  const auto todo = pending(known, *applied);
  if (!todo) return within(database.path().string(), todo.error());
  if (!todo->empty()) {
    return fail(ErrorKind::misconfigured,
                "{}: is older than this program; run `candlewick migrate`",
                database.path().string());
  }
  return {};
}

}  // namespace candlewick::warehouse
