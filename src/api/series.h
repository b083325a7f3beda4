// The instrument that a question is about: one of the board if it is there, else one that the
// warehouse has listed before.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "api/route.h"

namespace candlewick::api {

struct Series {
  std::string exchange;
  std::string symbol;
  std::string exchange_symbol;
  std::optional<std::size_t> slot;  // of the board; null: not configured any more
};

// From memory. Null: not on the board.
std::optional<Series> series_on_board(const Site& site, std::string_view typed,
                                      std::string_view exchange);

// The same, or one that only the warehouse knows. Null: unknown there too.
Result<std::optional<Series>> find_series(const Site& site, warehouse::Database& database,
                                          std::string_view typed, std::string_view exchange);
// Configured, or in the warehouse.
Result<bool> knows_exchange(const Site& site, warehouse::Database& database,
                            std::string_view exchange);

// For questions about any number of series: checks the names that were given and makes the symbol
// the unified one. False: answered with the problem.
Result<bool> settle_names(const Site& site, warehouse::Database& database, Call& call,
                          const std::optional<std::string>& exchange,
                          std::optional<std::string>& symbol);

// The problem to answer with when nobody knows it, near matches included.
Problem unknown_symbol(const Site& site, std::string_view typed, std::string_view exchange);
Problem unknown_exchange(const Site& site, std::string_view exchange);

}  // namespace candlewick::api
