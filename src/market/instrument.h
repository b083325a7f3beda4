// What can be traded where. The catalogue of a venue owns its instruments and never frees or moves
// one while the process lives, so events may point at them; a delisted one stays, marked.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/decimal.h"
#include "base/time.h"

namespace candlewick {

enum class Market : unsigned char { spot, swap, future };
enum class ListingStatus : unsigned char { trading, halted, delisted, unknown };

std::string_view to_text(Market market);
std::string_view to_text(ListingStatus status);
std::optional<Market> parse_market(std::string_view text);
std::optional<ListingStatus> parse_listing_status(std::string_view text);

struct Instrument {
  std::string exchange;         // "binance"
  std::string symbol;           // unified: "BTC/USDT", "BTC/USDT:USDT" for a swap
  std::string exchange_symbol;  // the venue's: "BTCUSDT"
  std::string base;
  std::string quote;
  Market market = Market::spot;
  ListingStatus status = ListingStatus::unknown;
  std::optional<Decimal> tick_size;
  std::optional<Decimal> step_size;
  // Since when it is traded there, where the venue's list says so.
  std::optional<Time> listed_at{};
  // The venue's listing said so; false for one whose parts were read off its symbol alone.
  bool listed = false;
};

// Case and separators aside, do two spellings mean the same symbol? "btc-usdt", "BTCUSDT",
// "BTC/USDT".
std::string folded_symbol(std::string_view text);

// The parts of a pair, by the names that the market knows them by.
struct Pair {
  std::string base;
  std::string quote;
};
// How a venue spells pairs, where that is more than base, separator and quote. Nullopt: it spells
// none so.
using ReadPair = std::optional<Pair> (*)(std::string_view exchange_symbol);

class Catalogue {
 public:
  // `quotes`: assets that a venue quotes in, tried in this order to take an unlisted symbol apart.
  // `separator`: what stands between base and quote in the venue's spelling, if anything.
  // `read_pair` is asked instead of both, unless null.
  Catalogue(std::string exchange, Market market, std::span<const std::string_view> quotes,
            std::string separator = "", ReadPair read_pair = nullptr);
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  const std::string& exchange() const { return exchange_; }
  Market market() const { return market_; }

  // Adds it, or updates the one with the same exchange_symbol in place, names aside. One that was
  // inferred with other names is left to those who point at it, and replaced. Returns the stored
  // one.
  const Instrument& put(Instrument instrument);
  // By the venue's own spelling; null when unknown.
  const Instrument* find(std::string_view exchange_symbol) const;
  // The same, but an unknown symbol is taken apart by its quote asset and added as unlisted. Null
  // when it cannot be: no known quote ends it.
  const Instrument* find_or_infer(std::string_view exchange_symbol);
  // By any spelling a user types: unified, the venue's, with other separators or case.
  const Instrument* resolve(std::string_view typed) const;
  // Up to `limit` symbols that look like `typed`, nearest first.
  std::vector<std::string> near_matches(std::string_view typed, std::size_t limit = 5) const;

  std::size_t size() const { return instruments_.size(); }
  void each(const std::function<void(const Instrument&)>& visit) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Index = std::unordered_map<std::string, Instrument*, Hash, std::equal_to<>>;

  std::optional<Pair> parts_of(std::string_view exchange_symbol) const;

  std::string exchange_;
  Market market_;
  std::vector<std::string> quotes_;
  std::string separator_;
  ReadPair read_pair_;
  std::deque<Instrument> instruments_;
  Index by_exchange_symbol_;
  Index by_folded_symbol_;
};

}  // namespace candlewick
