// What is left of minutes that retention has dropped: their roll-ups, as each grade of PostgreSQL
// keeps them. They hold fewer columns than candles do, and nothing shorter than five minutes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "market/timeframe.h"
#include "query/candles.h"
#include "warehouse/database.h"

namespace candlewick::query {

struct KeptRollups {
  Time before;  // minutes before it are told by these, and by nothing else
  Timeframe length = Timeframe::m5;
  std::string_view table;
  friend bool operator==(const KeptRollups&, const KeptRollups&) = default;
};

// The longest ones that candles of `timeframe` can be made of. None where nothing was dropped yet,
// where the warehouse never drops candles, and for timeframes that five minutes do not divide.
Result<std::optional<KeptRollups>> kept_rollups(warehouse::Database& database, Timeframe timeframe);

// Those of the query's instrument, range, order and limit, each with its `bars`. `revision` is 0
// and `ingested_at` the end of its time: those of the minutes are gone.
Result<std::vector<Candle>> kept_candles(warehouse::Database& database, const KeptRollups& kept,
                                         const CandleQuery& query);

}  // namespace candlewick::query
