// Two assets have other names on REST and v1: XBT and XDG.
#include "exchange/kraken/symbols.h"

#include <array>
#include <utility>

#include "exchange/asset_names.h"
#include "exchange/kraken/kraken.h"

namespace candlewick::exchange::kraken {
namespace {

struct Names {
  std::string_view old;
  std::string_view now;
};
constexpr std::array<Names, 2> renamed{{{"XBT", "BTC"}, {"XDG", "DOGE"}}};
constexpr std::array<AssetName, 7> asset_names{{{"FEE", "KFEE"},
                                                {"LUNA", "LUNC"},
                                                {"LUNA2", "LUNA"},
                                                {"REP", "REPV1"},
                                                {"REPV2", "REP"},
                                                {"UST", "USTC"},
                                                {"XDG", "DOGE"}}};

std::string asset_of_v2(std::string_view asset) {
  for (const auto& [old, now] : renamed) {
    if (asset == old) return std::string(now);
  }
  return std::string(asset);
}

std::string asset_of_rest(std::string_view asset) {
  for (const auto& [old, now] : renamed) {
    if (asset == now) return std::string(old);
  }
  return std::string(asset);
}

// "XXBT" and "ZUSD": old assets carry a letter for what they are.
std::string without_class(std::string_view asset) {
  const bool has_class = asset.size() == 4 && (asset[0] == 'X' || asset[0] == 'Z');
  return asset_of_v2(has_class ? asset.substr(1) : asset);
}

}  // namespace

std::string v2_symbol(std::string_view symbol) {
  const auto slash = symbol.find('/');
  if (slash == std::string_view::npos) return std::string(symbol);
  return asset_of_v2(symbol.substr(0, slash)) + "/" + asset_of_v2(symbol.substr(slash + 1));
}

std::string rest_pair(std::string_view v2_symbol) {
  const auto slash = v2_symbol.find('/');
  if (slash == std::string_view::npos) return std::string(v2_symbol);
  return asset_of_rest(v2_symbol.substr(0, slash)) + asset_of_rest(v2_symbol.substr(slash + 1));
}

std::string unified_asset(std::string_view asset) {
  return exchange::unified_asset(asset_names, asset);
}

std::optional<Pair> read_pair(std::string_view symbol) {
  return separated_pair(asset_names, symbol, '/');
}

const Instrument* instrument_of_pair(Catalogue& catalogue, std::string_view pair) {
  if (pair.contains('/')) return instrument_of(catalogue, pair);
  if (pair.size() < 4 || pair.size() > 40) return nullptr;
  // Every way to take it apart: what is known counts before what could be.
  const auto split = [&](std::size_t at) {
    return std::pair{without_class(pair.substr(0, at)), without_class(pair.substr(at))};
  };
  for (std::size_t at = 2; at + 2 <= pair.size(); ++at) {
    for (const auto& [base, quote] :
         {std::pair{asset_of_v2(pair.substr(0, at)), asset_of_v2(pair.substr(at))}, split(at)}) {
      const auto* known = catalogue.find(base + "/" + quote);
      if (known != nullptr) return known;
    }
  }
  for (const auto quote : kraken.quote_assets) {
    for (const auto& ending : {asset_of_rest(quote), std::string(quote)}) {
      if (pair.size() <= ending.size() || !pair.ends_with(ending)) continue;
      const auto base = pair.substr(0, pair.size() - ending.size());
      const bool has_classes = base.size() == 5 && base.ends_with('Z');  // XXBTZ of "XXBTZUSD"
      auto symbol = has_classes ? without_class(base.substr(0, 4)) : asset_of_v2(base);
      symbol += '/';
      symbol += quote;
      return catalogue.find_or_infer(symbol);
    }
  }
  return nullptr;
}

const Instrument* instrument_of(Catalogue& catalogue, std::string_view symbol) {
  if (const auto* known = catalogue.find(symbol)) return known;
  return catalogue.find_or_infer(v2_symbol(symbol));
}

}  // namespace candlewick::exchange::kraken
