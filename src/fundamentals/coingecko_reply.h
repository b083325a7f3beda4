// CoinGecko's answers, from bytes to records. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fundamentals/fundamentals.h"

namespace candlewick::fundamentals {

// A row of /coins/list.
struct ListedCoin {
  std::string id;
  std::string symbol;  // as CoinGecko writes it: mostly small letters; shared by many coins
  friend bool operator==(const ListedCoin&, const ListedCoin&) = default;
};

// A row of /coins/markets.
struct CoinMarket {
  std::string id;
  std::string name;
  MarketFacts facts;                 // zeros, which mean "not known" there, are absent
  std::optional<Time> last_updated;  // by CoinGecko's clock
  friend bool operator==(const CoinMarket&, const CoinMarket&) = default;
};

// Errors: malformed, with place and reason; nothing of a refused reply is used. A number that is
// larger than a Decimal holds is an unknown one.
Result<std::vector<ListedCoin>> read_list(std::string_view body);
Result<std::vector<CoinMarket>> read_markets(std::string_view body);
// /coins/{id}.
Result<AssetFacts> read_coin(std::string_view body);

// The reason in the body of a refusal, shortened; empty when there is none.
std::string refusal_reason(std::string_view body);

}  // namespace candlewick::fundamentals
