// Everything that the fundamentals layer tells. "stage" is which of a source's questions it was.
#pragma once

#include "base/observation.h"

namespace candlewick::fundamentals {

inline constexpr ObservationKind request_failed{
    .name = "fundamentals_request_failed",
    .level = Severity::warning,
    .metric = "candlewick_fundamentals_failed_requests_total",
    .help = "Requests for fundamentals that failed and are tried again, by stage and error kind",
    .labels = {"stage", "error_kind"}};
inline constexpr ObservationKind rate_limited{
    .name = "fundamentals_rate_limited",
    .level = Severity::warning,
    .metric = "candlewick_fundamentals_rate_limited_total",
    .help = "Replies 429 to requests for fundamentals",
    .labels = {"stage"}};
inline constexpr ObservationKind key_refused{
    .name = "fundamentals_key_refused",
    .level = Severity::error,
    .metric = "candlewick_fundamentals_key_refusals_total",
    .help = "Replies 401 and 403: the API key is refused, or the address is blocked",
    .labels = {"stage"}};
inline constexpr ObservationKind coin_missing{
    .name = "fundamentals_coin_missing",
    .level = Severity::warning,
    .metric = "candlewick_fundamentals_missing_coins_total",
    .help = "Assets that the source does not know; their columns stay null"};

}  // namespace candlewick::fundamentals
