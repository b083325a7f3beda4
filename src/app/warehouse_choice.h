// Which warehouse the configuration names, opened: the embedded one or PostgreSQL. Every command
// asks here.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/config.h"
#include "sink/registry.h"
#include "sink/sink.h"
#include "warehouse/database.h"
#include "warehouse/postgres_maintenance.h"
#include "warehouse/postgres_warehouse.h"

namespace candlewick::app {

// The files of the embedded log and warehouse.
std::filesystem::path log_path(const Config& config);
std::filesystem::path warehouse_path(const Config& config);

bool is_on_postgres(const Config& config);
warehouse::PostgresLocation postgres_location(const Config& config);
warehouse::Retention retention_of(const Config& config);

// Read only. Error: misconfigured when there is none yet.
Result<std::unique_ptr<warehouse::Database>> open_for_reading(const Config& config);
// The kind of sink that writes it, and what that is told.
std::string_view warehouse_kind(const Config& config);
sink::Settings warehouse_settings(const Config& config, const Clock& clock);
// That sink; opening the sink makes the warehouse or brings it up to date.
Result<std::unique_ptr<sink::Sink>> make_warehouse_sink(const Config& config, const Clock& clock);

}  // namespace candlewick::app
