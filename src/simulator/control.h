// The simulator's own requests, which no venue has:
//   GET  /_sim/truth?symbol=&timeframe=[&start=&end=]   the true closed candles, as JSON Lines
//   GET  /_sim/state                                    virtual time, faults and how often they hit
//   POST /_sim/faults        changes the faults: a SPEC or a JSON object (faults.h)
//   POST /_sim/connections   "cut", "silence" or "shutdown": happens once, to everyone
#pragma once

#include "simulator/protocol.h"

namespace candlewick::simulator {

class VenueCore;

Reply control(const Request& request, VenueCore& core);

}  // namespace candlewick::simulator
