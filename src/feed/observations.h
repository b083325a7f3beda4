// Everything that the feed layer tells.
#pragma once

#include "base/observation.h"

namespace candlewick::feed {

inline constexpr ObservationKind connection_opened{.name = "feed_connected",
                                                   .level = Severity::info,
                                                   .metric = "candlewick_feed_connections_total",
                                                   .help = "Connections that were opened",
                                                   .labels = {"venue"}};
inline constexpr ObservationKind connection_lost{
    .name = "feed_disconnected",
    .level = Severity::warning,
    .metric = "candlewick_feed_disconnects_total",
    .help = "Connections that ended or failed, by error kind",
    .labels = {"venue", "error_kind"}};
inline constexpr ObservationKind frame_refused{
    .name = "feed_frame_refused",
    .level = Severity::warning,
    .metric = "candlewick_feed_refused_frames_total",
    .help = "Frames that were not decoded, by error kind",
    .labels = {"venue", "error_kind"}};
inline constexpr ObservationKind request_failed{
    .name = "feed_request_failed",
    .level = Severity::warning,
    .metric = "candlewick_feed_failed_requests_total",
    .help = "REST requests that failed, by error kind; retried ones too",
    .labels = {"venue", "error_kind"}};
inline constexpr ObservationKind request_refused{
    .name = "feed_request_refused",
    .level = Severity::error,
    .metric = "candlewick_feed_refused_requests_total",
    .help = "REST requests that the venue will not answer",
    .labels = {"venue", "error_kind"}};
inline constexpr ObservationKind rate_limited{.name = "feed_rate_limited",
                                              .level = Severity::warning,
                                              .metric = "candlewick_feed_rate_limited_total",
                                              .help = "Replies 429 and 418",
                                              .labels = {"venue"}};
inline constexpr ObservationKind handover_announced{
    .name = "feed_shutdown_announced",
    .level = Severity::info,
    .metric = "candlewick_feed_shutdown_notices_total",
    .help = "Venues' announcements that they will disconnect",
    .labels = {"venue"}};

inline constexpr ObservationKind sidecar_ready{.name = "feed_sidecar_ready",
                                               .level = Severity::info,
                                               .metric = "candlewick_feed_sidecar_starts_total",
                                               .help = "Starts of venues' sidecars",
                                               .labels = {"venue"}};
inline constexpr ObservationKind sidecar_lost{
    .name = "feed_sidecar_lost",
    .level = Severity::warning,
    .metric = "candlewick_feed_sidecar_losses_total",
    .help = "Sidecars that ended, hung or could not be started, by error kind",
    .labels = {"venue", "error_kind"}};
inline constexpr ObservationKind recording_failed{
    .name = "feed_recording_failed",
    .level = Severity::warning,
    .metric = "candlewick_feed_unrecorded_frames_total",
    .help = "Frames that could not be recorded",
    .labels = {"venue"}};

}  // namespace candlewick::feed
