// Rows into the tables of a SQLite warehouse: the statements, made from the schema's column lists,
// and the guards of each table. Works inside the caller's transaction.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/table.h"
#include "sink/sqlite_coverage.h"
#include "sqlite/database.h"
#include "warehouse/dimensions.h"

namespace candlewick::sink {

class SqliteRows {
 public:
  SqliteRows(sqlite::Database& database, const warehouse::Catalogue& catalogue,
             bool exchange_symbol_style)
      : database_(database),
        dimensions_(database, catalogue),
        spans_(database),
        exchange_symbol_style_(exchange_symbol_style) {}

  Result<void> write(const schema::Row& row);
  // After a rollback: what was remembered of it may not be there.
  void forget() { dimensions_.forget(); }

 private:
  // Bound parameters point into it until the statement has run.
  struct Scratch {
    std::array<char, 48> digits;
  };

  Result<sqlite::Statement*> insert_for(const schema::Table& table);
  Result<void> bind(sqlite::Statement& statement, const schema::Row& row);
  Result<void> keep_superseded(const schema::Row& row);

  sqlite::Database& database_;
  warehouse::Dimensions dimensions_;
  SqliteCoverage spans_;
  const bool exchange_symbol_style_;
  std::map<const schema::Table*, sqlite::Statement> inserts_;
  sqlite::Statement keep_superseded_;
  bool has_keep_superseded_ = false;
  std::vector<Scratch> scratch_;
};

// INSERT … ON CONFLICT … for a table whose columns are the schema's, except that facts name
// exchange and symbol by id.
std::string insert_sql(const schema::Table& table);

}  // namespace candlewick::sink
