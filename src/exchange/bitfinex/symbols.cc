// CCXT 4.5.84 has the unified names, read 2026-11-21.
#include "exchange/bitfinex/symbols.h"

#include <array>

#include "exchange/asset_names.h"

namespace candlewick::exchange::bitfinex {
namespace {

constexpr std::array<AssetName, 35> renamed{
    {{"ALG", "ALGO"},  {"AMP", "AMPL"},   {"ATO", "ATOM"}, {"BCHABC", "XEC"},    {"BCHN", "BCH"},
     {"DAT", "DATA"},  {"DOG", "MDOGE"},  {"DSH", "DASH"}, {"EDO", "PNT"},       {"EUS", "EURS"},
     {"EUT", "EURT"},  {"HTX", "HT"},     {"IDX", "ID"},   {"IOT", "IOTA"},      {"IQX", "IQ"},
     {"LUNA", "LUNC"}, {"LUNA2", "LUNA"}, {"MNA", "MANA"}, {"ORS", "ORS Group"}, {"PAS", "PASS"},
     {"QSH", "QASH"},  {"QTM", "QTUM"},   {"RBT", "RBTC"}, {"SNG", "SNGLS"},     {"STJ", "STORJ"},
     {"TSD", "TUSD"},  {"UDC", "USDC"},   {"UST", "USDT"}, {"TERRAUST", "USTC"}, {"VSY", "VSYS"},
     {"WAX", "WAXP"},  {"XCH", "XCHF"},   {"YGG", "YEED"}, {"YYW", "YOYOW"},     {"ZBT", "ZB"}}};

bool is_asset(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string_view::npos;
}

// Assets of this length stand together, others around a colon.
constexpr std::size_t plain_length = 3;

}  // namespace

std::optional<Pair> read_pair(std::string_view symbol) {
  // Derivatives' assets end so: tBTCF0:USTF0.
  if (!symbol.starts_with('t') || symbol.contains("F0")) return std::nullopt;
  symbol.remove_prefix(1);
  auto colon = symbol.find(':');
  std::string_view base = symbol.substr(0, colon);
  std::string_view quote;
  if (colon != std::string_view::npos) {
    quote = symbol.substr(colon + 1);
  } else if (symbol.size() == 2 * plain_length) {
    base = symbol.substr(0, plain_length);
    quote = symbol.substr(plain_length);
  }
  if (!is_asset(base) || !is_asset(quote)) return std::nullopt;
  return Pair{unified_asset(renamed, base), unified_asset(renamed, quote)};
}

std::string symbol_of(std::string_view base, std::string_view quote) {
  const auto first = asset_of_venue(renamed, base);
  const auto second = asset_of_venue(renamed, quote);
  const bool is_plain = first.size() == plain_length && second.size() == plain_length;
  return "t" + first + (is_plain ? "" : ":") + second;
}

}  // namespace candlewick::exchange::bitfinex
