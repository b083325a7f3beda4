// Two indexes: a unified symbol means the same everywhere, a venue's spelling only sometimes.
#include "api/instruments.h"

#include <algorithm>
#include <set>

#include "base/nearest.h"

namespace candlewick::api {

Instruments::Instruments(const pipeline::LatestBoard& board,
                         const std::vector<std::string>& exchanges)
    : board_(board.instruments()), exchanges_(exchanges) {
  std::set<std::string> symbols;
  for (std::size_t slot = 0; slot < board_.size(); ++slot) {
    const Instrument& instrument = *board_[slot];
    by_symbol_[folded_symbol(instrument.symbol)].push_back(slot);
    by_exchange_symbol_[folded_symbol(instrument.exchange_symbol)].push_back(slot);
    if (std::ranges::find(exchanges_, instrument.exchange) == exchanges_.end()) {
      exchanges_.push_back(instrument.exchange);
    }
    symbols.insert(instrument.symbol);
  }
  symbols_.assign(symbols.begin(), symbols.end());
  const auto rank = [this](std::size_t slot) {
    return std::ranges::find(exchanges_, board_[slot]->exchange) - exchanges_.begin();
  };
  for (auto* index : {&by_symbol_, &by_exchange_symbol_}) {
    for (auto& [folded, slots] : *index) std::ranges::stable_sort(slots, {}, rank);
  }
}

std::optional<std::size_t> Instruments::find_in(const Index& index, std::string_view folded,
                                                std::string_view exchange) const {
  const auto found = index.find(folded);
  if (found == index.end()) return std::nullopt;
  for (const auto slot : found->second) {
    if (exchange.empty() || board_[slot]->exchange == exchange) return slot;
  }
  return std::nullopt;
}

std::optional<std::size_t> Instruments::find(std::string_view typed,
                                             std::string_view exchange) const {
  const auto folded = folded_symbol(typed);
  if (const auto slot = find_in(by_symbol_, folded, exchange)) return slot;
  return find_in(by_exchange_symbol_, folded, exchange);
}

bool Instruments::has_exchange(std::string_view exchange) const {
  return std::ranges::find(exchanges_, exchange) != exchanges_.end();
}

std::vector<std::string> Instruments::near(std::string_view typed, std::size_t limit) const {
  const auto folded = folded_symbol(typed.substr(0, 40));
  std::vector<std::pair<std::size_t, const std::string*>> scored;
  for (const auto& symbol : symbols_) {
    const auto candidate = folded_symbol(symbol);
    std::size_t score = edit_distance(folded, candidate);
    if (!folded.empty() && candidate.starts_with(folded)) score = 1;
    if (score <= std::max<std::size_t>(2, folded.size() / 3)) scored.emplace_back(score, &symbol);
  }
  std::ranges::stable_sort(scored, {}, [](const auto& entry) { return entry.first; });
  if (scored.size() > limit) scored.resize(limit);
  std::vector<std::string> matches;
  for (const auto& [score, symbol] : scored) matches.push_back(*symbol);
  return matches;
}

}  // namespace candlewick::api
