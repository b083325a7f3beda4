// The dimensions of a SQLite warehouse: names to ids, made when they are first met, and the lives
// of listings. Works inside the caller's transaction; when that is rolled back, forget() must
// follow.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "schema/table.h"
#include "sqlite/database.h"
#include "warehouse/catalogue.h"

namespace candlewick::warehouse {

class Dimensions {
 public:
  Dimensions(sqlite::Database& database, const Catalogue& catalogue)
      : database_(database), catalogue_(catalogue) {}

  Result<std::int64_t> exchange_id(std::string_view name);
  // `base` and `quote` are read off the symbol when they are not given.
  Result<std::int64_t> crypto_id(std::string_view symbol, PairParts parts = {});

  // A row of the table `instruments`. News about a listing updates it; another instrument under the
  // same ticker, or a listing after a delisting, begins a new life. Older news than what is stored
  // changes nothing.
  Result<void> apply_instrument(const schema::Row& row);

  // A row of the table `assets`, which is stored already: names the pairs that have it for their
  // base. What it leaves open stays as it was.
  Result<void> apply_asset(const schema::Row& row);

  void forget();

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Ids = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;

  // One life of a ticker: a row of dim_listing.
  struct Life {
    std::int64_t id = 0;
    std::int64_t crypto_id = 0;
    bool is_delisted = false;
    std::int64_t recorded_at = 0;
  };

  Result<void> prepare();
  Result<std::optional<Life>> newest_life(std::int64_t exchange, const std::string& ticker,
                                          const std::string& market);
  Result<void> update_life(std::int64_t id, const schema::Row& row);
  Result<void> begin_life(std::int64_t exchange, std::int64_t crypto, const schema::Row& row,
                          std::optional<std::int64_t> listed_at);
  Result<std::int64_t> find(sqlite::Statement& statement, std::string_view name);

  sqlite::Database& database_;
  const Catalogue& catalogue_;
  Ids exchanges_;
  Ids cryptocurrencies_;
  bool is_prepared_ = false;
  sqlite::Statement find_exchange_, add_exchange_, find_crypto_, add_crypto_, name_cryptos_;
  sqlite::Statement find_listing_, add_listing_, update_listing_, end_listing_;
};

}  // namespace candlewick::warehouse
