// Nothing stands between base and quote, so the quotes that are known take symbols apart.
#include "exchange/bitget/symbols.h"

namespace candlewick::exchange::bitget {

std::optional<Pair> read_pair(std::string_view symbol) {
  for (const auto quote : quote_assets) {
    if (symbol.size() <= quote.size() || !symbol.ends_with(quote)) continue;
    symbol.remove_suffix(quote.size());
    return Pair{unified_asset(asset_names, symbol), unified_asset(asset_names, quote)};
  }
  return std::nullopt;
}

std::string symbol_of(std::string_view base, std::string_view quote) {
  return asset_of_venue(asset_names, base) + asset_of_venue(asset_names, quote);
}

}  // namespace candlewick::exchange::bitget
