// What `candlewick indicators` does: candles as CSV in, one JSON object a candle out, with the keys
// of the table technical_indicators. Pure: no clock, no state but the rows read so far.
#pragma once

#include <cstdint>
#include <iosfwd>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::indicator {

// The header names timestamp (or open_time), open, high, low, close and volume, in any order; other
// columns are ignored. A timestamp is RFC 3339 or an epoch of any unit. Rows are taken as
// consecutive bars of bar_length, whatever their timestamps, which must rise.
//
// Returns the number of candles. Error: malformed, naming the line and the column; what came before
// is written by then. transient when the output cannot be written.
Result<std::uint64_t> write_indicators(Duration bar_length, std::istream& csv, std::ostream& json);

}  // namespace candlewick::indicator
