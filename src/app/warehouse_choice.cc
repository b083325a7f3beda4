// The configuration's words as settings of sinks and readers.
#include "app/warehouse_choice.h"

#include <fmt/format.h>

namespace candlewick::app {

std::filesystem::path log_path(const Config& config) {
  return std::filesystem::path(config.data_dir) / "log.db";
}
std::filesystem::path warehouse_path(const Config& config) {
  return std::filesystem::path(config.data_dir) / "warehouse.db";
}

bool is_on_postgres(const Config& config) {
  return config.warehouse == "postgres";
}

warehouse::PostgresLocation postgres_location(const Config& config) {
  return {.url = config.database_url,
          .schema = config.database_schema,
          .streams = config.exchanges.size() * config.symbols.size() * config.timeframes.size()};
}

warehouse::Retention retention_of(const Config& config) {
  const auto kept = [](Duration duration) {
    return duration > Duration{0} ? std::optional(duration) : std::nullopt;
  };
  return {.candles = kept(config.retention.candles),
          .trades = kept(config.retention.trades),
          .ticks = kept(config.retention.ticks),
          .indicators = kept(config.retention.indicators)};
}

Result<std::unique_ptr<warehouse::Database>> open_for_reading(const Config& config) {
  if (is_on_postgres(config))
    return warehouse::open_postgres_for_reading(postgres_location(config));
  return warehouse::open_sqlite_for_reading(warehouse_path(config));
}

std::string_view warehouse_kind(const Config& config) {
  return is_on_postgres(config) ? "postgres" : "sqlite";
}

sink::Settings warehouse_settings(const Config& config, const Clock& clock) {
  sink::Settings settings;
  settings.clock = &clock;
  settings.values["symbol_style"] = config.sink.symbol_style;
  if (!is_on_postgres(config)) {
    settings.values["path"] = warehouse_path(config).string();
    return settings;
  }
  const auto location = postgres_location(config);
  settings.values["url"] = location.url.reveal();
  settings.values["schema"] = location.schema;
  settings.values["streams"] = fmt::format("{}", location.streams);
  return settings;
}

Result<std::unique_ptr<sink::Sink>> make_warehouse_sink(const Config& config, const Clock& clock) {
  return sink::find_sink(warehouse_kind(config))->make(warehouse_settings(config, clock));
}

}  // namespace candlewick::app
