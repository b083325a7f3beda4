// Two indexes: a unified symbol means the same everywhere, a venue's spelling only sometimes.
#include "api/instruments.h"

#include <algorithm>
#include <set>

#include "base/nearest.h"

namespace candlewick::api {

Instruments::Instruments(const pipeline::LatestBoard& board,
                         const std::vector<std::string>& exchanges)
    : board_(board), configured_(exchanges) {}

std::shared_ptr<const Instruments::View> Instruments::view() const {
  return view_.with([this](std::shared_ptr<const View>& view) {
    if (view == nullptr || view->version != board_.version())
      view = std::make_shared<const View>(make_view());
    return view;
  });
}

Instruments::View Instruments::make_view() const {
  View view;
  // Read first: a change in between makes the next look build it again.
  view.version = board_.version();
  view.exchanges = configured_;
  std::set<std::string> symbols;
  for (const auto& entry : board_.entries()) {
    const Instrument& instrument = *entry.instrument;
    view.by_symbol[folded_symbol(instrument.symbol)].push_back(entry);
    view.by_exchange_symbol[folded_symbol(instrument.exchange_symbol)].push_back(entry);
    if (std::ranges::find(view.exchanges, instrument.exchange) == view.exchanges.end())
      view.exchanges.push_back(instrument.exchange);
    symbols.insert(instrument.symbol);
  }
  view.symbols.assign(symbols.begin(), symbols.end());
  const auto rank = [&](const Entry& entry) {
    return std::ranges::find(view.exchanges, entry.instrument->exchange) - view.exchanges.begin();
  };
  for (auto* index : {&view.by_symbol, &view.by_exchange_symbol}) {
    for (auto& [folded, entries] : *index) std::ranges::stable_sort(entries, {}, rank);
  }
  return view;
}

std::optional<std::size_t> Instruments::find_in(const Index& index, std::string_view folded,
                                                std::string_view exchange) {
  const auto found = index.find(folded);
  if (found == index.end()) return std::nullopt;
  for (const auto& entry : found->second) {
    if (exchange.empty() || entry.instrument->exchange == exchange) return entry.slot;
  }
  return std::nullopt;
}

std::optional<std::size_t> Instruments::find(std::string_view typed,
                                             std::string_view exchange) const {
  const auto folded = folded_symbol(typed);
  const auto known = view();
  if (const auto slot = find_in(known->by_symbol, folded, exchange)) return slot;
  return find_in(known->by_exchange_symbol, folded, exchange);
}

bool Instruments::has_exchange(std::string_view exchange) const {
  const auto known = view();
  return std::ranges::find(known->exchanges, exchange) != known->exchanges.end();
}

std::vector<std::string> Instruments::exchanges() const {
  return view()->exchanges;
}

std::vector<std::string> Instruments::near(std::string_view typed, std::size_t limit) const {
  const auto folded = folded_symbol(typed.substr(0, 40));
  const auto known = view();
  std::vector<std::pair<std::size_t, const std::string*>> scored;
  for (const auto& symbol : known->symbols) {
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
