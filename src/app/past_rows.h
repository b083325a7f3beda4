// What the warehouse holds from an instant on, as rows for a sink that is new.
#pragma once

#include <functional>
#include <memory>

#include "sink/delivery.h"
#include "warehouse/database.h"

namespace candlewick::app {

using OpenDatabase = std::function<Result<std::unique_ptr<warehouse::Database>>()>;

// Instruments, candles, ticks and indicators, in this order and each by series and time. The
// database is opened at the first row that is asked for. What it stores meanwhile may or may not be
// among them.
std::unique_ptr<sink::PastRows> past_rows(OpenDatabase open, Time since);

}  // namespace candlewick::app
