// What a warehouse remembers of an instrument, for a pipeline that is to go on from there.
#pragma once

#include <map>
#include <span>

#include "base/config.h"
#include "market/instrument.h"
#include "pipeline/venue_pipeline.h"
#include "warehouse/database.h"

namespace candlewick::app {

using Memories = std::map<Timeframe, pipeline::Memory>;

// As far back as the configuration's horizons reach. Errors: the database's.
Result<Memories> read_memories(warehouse::Database& warehouse, const Instrument& instrument,
                               std::span<const Timeframe> timeframes, const Config& config);

}  // namespace candlewick::app
