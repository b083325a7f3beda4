// Everything that delivery tells. Numbers are in SinkStatistics; these are for the log.
#pragma once

#include "base/observation.h"

namespace candlewick::sink {

inline constexpr ObservationKind sink_failing{.name = "sink_failing",
                                              .level = Severity::warning,
                                              .metric = "candlewick_sink_failures_total",
                                              .help = "Failed attempts at a sink, by error kind",
                                              .labels = {"sink", "error_kind"}};
inline constexpr ObservationKind sink_stopped{
    .name = "sink_stopped",
    .level = Severity::error,
    .metric = "candlewick_sink_stops_total",
    .help = "Times that a sink was found to be set up wrongly",
    .labels = {"sink"}};
inline constexpr ObservationKind sink_recovered{.name = "sink_recovered", .level = Severity::info};
inline constexpr ObservationKind row_set_aside{.name = "sink_row_set_aside",
                                               .level = Severity::warning,
                                               .metric = "candlewick_sink_dead_letters_total",
                                               .help = "Rows that a sink refused, by error kind",
                                               .labels = {"sink", "error_kind"}};
inline constexpr ObservationKind rows_given_up{
    .name = "sink_rows_given_up",
    .level = Severity::error,
    .metric = "candlewick_sink_dropped_rows_total",
    .help = "Rows that the log gave up within its disk budget before the sink had them",
    .labels = {"sink"},
    .amount = "rows"};
inline constexpr ObservationKind past_delivered{.name = "sink_past_delivered",
                                                .level = Severity::info};

}  // namespace candlewick::sink
