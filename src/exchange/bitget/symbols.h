// Bitget writes BTCUSDT, and has names of its own for some assets.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "exchange/asset_names.h"

namespace candlewick::exchange::bitget {

// Longest first where one ends another.
inline constexpr std::array<std::string_view, 8> quote_assets{"USDT", "USDC", "USD1", "BGB",
                                                              "BTC",  "ETH",  "EUR",  "BRL"};

// CCXT 4.5.84, read 2026-11-21.
inline constexpr std::array<AssetName, 6> asset_names{{{"APX", "AstroPepeX"},
                                                       {"DEGEN", "DegenReborn"},
                                                       {"EVA", "Evadore"},
                                                       {"JADE", "Jade Protocol"},
                                                       {"OMNI", "omni"},
                                                       {"TONCOIN", "TON"}}};

// "TONCOINUSDT" is TON/USDT. Nullopt where no known quote ends it.
std::optional<Pair> read_pair(std::string_view symbol);
// The venue's symbol of a pair, without regard to whether it is listed.
std::string symbol_of(std::string_view base, std::string_view quote);

}  // namespace candlewick::exchange::bitget
