// Keeps one instrument's order book in step with the venue, or says that it is not: a snapshot and
// the stream of numbered updates are joined by the venue's rule, and whatever does not fit (a hole,
// a book that is crossed, a snapshot that shows another book) ends in a new snapshot. No clocks and
// no I/O: the owner asks for snapshots when they are wanted, and hands over what came.
//
//   empty ──first update──▶ buffering ──snapshot that fits──▶ synced
//     ▲                        ▲───hole, crossed, mismatch──────┘ │
//     └────────────────────────lost────────────────────────────────┘
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "exchange/venue.h"
#include "market/event.h"
#include "pipeline/order_book.h"

namespace candlewick::pipeline {

enum class BookState : unsigned char {
  empty,      // no update since the start or since the connection was lost
  buffering,  // updates are kept until a snapshot fits them
  synced,
};
std::string_view to_text(BookState state);

enum class Resync : unsigned char {
  gap,       // updates are missing
  crossed,   // an update left the best bid at or above the best ask
  mismatch,  // a snapshot of the same moment, or the venue's checksum, shows another book
};
std::string_view to_text(Resync reason);

struct BookSyncOptions {
  exchange::BookRule rule = exchange::BookRule::none;  // none: everything is ignored
  std::size_t max_levels = OrderBook::default_max_levels;
  // In the updates that are kept, an update counting one besides its levels. At the bound the
  // oldest go (counted), which only means that the snapshot must be newer than they were.
  std::size_t max_buffered_levels = 100'000;
  // Of books whose snapshots come by the stream: see exchange::Venue.
  std::size_t depth = 0;
  exchange::BookChecksum checksum = nullptr;
  std::size_t checksum_levels = 0;
  // Fewer levels known on a side, because the market moved to the edge of the snapshot: a new one
  // is wanted, while the book stays as it is.
  std::size_t refresh_below = 100;
};

struct BookOutcome {
  // ladder() has changed: by an update, by a snapshot and the updates kept, or as a comparison has
  // made the book deeper. After `resync` there is none.
  bool is_applied = false;
  // It was in step and is no more; or, for `crossed`, the snapshot did not bring it in step.
  std::optional<Resync> resync;
  // The snapshot is from before the updates that are kept: nothing was done with it.
  bool is_too_old = false;
  // A snapshot that came while in step was compared: it shows the same book, or (with `resync`)
  // not. Absent when none was, or when it could not be compared with what was kept.
  std::optional<bool> check;
};

class BookSync {
 public:
  explicit BookSync(const BookSyncOptions& options)
      : options_(options), book_(options.max_levels) {}

  // An update of the stream or a full snapshot; partial ones are not for it, and repeated and old
  // updates change nothing. Appends a Top for each update that was applied and a Gap (stream book,
  // action resync) when something did not fit: `expected` and `got` are then numbers of updates, or
  // say what is wrong with the book.
  BookOutcome apply(const BookUpdate& update, Events& out);

  // The connection is down: what comes next has no connection with what was. `at` is the venue's
  // time, where known.
  void lost(std::optional<Time> at);

  // A snapshot should be asked for now. After failures in a row it waits for some updates, or as
  // long as those take, so that a venue whose snapshots never fit is not asked all the time.
  bool wants_snapshot() const;
  // Tell when a request for one is made, for whatever reason: a book in step keeps the updates from
  // then on, to compare the snapshot with the book of the same moment. That is the periodic check:
  // nothing else starts it.
  void snapshot_asked() { is_asked_ = true; }
  // No answer will come.
  void snapshot_refused();

  // Of books whose snapshots come by the stream: only a new subscription brings another. `now` is
  // the venue's time.
  bool wants_subscription(Time now) const;
  void subscription_asked(Time now);

  BookState state() const { return state_; }
  // Null unless in step.
  const OrderBook* book() const { return state_ == BookState::synced ? &book_ : nullptr; }
  // The last change in the book; 0 unless in step.
  std::uint64_t sequence() const { return state_ == BookState::synced ? sequence_ : 0; }
  // The best levels, for showing; none unless they are the venue's for certain: in step, and not
  // beyond what the snapshot showed. Never deeper than the book is whole.
  std::optional<BookUpdate> ladder(std::size_t levels) const;
  // Since when ladder() has nothing to show, by the venue's time of the event that told so; absent
  // while it has, and before the first event.
  std::optional<Time> stale_since() const { return stale_since_; }

  // Updates that went at the bound, so far.
  std::uint64_t dropped_updates() const { return dropped_; }

 private:
  void take_delta(const BookUpdate& delta, Events& out, BookOutcome& outcome);
  void take_snapshot(const BookUpdate& snapshot, Events& out, BookOutcome& outcome);
  void take_from_stream(const BookUpdate& update, Events& out, BookOutcome& outcome);
  std::optional<Gap> misfit_in_stream(const BookUpdate& delta) const;
  std::optional<Gap> wrong_checksum(const BookUpdate& update) const;
  void begin(const BookUpdate& delta, Events& out, BookOutcome& outcome);
  void join(const BookUpdate& snapshot, Events& out, BookOutcome& outcome);
  void compare(Events& out, BookOutcome& outcome);
  void fall_out(Resync reason, Gap gap, Events& out, BookOutcome& outcome);
  void failed();
  void hold(const BookUpdate& delta);
  void release();
  void moved(const Origin& origin);

  BookSyncOptions options_;
  BookState state_ = BookState::empty;
  OrderBook book_;
  std::uint64_t sequence_ = 0;
  Origin origin_;  // of the last update in the book
  std::optional<Time> stale_since_;
  std::optional<Time> newest_;  // the venue's time, as far as updates told it

  // One follows the other without a hole. While synced only kept for a comparison.
  std::vector<BookUpdate> kept_;
  std::size_t kept_levels_ = 0;
  // While synced: to be compared once the stream has got there. Else: one that came before any
  // update and waits for the first.
  std::optional<BookUpdate> waiting_;
  bool is_asked_ = false;

  // Of books whose snapshots come by the stream.
  std::uint64_t connection_ = 0;
  std::optional<Time> own_newest_;          // of that connection
  bool is_snapshot_missed_ = false;         // updates came without one
  std::optional<Time> without_since_;       // since when there is none
  std::optional<Time> subscription_after_;  // not asked for before

  std::uint64_t failures_ = 0;       // in a row
  std::uint64_t pause_ = 0;          // updates to come before the next request
  std::optional<Time> pause_until_;  // or an update of that time
  std::uint64_t applied_ = 0;        // since the last failure
  std::uint64_t dropped_ = 0;
};

}  // namespace candlewick::pipeline
