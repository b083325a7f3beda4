// The resolved coverage of a SQLite warehouse: disjoint spans, kept up as assertions come. Spans
// that meet and say the same are one, with the newest evidence: a live stream asserts itself every
// minute, and the table stays as small as what happened. Works inside the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "schema/table.h"
#include "sqlite/database.h"

namespace candlewick::sink {

class SqliteCoverage {
 public:
  explicit SqliteCoverage(sqlite::Database& database) : database_(database) {}

  // A row of the table `coverage` that is new, and in it already. Older spans are cut back, newer
  // ones stay on top, so the order in which assertions arrive does not matter.
  Result<void> lay_over(const schema::Row& row);

 private:
  struct Span {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::string state;
    std::optional<std::string> cause;
    std::optional<std::string> evidence;
    std::int64_t recorded_at = 0;
    std::int64_t seq = 0;
  };

  Result<void> prepare();
  static void bind_series(sqlite::Statement& statement, const schema::Row& row);
  static Result<std::vector<Span>> read(sqlite::Statement& statement);
  // Those that overlap or meet it, by time.
  Result<std::vector<Span>> touching(const schema::Row& row, const Span& added);
  // What the assertions themselves say of the added span, by time.
  Result<std::vector<Span>> resolved(const schema::Row& row, const Span& added);
  Result<void> replace(const schema::Row& row, const std::vector<Span>& old_spans,
                       const std::vector<Span>& new_spans);

  sqlite::Database& database_;
  bool is_prepared_ = false;
  sqlite::Statement touching_, assertions_, delete_, insert_, extend_;
};

}  // namespace candlewick::sink
