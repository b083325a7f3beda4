// Longer candles from closed one-minute candles, exactly: sums of decimals, never of doubles.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "market/timeframe.h"
#include "query/candles.h"

namespace candlewick::query {

// `minutes`: closed, ascending, of one instrument; some may be roll-ups themselves, which hold
// `bars` of them. Optional sums are null when a minute lacks them. What ends by `over` gets
// nothing any more: it is closed, whatever it lacks. Error: rejected when a sum leaves Decimal's
// range.
Result<std::vector<Candle>> roll_up(std::span<const Candle> minutes, Timeframe timeframe,
                                    Time over = Time{});

}  // namespace candlewick::query
