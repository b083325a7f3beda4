// What goes wrong in random order: a book in step is the venue's book, whatever was lost, doubled
// or late on the way. What cannot be told from outside, a snapshot with a wrong number, is not in
// here.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "pipeline/book_sync.h"
#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using exchange::BookRule;
using testing::bitcoin;
using testing::noon;
using Number = std::uint64_t;

// A venue: every book that it ever had, and the updates that lead from one to the next.
struct TrueBook {
  std::map<Decimal, Decimal, std::greater<>> bids;
  std::map<Decimal, Decimal> asks;

  BookUpdate snapshot(Number number, std::size_t depth) const {
    BookUpdate made = BookUpdate{
        .origin = {.instrument = &bitcoin()}, .kind = BookKind::snapshot, .sequence = number};
    for (const auto& [price, size] : bids) {
      if (made.bids.size() < depth) made.bids.push_back({price, size});
    }
    for (const auto& [price, size] : asks) {
      if (made.asks.size() < depth) made.asks.push_back({price, size});
    }
    return made;
  }
};

struct TrueVenue {
  std::map<Number, TrueBook> books;
  std::vector<BookUpdate> updates;
};

int pick(int below) {
  return *rc::gen::inRange(0, below);
}

TrueVenue venue(BookRule rule, std::size_t count) {
  TrueVenue made;
  TrueBook book;
  int middle = 50;
  Number number = 1000;
  const auto size = [] { return Decimal{1 + pick(9)}; };
  for (int i = 1; i <= 20; ++i) {
    book.bids[Decimal{middle - i}] = size();
    book.asks[Decimal{middle + i}] = size();
  }
  made.books[number] = book;
  Number previous = number;
  for (std::size_t update = 0; update < count; ++update) {
    BookUpdate event{.origin = {.instrument = &bitcoin()}, .kind = BookKind::delta};
    const int changes = 1 + pick(4);
    const Number skipped = rule == BookRule::linked ? static_cast<Number>(pick(3)) : 0;
    event.first_sequence = previous + 1 + skipped;
    event.sequence = previous + skipped + static_cast<Number>(changes);
    event.origin.exchange_time = noon + std::chrono::milliseconds{*event.sequence};
    if (rule == BookRule::linked) event.previous_sequence = previous;
    for (Number between = previous + 1; between < *event.first_sequence; ++between) {
      made.books[between] = book;
    }
    std::map<Decimal, Decimal> bids;
    std::map<Decimal, Decimal> asks;
    for (Number change = *event.first_sequence; change <= *event.sequence; ++change) {
      middle += pick(3) - 1;
      // What the middle has passed was traded away.
      while (!book.bids.empty() && book.bids.begin()->first >= Decimal{middle}) {
        bids[book.bids.begin()->first] = Decimal{};
        book.bids.erase(book.bids.begin());
      }
      while (!book.asks.empty() && book.asks.begin()->first <= Decimal{middle}) {
        asks[book.asks.begin()->first] = Decimal{};
        book.asks.erase(book.asks.begin());
      }
      const bool is_bid = pick(2) == 0;
      const Decimal price{is_bid ? middle - 1 - pick(25) : middle + 1 + pick(25)};
      const Decimal to = pick(3) == 0 ? Decimal{} : size();
      (is_bid ? bids : asks)[price] = to;
      if (is_bid) {
        if (to.is_zero())
          book.bids.erase(price);
        else
          book.bids[price] = to;
      } else {
        if (to.is_zero())
          book.asks.erase(price);
        else
          book.asks[price] = to;
      }
      made.books[change] = book;
    }
    for (const auto& [price, now] : bids) event.bids.push_back({price, now});
    for (const auto& [price, now] : asks) event.asks.push_back({price, now});
    previous = *event.sequence;
    made.updates.push_back(std::move(event));
  }
  return made;
}

// What is shown is the venue's book of that number, and nothing newer was handed over.
void expect_true(const BookSync& sync, const TrueVenue& venue, Number newest) {
  const auto shown = sync.ladder(100);
  RC_ASSERT(shown.has_value() != sync.stale_since().has_value() ||
            sync.state() == BookState::empty);
  if (!shown) return;
  RC_ASSERT(*shown->sequence >= newest);
  const auto truth = venue.books.at(*shown->sequence).snapshot(*shown->sequence, 1000);
  const auto is_prefix = [](const std::vector<Level>& part, const std::vector<Level>& whole) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
  };
  RC_ASSERT(is_prefix(shown->bids, truth.bids));
  RC_ASSERT(is_prefix(shown->asks, truth.asks));
}

