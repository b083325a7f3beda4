// CoinGecko's replies: the first byte picks which question was asked. What is taken must keep its
// promises: an id, a name where there is one, and no amount that is zero or negative.
#include <cstdlib>

#include "fundamentals/coingecko_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace candlewick::fundamentals;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto is_promised = [](const std::optional<candlewick::Decimal>& amount) {
    return !amount || (!amount->is_zero() && !amount->is_negative());
  };
  switch (data[0] % 4) {
    case 0:
      if (const auto coins = read_markets(body)) {
        for (const auto& coin : *coins) {
          if (coin.id.empty() || !is_promised(coin.facts.market_cap) ||
              !is_promised(coin.facts.circulating_supply))
            std::abort();
        }
      }
      break;
    case 1:
      if (const auto coins = read_list(body)) {
        for (const auto& coin : *coins) {
          if (coin.id.empty() || coin.symbol.empty()) std::abort();
        }
      }
      break;
    case 2:
      if (const auto facts = read_coin(body)) {
        if (facts->coingecko_id.empty() || facts->name.empty()) std::abort();
      }
      break;
    default:
      static_cast<void>(refusal_reason(body));
  }
  return 0;
}
