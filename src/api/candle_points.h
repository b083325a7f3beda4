// Candles as a chart needs them: the warehouse's and memory's, joined as /v1/candles joins them.
#pragma once

#include <vector>

#include "api/paging.h"
#include "base/decimal.h"

namespace candlewick::api {

struct CandlePoint {
  Time open_time;
  Decimal open;
  Decimal high;
  Decimal low;
  Decimal close;
  Decimal volume;
};

// In the order asked for; one more than the limit tells that there are more.
Result<std::vector<CandlePoint>> candle_points(const Site& site, warehouse::Database& database,
                                               const Series& series,
                                               const HistoryQuestion& question);

}  // namespace candlewick::api
