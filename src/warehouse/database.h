// What the reading side needs of a warehouse: one SQL text for every kind, with $1, $2, … as
// parameters and the wanted types beside the question, since SQLite keeps decimals as text and
// times as integers. A Database belongs to one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/table.h"

namespace candlewick::warehouse {

using Values = std::vector<schema::Value>;

enum class Dialect : unsigned char { sqlite, postgres };

class Database {
 public:
  virtual ~Database() = default;
  virtual Dialect dialect() const = 0;

  // Every row at once: questions have limits. `types`: one for each column of the answer; null
  // cells stay Null.
  virtual Result<std::vector<Values>> select(std::string_view sql,
                                             std::span<const schema::Value> parameters,
                                             std::span<const schema::ColumnType> types) = 0;
  // Returns the number of rows changed.
  virtual Result<std::int64_t> execute(std::string_view sql,
                                       std::span<const schema::Value> parameters) = 0;
};

// Read only, beside a writer that may be at work. Error: misconfigured when there is no such file
// or it is no warehouse of this program's version.
Result<std::unique_ptr<Database>> open_sqlite_for_reading(const std::filesystem::path& path);

}  // namespace candlewick::warehouse
