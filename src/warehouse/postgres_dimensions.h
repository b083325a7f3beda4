// The dimensions of a PostgreSQL warehouse: names to ids, made when they are first met, and the
// lives of listings, by the same rules as dimensions.h. Works inside the caller's transaction; when
// that is rolled back, forget() must follow.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "postgres/connection.h"
#include "schema/table.h"
#include "warehouse/catalogue.h"

namespace candlewick::warehouse {

class PostgresDimensions {
 public:
  PostgresDimensions(postgres::Connection& connection, const Catalogue& catalogue)
      : connection_(connection), catalogue_(catalogue) {}

  Result<std::int64_t> exchange_id(std::string_view name);
  // `base` and `quote` are read off the symbol when they are not given.
  Result<std::int64_t> crypto_id(std::string_view symbol, PairParts parts = {});
  // A row of the table `instruments`.
  Result<void> apply_instrument(const schema::Row& row);

  void forget();

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Ids = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;

  // The id of a name, made by `add` when it is not there. Another writer may do so at the same
  // time.
  Result<std::int64_t> find_or_add(std::string_view find, std::string_view name,
                                   std::string_view add, std::span<const schema::Value> values);

  postgres::Connection& connection_;
  const Catalogue& catalogue_;
  Ids exchanges_;
  Ids cryptocurrencies_;
};

}  // namespace candlewick::warehouse
