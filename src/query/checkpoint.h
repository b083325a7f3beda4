// The stored state of a series' recursive indicators, from which a restart goes on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "warehouse/database.h"

namespace candlewick::query {

struct Checkpoint {
  Time candle_time;  // the last candle that went in
  std::string state;
  Time recorded_at;
};

// Null when the series has none.
Result<std::optional<Checkpoint>> checkpoint(warehouse::Database& database,
                                             std::string_view exchange, std::string_view symbol,
                                             std::string_view timeframe);

}  // namespace candlewick::query
