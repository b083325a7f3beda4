// What the market calls a venue's assets, where the venue calls them something else: CCXT's choice
// (commonCurrencies of each venue, and those that it knows everywhere), so that rows of this
// service and of CCXT name the same thing alike.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "market/instrument.h"

namespace candlewick::exchange {

struct AssetName {
  std::string_view theirs;
  std::string_view unified;
};

// In capitals, as CCXT has them. What is in neither table is called as the venue calls it.
std::string unified_asset(std::span<const AssetName> names, std::string_view asset);
// The way back, by the venue's own table alone.
std::string asset_of_venue(std::span<const AssetName> names, std::string_view unified);
// Of a symbol such as "BTC-USDT", whatever it is quoted in; the last separator counts. Nullopt
// where a part is empty or the whole too long to be a symbol.
std::optional<Pair> separated_pair(std::span<const AssetName> names, std::string_view symbol,
                                   char separator);

}  // namespace candlewick::exchange
