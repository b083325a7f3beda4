// One row an asset.
#include "query/assets.h"

#include <array>
#include <utility>

#include "query/select.h"

namespace candlewick::query {

Result<std::map<std::string, Time>> assets_recorded_at(warehouse::Database& database) {
  using enum schema::ColumnType;
  constexpr std::array types{text, time};
  auto rows = database.select("SELECT asset, recorded_at FROM assets", {}, types);
  if (!rows) return fail(std::move(rows.error()));
  std::map<std::string, Time> recorded;
  for (auto& row : *rows) recorded.emplace(cell_or(row[0], std::string{}), cell_or(row[1], Time{}));
  return recorded;
}

}  // namespace candlewick::query
