// Price levels of one instrument with exact prices, kept sorted with the best at the back, where
// most changes are.
//
// A snapshot shows a book down to some depth only. What lies deeper is unknown until it changes:
// levels that updates bring there are true and are kept, but others may be missing between them. So
// each side knows down to which price it is whole, and best levels are handed out no deeper.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "market/event.h"

namespace candlewick::pipeline {

class BookSide {
 public:
  // `max_levels`: more than that, with some slack, and the worst are dropped; the side is then
  // known to be whole only above them, so a limit costs depth but never makes a level wrong.
  BookSide(Side side, std::size_t max_levels) : side_(side), max_levels_(max_levels) {}

  // `is_whole`: there is nothing deeper than these.
  void assign(const std::vector<Level>& levels, bool is_whole);
  // Size 0 removes; removing what is not there is normal.
  void set(const Level& level);

  // Null when there is none. Of an exhausted side it is the best one heard of, no more.
  const Level* best() const { return levels_.empty() ? nullptr : &levels_.back(); }
  // Best first, as deep as the side is whole.
  std::vector<Level> best(std::size_t count) const;
  // Levels kept, and those of them where the side is whole.
  std::size_t size() const { return levels_.size(); }
  std::size_t known() const { return levels_.size() - first_known(); }
  // The market moved through everything that the snapshot had shown.
  bool is_exhausted() const {
    return known_to_ && (levels_.empty() || is_worse(levels_.back().price, *known_to_));
  }
  // Fewer known levels than that, and not half as many as there were at first: a new snapshot would
  // show more.
  bool is_thin(std::size_t count) const {
    return known_to_ && known() < std::min(count, assigned_ / 2);
  }
  // The first level that differs where both sides are whole, for people.
  std::optional<std::string> difference(const BookSide& other) const;
  // Levels beyond so many are forgotten, as the venue forgets them.
  void cut(std::size_t levels);
  // Takes the other over if it is whole further down. Both must be of the same moment.
  void deepen(const BookSide& other);

 private:
  bool is_worse(Decimal a, Decimal b) const { return side_ == Side::buy ? a < b : a > b; }
  std::size_t position(Decimal price) const;
  std::size_t first_known() const { return known_to_ ? position(*known_to_) : 0; }

  Side side_;
  std::size_t max_levels_;
  std::vector<Level> levels_;        // worst first
  std::optional<Decimal> known_to_;  // whole down to this price; absent: all the way
  std::size_t assigned_ = 0;         // known levels of the newest snapshot
};

class OrderBook {
 public:
  static constexpr std::size_t default_max_levels = 10'000;  // a side
  explicit OrderBook(std::size_t max_levels = default_max_levels)
      : bids_(Side::buy, max_levels), asks_(Side::sell, max_levels) {}

  // Replaces everything by a snapshot that was cut at the same number of levels on both sides: a
  // side that has fewer than the other is whole.
  void assign(const BookUpdate& snapshot);
  // Replaces everything by a snapshot that the venue keeps up at that depth: it is whole as far as
  // it will ever be.
  void assign_kept(const BookUpdate& snapshot);
  void apply(const BookUpdate& delta);
  void cut(std::size_t levels) {
    bids_.cut(levels);
    asks_.cut(levels);
  }

  const BookSide& bids() const { return bids_; }
  const BookSide& asks() const { return asks_; }
  // Both sides, the best ones at or past each other: no book of a venue that matches orders.
  bool is_crossed() const;
  bool is_exhausted() const { return bids_.is_exhausted() || asks_.is_exhausted(); }
  bool is_thin(std::size_t count) const { return bids_.is_thin(count) || asks_.is_thin(count); }

  std::optional<std::string> difference(const OrderBook& other) const;
  void deepen(const OrderBook& other);

 private:
  BookSide bids_;
  BookSide asks_;
};

}  // namespace candlewick::pipeline
