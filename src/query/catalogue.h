// What the warehouse knows of exchanges and symbols.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "base/time.h"
#include "warehouse/database.h"

namespace candlewick::query {

struct Exchange {
  std::string name;
  std::optional<std::string> display_name;
  std::optional<std::string> region;
  std::optional<Decimal> trading_fees;  // taker, percent
  std::int64_t listings = 0;            // known ones, delisted included
};

Result<std::vector<Exchange>> exchanges(warehouse::Database& database);

struct SymbolQuery {
  std::optional<std::string> exchange;
  // Part of the symbol, the venue's spelling or the asset's name, in any case; separators may be
  // left out ("btcusdt").
  std::string search;
  bool listed_only = false;  // leaves out delisted ones
  std::size_t limit = 1000;
  std::size_t offset = 0;
};

// One row for each listing; a symbol that no exchange lists has none of the listing's values.
struct Symbol {
  std::string symbol;
  std::optional<std::string> name;
  std::optional<std::string> sector;
  std::optional<std::string> launch_date;
  std::string base;
  std::string quote;
  std::optional<std::string> coingecko_id;
  std::optional<std::string> exchange;
  std::optional<std::string> exchange_symbol;
  std::optional<std::string> market;
  std::optional<std::string> status;
  std::optional<Time> listed_at;
  std::optional<Time> delisted_at;
  std::optional<Decimal> tick_size;
  std::optional<Decimal> step_size;
};

// By symbol, then exchange; exact matches of the search first.
Result<std::vector<Symbol>> symbols(warehouse::Database& database, const SymbolQuery& query);

}  // namespace candlewick::query
