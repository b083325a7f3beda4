// One row a venue, sorted by name.
#include "exchange/registry.h"

#include <array>

#include "exchange/binance/binance.h"

namespace candlewick::exchange {
namespace {

constexpr std::array<const Venue*, 2> venues{
    &binance::binance,
    &binance::binance_us,
};

}  // namespace

std::span<const Venue* const> all_venues() {
  return venues;
}

const Venue* find_venue(std::string_view name, Market market) {
  for (const auto* venue : venues) {
    if (venue->name == name && venue->market == market) return venue;
  }
  return nullptr;
}

std::string venue_names() {
  std::string names;
  for (const auto* venue : venues) {
    if (!names.empty()) names += ", ";
    names += venue->name;
  }
  return names;
}

std::unique_ptr<Catalogue> make_catalogue(const Venue& venue) {
  return std::make_unique<Catalogue>(std::string(venue.name), venue.market, venue.quote_assets,
                                     std::string(venue.symbol_separator));
}

}  // namespace candlewick::exchange
