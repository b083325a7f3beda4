// Names of CCXT 4.5.84 (base/Exchange: commonCurrencies), read 2026-11-21.
#include "exchange/asset_names.h"

#include <algorithm>
#include <array>

#include "exchange/reading.h"

namespace candlewick::exchange {
namespace {

constexpr std::size_t longest_symbol = 60;

// Where a venue says no other.
constexpr std::array<AssetName, 2> everywhere{{{"BCHSV", "BSV"}, {"XBT", "BTC"}}};

}  // namespace

std::string unified_asset(std::span<const AssetName> names, std::string_view asset) {
  std::string name = upper(asset);
  for (const auto table : {names, std::span<const AssetName>(everywhere)}) {
    const auto found = std::ranges::find(table, name, &AssetName::theirs);
    if (found != table.end()) return std::string(found->unified);
  }
  return name;
}

std::string asset_of_venue(std::span<const AssetName> names, std::string_view unified) {
  const auto found = std::ranges::find(names, unified, &AssetName::unified);
  return std::string(found == names.end() ? unified : found->theirs);
}

std::optional<Pair> separated_pair(std::span<const AssetName> names, std::string_view symbol,
                                   char separator) {
  const auto at = symbol.rfind(separator);
  if (at == std::string_view::npos || at == 0 || at + 1 == symbol.size() ||
      symbol.size() > longest_symbol) {
    return std::nullopt;
  }
  return Pair{unified_asset(names, symbol.substr(0, at)),
              unified_asset(names, symbol.substr(at + 1))};
}

}  // namespace candlewick::exchange
