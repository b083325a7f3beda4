// Everything that the alert layer tells besides its messages. `channel` is the receiver's name,
// `stage` the condition's.
#pragma once

#include "base/observation.h"

namespace candlewick::alert {

inline constexpr ObservationKind alert_told{
    .name = "alert",
    .level = Severity::warning,
    .metric = "candlewick_alert_messages_total",
    .help = "Alerts that began, went on or ended, by condition",
    .labels = {"stage"}};
inline constexpr ObservationKind message_delivered{.name = "alert_delivered",
                                                   .level = Severity::debug,
                                                   .metric = "candlewick_alert_delivered_total",
                                                   .help = "Messages that a receiver took",
                                                   .labels = {"channel"}};
inline constexpr ObservationKind message_delayed{
    .name = "alert_delayed",
    .level = Severity::warning,
    .metric = "candlewick_alert_failed_attempts_total",
    .help = "Attempts at a receiver that failed and are made again",
    .labels = {"channel"}};
inline constexpr ObservationKind message_given_up{
    .name = "alert_given_up",
    .level = Severity::error,
    .metric = "candlewick_alert_given_up_total",
    .help = "Messages that a receiver refused, that got too old or found no room",
    .labels = {"channel"}};
inline constexpr ObservationKind threshold_without_subject{.name = "alert_without_subject",
                                                           .level = Severity::warning};
inline constexpr ObservationKind series_unreadable{.name = "alert_series_unreadable",
                                                   .level = Severity::warning};

}  // namespace candlewick::alert
