// Facts about assets and exchanges that no exchange sends: names, sectors, launch dates, regions,
// fees. Built in from assets.csv and exchanges.csv.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "base/result.h"

namespace candlewick::warehouse {

struct Asset {
  std::string asset;  // "BTC"
  std::string name;   // "Bitcoin"
  std::optional<std::string> sector;
  std::optional<std::string> launch_date;  // "2009-01-03"
  std::optional<std::string> coingecko_id;
};

struct ExchangeFacts {
  std::string name;
  std::optional<std::string> display_name;
  std::optional<std::string> region;
  std::optional<Decimal> trading_fees;  // taker, percent
};

struct PairParts {
  std::string_view base;
  std::string_view quote;
};
// "BTC/USDT:USDT" → BTC, USDT. What has no slash is all base.
PairParts parts_of(std::string_view symbol);

// One line of fields a record, quotes doubled inside quotes; the first record names the columns.
// Error: malformed, with the line.
Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text,
                                                        std::span<const std::string_view> header);

// A warehouse's dimensions are seeded from it. Errors are the build's own: malformed.
class Catalogue {
 public:
  static Result<Catalogue> built_in();
  static Result<Catalogue> parse(std::string_view assets_csv, std::string_view exchanges_csv);

  // By the asset's code as exchanges write it; null when unknown.
  const Asset* find_asset(std::string_view asset) const;
  const std::vector<Asset>& assets() const { return assets_; }
  const std::vector<ExchangeFacts>& exchanges() const { return exchanges_; }

 private:
  std::vector<Asset> assets_;  // sorted by code
  std::vector<ExchangeFacts> exchanges_;
};

}  // namespace candlewick::warehouse
