// Sorted vectors: a change near the best moves a few levels, and looking at the best costs nothing.
#include "pipeline/order_book.h"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

namespace candlewick::pipeline {
namespace {

// Where most changes fall; looked at before the rest is searched.
constexpr std::size_t near_levels = 32;

}  // namespace

// Of the first level that is not worse than the price.
std::size_t BookSide::position(Decimal price) const {
  auto first = levels_.begin();
  auto last = levels_.end();
  if (levels_.size() > near_levels) {
    const auto near = last - near_levels;
    (is_worse(near->price, price) ? first : last) = near;
  }
  const auto found = std::lower_bound(
      first, last, price,
      [this](const Level& level, Decimal sought) { return is_worse(level.price, sought); });
  return static_cast<std::size_t>(found - levels_.begin());
}

void BookSide::assign(const std::vector<Level>& levels, bool is_whole) {
  levels_.clear();
  known_to_.reset();
  // From the back: snapshots are best first, so that each level is appended.
  for (const auto& level : std::views::reverse(levels)) {
    set(level);
    if (!is_whole && (!known_to_ || is_worse(level.price, *known_to_))) known_to_ = level.price;
  }
  assigned_ = known();
}

void BookSide::set(const Level& level) {
  const auto at = position(level.price);
  const auto place = levels_.begin() + static_cast<std::ptrdiff_t>(at);
  const bool is_there = at < levels_.size() && place->price == level.price;
  if (level.size.is_zero()) {
    if (is_there) levels_.erase(place);
    return;
  }
  if (is_there) {
    place->size = level.size;
    return;
  }
  levels_.insert(place, level);
  // Many at once, as taking one from the front moves all the others.
  if (levels_.size() <= max_levels_ + max_levels_ / 4) return;
  levels_.erase(levels_.begin(), levels_.end() - static_cast<std::ptrdiff_t>(max_levels_));
  const Decimal worst = levels_.front().price;
  if (!known_to_ || is_worse(*known_to_, worst)) known_to_ = worst;
}

void BookSide::cut(std::size_t levels) {
  if (levels_.size() <= levels) return;
  levels_.erase(levels_.begin(), levels_.end() - static_cast<std::ptrdiff_t>(levels));
}

std::vector<Level> BookSide::best(std::size_t count) const {
  count = std::min(count, known());
  return {levels_.rbegin(), levels_.rbegin() + static_cast<std::ptrdiff_t>(count)};
}

std::optional<std::string> BookSide::difference(const BookSide& other) const {
  auto here = levels_.rbegin();
  auto there = other.levels_.rbegin();
  const auto next = [](const BookSide& side, auto& at) -> const Level* {
    if (at == side.levels_.rend()) return nullptr;
    return &*at;
  };
  for (;;) {
    const Level* mine = next(*this, here);
    const Level* theirs = next(other, there);
    if (mine == nullptr && theirs == nullptr) return std::nullopt;
    if (mine != nullptr && theirs != nullptr && *mine == *theirs) {
      if (known_to_ && !is_worse(*known_to_, mine->price)) return std::nullopt;
      if (other.known_to_ && !is_worse(*other.known_to_, mine->price)) return std::nullopt;
      ++here;
      ++there;
      continue;
    }
    // The better of the two prices: one side lacks it, or has another size there.
    const bool is_mine =
        theirs == nullptr || (mine != nullptr && !is_worse(mine->price, theirs->price));
    const Decimal price = is_mine ? mine->price : theirs->price;
    if (known_to_ && is_worse(price, *known_to_)) return std::nullopt;
    if (other.known_to_ && is_worse(price, *other.known_to_)) return std::nullopt;
    const auto size_in = [&](const Level* level) {
      return level != nullptr && level->price == price ? level->size.to_string() : "none";
    };
    return fmt::format("{} {}: {} and {}", side_ == Side::buy ? "bid" : "ask", price.to_string(),
                       size_in(mine), size_in(theirs));
  }
}

void BookSide::deepen(const BookSide& other) {
  if (known_to_ && (!other.known_to_ || is_worse(*other.known_to_, *known_to_))) {
    levels_ = other.levels_;
    known_to_ = other.known_to_;
  }
  assigned_ = known();
}

void OrderBook::assign(const BookUpdate& snapshot) {
  const auto bids = snapshot.bids.size();
  const auto asks = snapshot.asks.size();
  bids_.assign(snapshot.bids, bids < asks || bids == 0);
  asks_.assign(snapshot.asks, asks < bids || asks == 0);
}

void OrderBook::assign_kept(const BookUpdate& snapshot) {
  bids_.assign(snapshot.bids, true);
  asks_.assign(snapshot.asks, true);
}

void OrderBook::apply(const BookUpdate& delta) {
  for (const auto& level : delta.bids) bids_.set(level);
  for (const auto& level : delta.asks) asks_.set(level);
}

bool OrderBook::is_crossed() const {
  const Level* bid = bids_.best();
  const Level* ask = asks_.best();
  return bid != nullptr && ask != nullptr && bid->price >= ask->price;
}

std::optional<std::string> OrderBook::difference(const OrderBook& other) const {
  if (auto found = bids_.difference(other.bids_)) return found;
  return asks_.difference(other.asks_);
}

void OrderBook::deepen(const OrderBook& other) {
  bids_.deepen(other.bids_);
  asks_.deepen(other.asks_);
}

}  // namespace candlewick::pipeline