// Updates are dropped, doubled and swapped, connections lost, snapshots late, old and shallow.
void run_badly(BookRule rule) {
  const int fault_rate = pick(11);
  const auto real = venue(rule, 120);
  BookSync sync({.rule = rule, .max_levels = 16, .max_buffered_levels = 60, .refresh_below = 5});
  std::optional<std::pair<std::size_t, BookUpdate>> reply;  // when, what
  int too_old = 0;
  Number newest = 0;
  Events out;
  const auto fault = [&](int one_in) { return pick(one_in * 10) < fault_rate; };
  const auto hand_over = [&](const BookUpdate& update) {
    const auto outcome = sync.apply(update, out);
    if (update.kind == BookKind::delta) newest = std::max(newest, *update.sequence);
    if (outcome.is_too_old) ++too_old;
    RC_ASSERT(outcome.check.value_or(true));  // snapshots are true here
    RC_ASSERT(outcome.resync != Resync::crossed);
    RC_ASSERT(outcome.resync.has_value() <= (sync.state() == BookState::buffering));
    expect_true(sync, real, newest);
  };
  for (std::size_t i = 0; i < real.updates.size(); ++i) {
    if (reply && reply->first <= i) hand_over(std::exchange(reply, std::nullopt)->second);
    const auto& update = real.updates[i];
    if (fault(20)) {
      sync.lost(update.origin.exchange_time);
      expect_true(sync, real, newest);
    }
    if (fault(6)) continue;
    if (i + 1 < real.updates.size() && fault(8)) hand_over(real.updates[i + 1]);
    hand_over(update);
    if (fault(8)) hand_over(update);
    if (reply || (!sync.wants_snapshot() && pick(15) != 0)) continue;
    if (fault(5)) {
      sync.snapshot_asked();
      sync.snapshot_refused();
      continue;
    }
    sync.snapshot_asked();
    // Taken at any number from some updates ago to the next.
    const auto back = std::min<std::size_t>(i, static_cast<std::size_t>(pick(4)));
    const auto first = *real.updates[i - back].first_sequence;
    const auto last = real.books.rbegin()->first;
    const auto number = std::min(last, first + static_cast<Number>(pick(12)));
    reply = {i + 1 + static_cast<std::size_t>(pick(3)),
             real.books.at(number).snapshot(number, static_cast<std::size_t>(1 + pick(30)))};
  }
  for (const auto& event : out) {
    if (const auto* top = std::get_if<Top>(&event)) {
      RC_ASSERT(top->bid.price < top->ask.price);
    }
  }
  RC_CLASSIFY(sync.state() == BookState::synced, "ends in step");
  RC_CLASSIFY(too_old > 0, "had a snapshot that was too old");
  // Once all goes well it comes back by itself.
  sync.lost(std::nullopt);
  const auto& last = real.updates.back();
  sync.apply(last, out);
  sync.snapshot_refused();
  RC_ASSERT(sync.wants_snapshot());
  hand_over(real.books.at(*last.sequence).snapshot(*last.sequence, 1000));
  RC_ASSERT(sync.state() == BookState::synced);
}

TEST(BookSyncProperty, ABookInStepIsTheVenuesWhateverWasLost) {
  EXPECT_TRUE(rc::check([] { run_badly(BookRule::ranges); }));
}

TEST(BookSyncProperty, ABookOfFuturesInStepIsTheVenuesWhateverWasLost) {
  EXPECT_TRUE(rc::check([] { run_badly(BookRule::linked); }));
}

TEST(BookSyncProperty, ABookWithoutFaultsIsAlwaysInStep) {
  EXPECT_TRUE(rc::check([] {
    const auto real = venue(BookRule::ranges, 60);
    BookSync sync({.rule = BookRule::ranges});
    const auto at = static_cast<std::size_t>(pick(20));
    Events out;
    for (std::size_t i = 0; i < real.updates.size(); ++i) {
      sync.apply(real.updates[i], out);
      if (i == at) {
        const auto number =
            *real.updates[static_cast<std::size_t>(pick(static_cast<int>(at) + 1))].sequence;
        sync.apply(real.books.at(number).snapshot(number, 1000), out);
      }
      RC_ASSERT((sync.state() == BookState::synced) == (i >= at));
    }
    const auto& truth = real.books.rbegin()->second;
    RC_ASSERT(sync.sequence() == real.books.rbegin()->first);
    for (const auto& event : out) RC_ASSERT(std::holds_alternative<Top>(event));
    // A side may have become empty: then there is no top.
    if (truth.bids.empty() || truth.asks.empty()) return;
    const auto& top = std::get<Top>(out.back());
    RC_ASSERT(top.bid == (Level{truth.bids.begin()->first, truth.bids.begin()->second}));
    RC_ASSERT(top.ask == (Level{truth.asks.begin()->first, truth.asks.begin()->second}));
  }));
}

}  // namespace
}  // namespace candlewick::pipeline
