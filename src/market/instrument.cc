// The catalogue: one deque that never moves its elements and two indexes into it.
#include "market/instrument.h"

#include <algorithm>
#include <array>

#include "base/nearest.h"

namespace candlewick {
namespace {

constexpr std::array<std::string_view, 3> market_names{"spot", "swap", "future"};
constexpr std::array<std::string_view, 4> status_names{"trading", "halted", "delisted", "unknown"};

template <class Enum, std::size_t N>
std::optional<Enum> parse_name(const std::array<std::string_view, N>& names,
                               std::string_view text) {
  const auto* found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view to_text(Market market) {
  return market_names[static_cast<std::size_t>(market)];
}
std::string_view to_text(ListingStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}
std::optional<Market> parse_market(std::string_view text) {
  return parse_name<Market>(market_names, text);
}
std::optional<ListingStatus> parse_listing_status(std::string_view text) {
  return parse_name<ListingStatus>(status_names, text);
}

std::string folded_symbol(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (const char c : text) {
    if (c == '/' || c == '-' || c == '_') continue;
    folded += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return folded;
}

Catalogue::Catalogue(std::string exchange, Market market, std::span<const std::string_view> quotes,
                     std::string separator, ReadPair read_pair)
    : exchange_(std::move(exchange)),
      market_(market),
      quotes_(quotes.begin(), quotes.end()),
      separator_(std::move(separator)),
      read_pair_(read_pair) {}

const Instrument& Catalogue::put(Instrument instrument) {
  instrument.exchange = exchange_;
  if (const auto known = by_exchange_symbol_.find(instrument.exchange_symbol);
      known != by_exchange_symbol_.end()) {
    // Events point at it and other threads read its names: what identifies it stays as it is.
    Instrument& stored = *known->second;
    const bool was_misread = !stored.listed && stored.symbol != instrument.symbol;
    if (!was_misread) {
      stored.listed = stored.listed || instrument.listed;
      stored.status = instrument.status;
      stored.tick_size = instrument.tick_size;
      stored.step_size = instrument.step_size;
      if (instrument.listed_at) stored.listed_at = instrument.listed_at;
      return stored;
    }
    // A symbol that was taken apart at the wrong place: the right one stands in for it from now on.
    by_folded_symbol_.erase(folded_symbol(stored.symbol));
    by_exchange_symbol_.erase(known);
  }
  Instrument& stored = instruments_.emplace_back(std::move(instrument));
  by_exchange_symbol_.emplace(stored.exchange_symbol, &stored);
  by_folded_symbol_.insert_or_assign(folded_symbol(stored.symbol), &stored);
  return stored;
}

const Instrument* Catalogue::find(std::string_view exchange_symbol) const {
  const auto found = by_exchange_symbol_.find(exchange_symbol);
  return found == by_exchange_symbol_.end() ? nullptr : found->second;
}

std::optional<Pair> Catalogue::parts_of(std::string_view exchange_symbol) const {
  if (read_pair_ != nullptr) return read_pair_(exchange_symbol);
  for (const auto& quote : quotes_) {
    const std::string ending = separator_ + quote;
    if (exchange_symbol.size() <= ending.size() || !exchange_symbol.ends_with(ending)) continue;
    return Pair{std::string(exchange_symbol.substr(0, exchange_symbol.size() - ending.size())),
                quote};
  }
  return std::nullopt;
}

const Instrument* Catalogue::find_or_infer(std::string_view exchange_symbol) {
  if (const auto* known = find(exchange_symbol)) return known;
  if (exchange_symbol.size() > 60) return nullptr;
  auto pair = parts_of(exchange_symbol);
  if (!pair) return nullptr;
  Instrument inferred;
  inferred.base = std::move(pair->base);
  inferred.quote = std::move(pair->quote);
  inferred.symbol = inferred.base + "/" + inferred.quote;
  if (market_ != Market::spot) inferred.symbol += ":" + inferred.quote;
  inferred.exchange_symbol = exchange_symbol;
  inferred.market = market_;
  return &put(std::move(inferred));
}

const Instrument* Catalogue::resolve(std::string_view typed) const {
  if (const auto* known = find(typed)) return known;
  const auto folded = folded_symbol(typed);
  if (const auto found = by_folded_symbol_.find(folded); found != by_folded_symbol_.end()) {
    return found->second;
  }
  // The venue's own spelling with another case or separator.
  if (const auto* known = find(folded)) return known;
  if (market_ != Market::spot && !typed.contains(':')) {
    for (const auto& quote : quotes_) {
      if (!folded.ends_with(quote)) continue;
      const auto found = by_folded_symbol_.find(folded + ":" + quote);
      if (found != by_folded_symbol_.end()) return found->second;
    }
  }
  return nullptr;
}

std::vector<std::string> Catalogue::near_matches(std::string_view typed, std::size_t limit) const {
  const auto folded = folded_symbol(typed.substr(0, 40));
  std::vector<std::pair<std::size_t, const Instrument*>> scored;
  for (const auto& instrument : instruments_) {
    const auto candidate = folded_symbol(instrument.symbol);
    std::size_t score = edit_distance(folded, candidate);
    if (!folded.empty() && candidate.starts_with(folded)) score = 1;
    if (score <= std::max<std::size_t>(2, folded.size() / 2))
      scored.emplace_back(score, &instrument);
  }
  std::ranges::stable_sort(scored, {}, [](const auto& entry) { return entry.first; });
  std::vector<std::string> matches;
  for (const auto& [score, instrument] : scored) {
    if (matches.size() == limit) break;
    matches.push_back(instrument->symbol);
  }
  return matches;
}

void Catalogue::each(const std::function<void(const Instrument&)>& visit) const {
  for (const auto& instrument : instruments_) visit(instrument);
}

}  // namespace candlewick
