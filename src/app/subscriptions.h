// What is to be followed: by the configuration, or by an order that came through the API and
// outlives a restart.
#pragma once

#include <optional>

#include "api/backend.h"
#include "base/config.h"

namespace candlewick::app {

using Wanted = api::Subscriptions;
using api::FollowedVenue;

Wanted wanted_by(const Config& config);

// The order in the data folder; null: there is none. Errors: misconfigured (it cannot be read, with
// its path).
Result<std::optional<Wanted>> stored_order(const Config& config);
// Whole or not at all. Errors: misconfigured (it cannot be written).
Result<void> store_order(const Config& config, const Wanted& wanted);
void forget_order(const Config& config);

}  // namespace candlewick::app
