// Venues that are not built in, through CCXT: a sidecar process speaks for them in JSON Lines, and
// what it says of a venue makes a Venue when the service starts. It has no row in the registry.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "exchange/venue.h"

namespace candlewick::exchange::ccxt {

// "ccxt:mexc" is such a name.
bool is_bridged(std::string_view name);
// "mexc" of "ccxt:mexc". Error: misconfigured (no name that CCXT could have, or a venue that is
// built in).
Result<std::string> exchange_of(std::string_view name);

// Owns what its Venue refers to: keep it as long as that.
class BridgedVenue {
 public:
  virtual ~BridgedVenue() = default;
  virtual const Venue& venue() const = 0;
};
// From the sidecar's first line, {"ready":{…}}. Errors: malformed; misconfigured when what CCXT
// knows of the venue is not enough to follow it.
Result<std::unique_ptr<BridgedVenue>> make_venue(std::string_view name, std::string_view ready);

// Of the sidecar's lines: {"connection":1,"frame":{…}} and {"id":1,"result":…}.
std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue);

}  // namespace candlewick::exchange::ccxt
