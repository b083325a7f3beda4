// Venues through CCXT: finding the sidecar, and asking it what a venue is.
#pragma once

#include <memory>
#include <string_view>

#include "base/config.h"
#include "exchange/ccxt/ccxt.h"
#include "net/child.h"

namespace candlewick::app {

// How the sidecar of "ccxt:mexc" is run. Error: misconfigured, when it is not installed.
Result<net::ChildOptions> sidecar_of(const Config& config, std::string_view name);

// Starts it once to ask what the venue is; takes a second or two. Errors: misconfigured, naming
// what to install or to set; transient.
Result<std::unique_ptr<exchange::ccxt::BridgedVenue>> bridged_venue(const Config& config,
                                                                    std::string_view name);

}  // namespace candlewick::app
