// What a user wants to follow, as an entry of `symbols` says it: an instrument by name, or those
// that a rule finds, at every configured venue or at one.
//
//     BTC                                        BTC/USDT everywhere
//     kraken:BTC/EUR                             at one venue
//     quote = USDT                               all that are quoted in it
//     top 50 by quote volume                     the most traded of the last 24 hours
//     binance: top 50 by quote volume and quote = USDT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick {

struct Selection {
  std::string venue;    // as settings name it; empty: all
  std::string symbol;   // unified; empty: by the rule
  std::string quote;    // asset that it must be quoted in; empty: any
  std::size_t top = 0;  // so many by the quote volume of 24 hours; 0: all that match

  bool is_rule() const { return symbol.empty(); }
  friend bool operator==(const Selection&, const Selection&) = default;
};

// Any case and spacing. Errors: malformed, saying what would be right.
Result<Selection> parse_selection(std::string_view text);
// The spelling that parse_selection() reads back, the same for all that mean the same.
std::string to_text(const Selection& selection);

}  // namespace candlewick
