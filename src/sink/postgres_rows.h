// Rows into the tables of a PostgreSQL warehouse: COPY into a temporary table, then one guarded
// upsert, both made from the schema's column lists. Many rows at once are nearly always new ones,
// so they are first tried by COPY into the table itself, which is half as much work. Works inside
// the caller's transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "postgres/connection.h"
#include "schema/table.h"
#include "warehouse/catalogue.h"
#include "warehouse/postgres_dimensions.h"
#include "warehouse/postgres_warehouse.h"

namespace candlewick::sink {

class PostgresRows {
 public:
  PostgresRows(postgres::Connection& connection, const warehouse::Catalogue& catalogue,
               warehouse::Layout layout, bool exchange_symbol_style)
      : connection_(connection),
        dimensions_(connection, catalogue),
        layout_(layout),
        exchange_symbol_style_(exchange_symbol_style) {}

  // Once a connection, outside of transactions: makes the temporary tables.
  Result<void> prepare();
  // Errors stick to the transaction.
  void write(postgres::Transaction& transaction, std::span<const log::Entry> entries);
  // After a rollback: what was remembered of it may not be there.
  void forget();

 private:
  // Rows of one table whose keys differ, as one statement needs them. A key that comes again goes
  // to the next pass, so rows of one key are taken in their order.
  struct Pass {
    postgres::CopyRows rows;
    bool has_corrections = false;
  };
  struct Target {
    std::vector<Pass> passes;
    std::size_t used = 0;
    int staged_for = 0;  // how many times more the direct way is not tried
    std::unordered_map<std::uint64_t, std::size_t> next_pass;  // by the key's hash
  };

  void add(postgres::Transaction& transaction, const schema::Row& row);
  Pass& pass_for(const schema::Row& row);
  Result<void> append(postgres::CopyRows& rows, const schema::Row& row);
  void make_partition(postgres::Transaction& transaction, const schema::Row& row);
  void note_touched(const schema::Row& row);
  void store_touched(postgres::Transaction& transaction);
  void store(postgres::Transaction& transaction, const schema::Table& table, Target& target);
  // True when all rows were new.
  bool store_directly(postgres::Transaction& transaction, const schema::Table& table,
                      Target& target);

  postgres::Connection& connection_;
  warehouse::PostgresDimensions dimensions_;
  const warehouse::Layout layout_;
  const bool exchange_symbol_style_;
  std::map<const schema::Table*, Target> targets_;
  std::vector<const schema::Row*> assertions_;
  // Table and months since year 0 for which there are partitions.
  std::set<std::pair<const schema::Table*, int>> partitions_;
  // Where roll-ups are continuous aggregates: days of this batch's closed minutes, to be refreshed.
  bool has_continuous_rollups_ = false;
  std::set<std::chrono::sys_days> touched_;
};

// The statements for a table, whose columns are the schema's except that facts name exchange and
// symbol by id.
struct PostgresStatements {
  std::string make_staging;
  std::string copy_staging;
  std::string copy_directly;  // refused when a key is there already
  std::string insert;         // from the staging table, guarded
};
PostgresStatements statements_for(const schema::Table& table);

}  // namespace candlewick::sink
