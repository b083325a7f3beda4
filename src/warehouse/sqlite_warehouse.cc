// A warehouse need not sync each commit to be exact: the position moves in the same transaction, so
// what the loss of power takes away is read from the log again.
#include "warehouse/sqlite_warehouse.h"

#include <system_error>
#include <utility>

#include "sqlite/decimal_functions.h"
#include "warehouse/migration.h"

namespace candlewick::warehouse {
namespace {

Result<void> seed_exchanges(sqlite::Database& database, sqlite::Transaction& transaction,
                            const Catalogue& catalogue) {
  auto insert = database.prepare(
      "INSERT INTO dim_exchange (name, display_name, region, trading_fees) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (name) DO UPDATE SET display_name = coalesce(display_name, "
      "excluded.display_name), "
      "region = coalesce(region, excluded.region), "
      "trading_fees = coalesce(trading_fees, excluded.trading_fees)");
  if (!insert) return fail(std::move(insert.error()));
  for (const auto& exchange : catalogue.exchanges()) {
    insert->bind(1, exchange.name);
    insert->bind(2, exchange.display_name);
    insert->bind(3, exchange.region);
    exchange.trading_fees ? insert->bind_copy(4, exchange.trading_fees->to_string())
                          : insert->bind_null(4);
    transaction.run(*insert);
  }
  return {};
}

// Symbols that were met before this program knew their asset.
Result<void> seed_assets(sqlite::Database& database, sqlite::Transaction& transaction,
                         const Catalogue& catalogue) {
  auto nameless =
      database.prepare("SELECT DISTINCT base FROM dim_cryptocurrency WHERE name IS NULL");
  if (!nameless) return fail(std::move(nameless.error()));
  std::vector<const Asset*> named;
  while (true) {
    const auto row = nameless->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    if (const auto* asset = catalogue.find_asset(nameless->text(0))) named.push_back(asset);
  }
  auto update = database.prepare(
      "UPDATE dim_cryptocurrency SET name = ?2, sector = coalesce(sector, ?3), "
      "launch_date = coalesce(launch_date, ?4), coingecko_id = coalesce(coingecko_id, ?5) "
      "WHERE base = ?1 AND name IS NULL");
  if (!update) return fail(std::move(update.error()));
  for (const auto* asset : named) {
    update->bind(1, asset->asset);
    update->bind(2, asset->name);
    update->bind(3, asset->sector);
    update->bind(4, asset->launch_date);
    update->bind(5, asset->coingecko_id);
    transaction.run(*update);
  }
  return {};
}

}  // namespace

Result<void> seed(sqlite::Database& database, const Catalogue& catalogue) {
  sqlite::Transaction transaction(database);
  transaction.check(seed_exchanges(database, transaction, catalogue));
  transaction.check(seed_assets(database, transaction, catalogue));
  return transaction.commit();
}

Result<std::unique_ptr<sqlite::Database>> open_sqlite_for_writing(const SqliteWarehouseFile& file,
                                                                  const Catalogue& catalogue,
                                                                  Time now) {
  std::error_code ignored;  // opening the file tells it better
  if (file.path.has_parent_path()) {
    std::filesystem::create_directories(file.path.parent_path(), ignored);
  }
  auto database = sqlite::Database::open(
      {.path = file.path,
       // The log may be trimmed behind what a batch wrote: it must be on disk by then.
       .synchronous = sqlite::Synchronous::full,
       .max_pages = file.max_pages,
       .cache_bytes = std::int64_t{32} << 20});
  if (!database) return within("warehouse", std::move(database.error()));
  if (auto added = sqlite::add_decimal_functions(**database); !added) {
    return within("warehouse", std::move(added.error()));
  }
  if (auto migrated = migrate(**database, migrations_in("warehouse/sqlite"), now); !migrated) {
    return within("warehouse", std::move(migrated.error()));
  }
  if (auto seeded = seed(**database, catalogue); !seeded) {
    return within("warehouse", std::move(seeded.error()));
  }
  return database;
}

}  // namespace candlewick::warehouse
