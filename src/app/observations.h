// What the program itself tells.
#pragma once

#include "base/observation.h"

namespace candlewick::app {

inline constexpr ObservationKind service_started{.name = "service_started",
                                                 .level = Severity::info};
inline constexpr ObservationKind service_stopped{.name = "service_stopped",
                                                 .level = Severity::info};
inline constexpr ObservationKind config_warning{.name = "config_warning",
                                                .level = Severity::warning};
inline constexpr ObservationKind symbol_not_listed{.name = "symbol_not_listed",
                                                   .level = Severity::warning};
inline constexpr ObservationKind instrument_joined{.name = "instrument_joined",
                                                   .level = Severity::info};
inline constexpr ObservationKind instrument_left{.name = "instrument_left",
                                                 .level = Severity::info};
inline constexpr ObservationKind venue_joined{.name = "venue_joined", .level = Severity::info};
inline constexpr ObservationKind venue_left{.name = "venue_left", .level = Severity::info};
inline constexpr ObservationKind rule_failed{
    .name = "rule_failed",
    .level = Severity::warning,
    .metric = "candlewick_rule_failures_total",
    .help = "Looks at rules of `symbols` whose instruments could not be followed",
    .labels = {"error_kind"}};
inline constexpr ObservationKind order_remembered{.name = "subscriptions_by_order",
                                                  .level = Severity::info};
inline constexpr ObservationKind order_not_kept{
    .name = "subscriptions_not_kept",
    .level = Severity::error,
    .metric = "candlewick_orders_not_kept_total",
    .help = "Orders to follow something else that could not be written to the data folder"};
inline constexpr ObservationKind config_reloaded{.name = "config_reloaded",
                                                 .level = Severity::info};
inline constexpr ObservationKind config_not_reloaded{
    .name = "config_not_reloaded",
    .level = Severity::error,
    .metric = "candlewick_config_reload_failures_total",
    .help = "Reloads of the configuration that were refused; the service goes on as before",
    .labels = {"error_kind"}};
inline constexpr ObservationKind log_refuses{
    .name = "log_refuses_rows",
    .level = Severity::error,
    .metric = "candlewick_log_refused_offers_total",
    .help = "Times that rows had to wait because the log took none"};
inline constexpr ObservationKind rows_dropped{
    .name = "rows_dropped",
    .level = Severity::error,
    .metric = "candlewick_log_dropped_rows_total",
    .help =
        "Rows given up, never acknowledged, because the log took none for too long; candles among "
        "them are fetched again",
    .amount = "rows"};
inline constexpr ObservationKind ingest_stopped{
    .name = "ingest_stopped",
    .level = Severity::error,
    .metric = "candlewick_ingest_stops_total",
    .help = "Times that reading from the venues stopped because the log's disk budget was used up"};
inline constexpr ObservationKind ingest_resumed{.name = "ingest_resumed", .level = Severity::info};
inline constexpr ObservationKind log_failing{.name = "log_failing",
                                             .level = Severity::error,
                                             .metric = "candlewick_log_failures_total",
                                             .help = "Looks at the log that found it failing",
                                             .labels = {"error_kind"}};

inline constexpr ObservationKind warehouse_found{.name = "warehouse_found",
                                                 .level = Severity::info};
inline constexpr ObservationKind warehouse_unreachable{
    .name = "warehouse_unreachable",
    .level = Severity::warning,
    .metric = "candlewick_warehouse_unreachable_total",
    .help = "Starts that found no warehouse to remember from",
    .labels = {"error_kind"}};
inline constexpr ObservationKind maintenance_failed{
    .name = "maintenance_failed",
    .level = Severity::warning,
    .metric = "candlewick_maintenance_failures_total",
    .help = "Failed rounds of looking after the warehouse",
    .labels = {"error_kind"}};
inline constexpr ObservationKind retention_dropped{.name = "retention_dropped",
                                                   .level = Severity::info};

}  // namespace candlewick::app
