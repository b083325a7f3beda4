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
// Two steps, so that an order which is refused leaves nothing behind and one that is obeyed cannot
// be lost: it is on the disk beside its place, then it takes the place. Error: misconfigured (it
// cannot be written, with its path).
Result<void> write_order(const Config& config, const Wanted& wanted);
Result<void> keep_order(const Config& config);
// Also one that was written and not kept.
void forget_order(const Config& config);

}  // namespace candlewick::app
