// What a PostgreSQL warehouse needs now and then: partitions for the months to come, roll-ups
// of what came late, and the end of raw rows that are kept for a limited time.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "warehouse/postgres_warehouse.h"

namespace candlewick::warehouse {

// How long raw rows are kept; none: for ever. Whole partitions or chunks go, so rows may stay up
// to a month longer. At least 7 days. Roll-ups of dropped candles stay.
struct Retention {
  std::optional<Duration> candles;  // of every timeframe, with their earlier revisions
  std::optional<Duration> trades;
  std::optional<Duration> ticks;
  std::optional<Duration> indicators;
};

struct Maintenance {
  std::int64_t dropped = 0;  // partitions or chunks
  // Days whose roll-ups wait to be refreshed, with TimescaleDB's community edition. There a job of
  // the server does it every minute; those of the week that is not over are always among them.
  std::int64_t days_touched = 0;
  // The server's job was late, and this call did its work (with the rights of the owner only).
  bool refreshed = false;
};

// Over a connection of its own, so the writer goes on meanwhile; it may block for long. Meant to be
// called every few minutes; each call goes on where an earlier one was cut off. Errors:
// misconfigured for a retention below 7 days and for missing rights, transient as with any
// question.
Result<Maintenance> maintain_postgres(const PostgresLocation& location, const Retention& retention,
                                      Time now);

}  // namespace candlewick::warehouse
