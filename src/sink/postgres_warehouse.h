// A warehouse on PostgreSQL or TimescaleDB as a sink: one transaction a batch with the position in
// it, so that every row is stored exactly once whatever dies when.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "sink/registry.h"
#include "sink/sink.h"
#include "warehouse/postgres_warehouse.h"

namespace candlewick::sink {

struct PostgresWarehouseOptions {
  warehouse::PostgresLocation location;
  // Write the venue's spelling ("BTCUSDT") into `symbol` of ticks and indicators.
  bool exchange_symbol_style = false;
};

std::unique_ptr<Sink> make_postgres_warehouse(PostgresWarehouseOptions options, const Clock& clock);

// Settings: "url", "schema" ("public"), "streams" (a number), "symbol_style" ("unified" or
// "exchange").
Result<std::unique_ptr<Sink>> make_postgres_warehouse_from(const Settings& settings);

}  // namespace candlewick::sink
