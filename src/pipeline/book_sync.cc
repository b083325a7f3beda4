// Both rules for snapshots by REST say the same: an update covers the changes after `before` up to
// its own number, and fits a book whose number lies in there. An update that reaches back over
// changes already in the book may be applied, as levels carry their whole size and not a
// difference.
#include "pipeline/book_sync.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace candlewick::pipeline {
namespace {

using exchange::BookRule;

// So many updates without a fault end a row of failures.
constexpr std::uint64_t settled_updates = 100;
constexpr int max_pause_doublings = 7;  // 127 updates, 13 s of a stream of ten a second
constexpr Duration usual_interval = std::chrono::milliseconds{100};
// A subscription is answered by its snapshot within this time, or asked for again.
constexpr Duration subscription_patience = std::chrono::seconds{10};

// The number of the book that an update goes on from; none when it does not say.
std::optional<std::uint64_t> before(BookRule rule, const BookUpdate& delta) {
  if (!delta.sequence) return std::nullopt;
  if (rule == BookRule::linked) return delta.previous_sequence;
  if (!delta.first_sequence || *delta.first_sequence == 0) return std::nullopt;
  return *delta.first_sequence - 1;
}

Gap misfit(const Origin& origin, std::string expected, std::string got) {
  return {origin, Stream::book, std::move(expected), std::move(got), GapAction::resync};
}

// In the words of the venue: spot names the first change wanted, futures the update before.
Gap hole(BookRule rule, const BookUpdate& delta, std::uint64_t number) {
  const auto& got = rule == BookRule::linked ? delta.previous_sequence : delta.first_sequence;
  if (rule != BookRule::linked) ++number;
  return misfit(delta.origin, fmt::format("{}", number),
                got ? fmt::format("{}", *got) : std::string{"no number"});
}

Gap crossing(const Origin& origin, const OrderBook& book) {
  return misfit(origin, "bid below ask",
                fmt::format("bid {}, ask {}", book.bids().best()->price.to_string(),
                            book.asks().best()->price.to_string()));
}

void append_top(const OrderBook& book, const Origin& origin, std::uint64_t sequence, Events& out) {
  const Level* bid = book.bids().best();
  const Level* ask = book.asks().best();
  if (bid == nullptr || ask == nullptr) return;
  out.emplace_back(Top{.origin = origin, .sequence = sequence, .bid = *bid, .ask = *ask});
}

}  // namespace

std::string_view to_text(BookState state) {
  switch (state) {
    case BookState::empty:
      return "empty";
    case BookState::buffering:
      return "buffering";
    case BookState::synced:
      return "synced";
  }
  std::unreachable();
}

std::string_view to_text(Resync reason) {
  switch (reason) {
    case Resync::gap:
      return "gap";
    case Resync::crossed:
      return "crossed";
    case Resync::mismatch:
      return "mismatch";
  }
  std::unreachable();
}

BookOutcome BookSync::apply(const BookUpdate& update, Events& out) {
  BookOutcome outcome;
  if (options_.rule == BookRule::none || update.is_partial) return outcome;
  if (update.origin.exchange_time) {
    newest_ =
        std::max(newest_.value_or(*update.origin.exchange_time), *update.origin.exchange_time);
  } else if (!newest_) {
    newest_ = update.origin.received_time;
  }
  if (exchange::has_snapshot_in_stream(options_.rule)) {
    take_from_stream(update, out, outcome);
  } else if (update.kind == BookKind::delta) {
    take_delta(update, out, outcome);
  } else {
    take_snapshot(update, out, outcome);
  }
  return outcome;
}

void BookSync::take_delta(const BookUpdate& delta, Events& out, BookOutcome& outcome) {
  if (pause_ > 0) --pause_;
  // A quiet market's updates are far apart.
  if (pause_until_ && newest_ && *newest_ >= *pause_until_) pause_ = 0;
  if (state_ != BookState::synced) return begin(delta, out, outcome);

  if (delta.sequence && *delta.sequence <= sequence_) return;
  const auto from = before(options_.rule, delta);
  if (!from || *from > sequence_) {
    release();
    if (from) hold(delta);
    return fall_out(Resync::gap, hole(options_.rule, delta, sequence_), out, outcome);
  }
  book_.apply(delta);
  sequence_ = *delta.sequence;
  if (is_asked_ || waiting_ || !kept_.empty()) hold(delta);
  if (book_.is_crossed()) {
    if (kept_.empty()) hold(delta);
    return fall_out(Resync::crossed, crossing(delta.origin, book_), out, outcome);
  }
  moved(delta.origin);
  append_top(book_, origin_, sequence_, out);
  outcome.is_applied = true;
  if (++applied_ == settled_updates) failures_ = 0;
  if (waiting_) compare(out, outcome);
}

void BookSync::take_from_stream(const BookUpdate& update, Events& out, BookOutcome& outcome) {
  if (update.kind == BookKind::snapshot) {
    if (state_ == BookState::synced && update.connection < connection_) return;
    connection_ = update.connection;
    book_.assign_kept(update);
    sequence_ = update.sequence.value_or(0);
    is_snapshot_missed_ = false;
    without_since_.reset();
  } else {
    if (state_ != BookState::synced) {
      is_snapshot_missed_ = true;
      if (!stale_since_) stale_since_ = newest_;
      return;
    }
    if (update.connection != connection_) {
      // Two connections overlap. When ours is the one that went, there is no going on.
      if (!newest_ || !own_newest_ || *newest_ - *own_newest_ < subscription_patience) return;
      return fall_out(Resync::gap,
                      misfit(update.origin, "the connection of its snapshot", "another"), out,
                      outcome);
    }
    // Linked numbers may start anew, as long as the link holds.
    const bool is_linked =
        (options_.rule == BookRule::stream_linked || options_.rule == BookRule::stream_ascending) &&
        update.previous_sequence == sequence_;
    if (!is_linked && update.sequence && *update.sequence <= sequence_) return;
    if (auto gap = misfit_in_stream(update)) {
      return fall_out(Resync::gap, *std::move(gap), out, outcome);
    }
    book_.apply(update);
    if (update.sequence) sequence_ = *update.sequence;
  }
  own_newest_ = newest_;
  if (options_.depth > 0) book_.cut(options_.depth);
  if (auto gap = wrong_checksum(update)) {
    return fall_out(Resync::mismatch, *std::move(gap), out, outcome);
  }
  if (book_.is_crossed()) {
    return fall_out(Resync::crossed, crossing(update.origin, book_), out, outcome);
  }
  state_ = BookState::synced;
  moved(update.origin);
  append_top(book_, origin_, sequence_, out);
  outcome.is_applied = true;
  if (++applied_ == settled_updates) failures_ = 0;
}

std::optional<Gap> BookSync::misfit_in_stream(const BookUpdate& delta) const {
  const auto text = [](const std::optional<std::uint64_t>& number) {
    return number ? fmt::format("{}", *number) : std::string{"no number"};
  };
  // OKX sent checksums before it numbered its updates: those prove as much.
  const bool is_proven = delta.checksum && options_.checksum != nullptr;
  if (!delta.sequence && !delta.previous_sequence && sequence_ == 0 && is_proven)
    return std::nullopt;
  // Where not every update need name the one before, those that do prove it; the first behind a
  // snapshot may reach back over changes that are in it.
  const bool is_hole = options_.rule == BookRule::stream_linked
                           ? delta.previous_sequence != sequence_
                           : options_.rule == BookRule::stream_ascending &&
                                 delta.previous_sequence.value_or(0) > sequence_;
  if (is_hole) {
    return misfit(delta.origin, fmt::format("{}", sequence_), text(delta.previous_sequence));
  }
  if (options_.rule == BookRule::stream_consecutive && delta.sequence != sequence_ + 1) {
    return misfit(delta.origin, fmt::format("{}", sequence_ + 1), text(delta.sequence));
  }
  return std::nullopt;
}

std::optional<Gap> BookSync::wrong_checksum(const BookUpdate& update) const {
  if (!update.checksum || options_.checksum == nullptr) return std::nullopt;
  const auto bids = book_.bids().best(options_.checksum_levels);
  const auto asks = book_.asks().best(options_.checksum_levels);
  const auto ours = options_.checksum(bids, asks, update.price_digits, update.size_digits);
  if (ours == *update.checksum) return std::nullopt;
  return misfit(update.origin, fmt::format("checksum {}", *update.checksum),
                fmt::format("checksum {}", ours));
}

bool BookSync::wants_subscription(Time now) const {
  if (!exchange::has_snapshot_in_stream(options_.rule) || state_ == BookState::synced) return false;
  if (subscription_after_ && now < *subscription_after_) return false;
  return is_snapshot_missed_ || (without_since_ && now - *without_since_ >= subscription_patience);
}

void BookSync::subscription_asked(Time now) {
  const auto doublings = std::min<std::uint64_t>(failures_, 5);
  subscription_after_ = now + subscription_patience * (std::int64_t{1} << doublings);
}

// An update while there is no book: it is kept if it goes on from those kept.
void BookSync::begin(const BookUpdate& delta, Events& out, BookOutcome& outcome) {
  const auto from = before(options_.rule, delta);
  if (!kept_.empty()) {
    const auto last = *kept_.back().sequence;
    if (delta.sequence && *delta.sequence <= last) return;
    if (!from || *from > last) {
      out.emplace_back(hole(options_.rule, delta, last));
      release();
    }
  }
  state_ = BookState::buffering;
  if (!stale_since_) stale_since_ = newest_;
  if (from) hold(delta);
  if (!waiting_ || !from) return;
  const auto snapshot = std::exchange(waiting_, std::nullopt);
  if (*from > *snapshot->sequence) {
    out.emplace_back(hole(options_.rule, delta, *snapshot->sequence));
    outcome.is_too_old = true;
    return failed();
  }
  join(*snapshot, out, outcome);
}

void BookSync::take_snapshot(const BookUpdate& snapshot, Events& out, BookOutcome& outcome) {
  is_asked_ = false;
  if (!snapshot.sequence) return;
  if (state_ == BookState::synced) {
    waiting_ = snapshot;
    return compare(out, outcome);
  }
  if (!kept_.empty()) return join(snapshot, out, outcome);
  // Nothing tells yet whether the stream goes on from it.
  if (!waiting_ || *waiting_->sequence < *snapshot.sequence) waiting_ = snapshot;
}

void BookSync::join(const BookUpdate& snapshot, Events& out, BookOutcome& outcome) {
  if (*before(options_.rule, kept_.front()) > *snapshot.sequence) {
    outcome.is_too_old = true;
    return failed();
  }
  book_.assign(snapshot);
  sequence_ = *snapshot.sequence;
  Origin origin = snapshot.origin;
  Events tops;  // told only if all of it fits
  append_top(book_, origin, sequence_, tops);
  for (const auto& delta : kept_) {
    if (book_.is_crossed()) break;
    if (*delta.sequence <= sequence_) continue;
    book_.apply(delta);
    sequence_ = *delta.sequence;
    origin = delta.origin;
    append_top(book_, origin, sequence_, tops);
  }
  if (book_.is_crossed()) {
    out.emplace_back(crossing(origin, book_));
    outcome.resync = Resync::crossed;
    return failed();
  }
  state_ = BookState::synced;
  release();
  moved(origin);
  outcome.is_applied = true;
  out.insert(out.end(), tops.begin(), tops.end());
}

// Brings the snapshot to the book's own number by the updates kept since it was asked for.
void BookSync::compare(Events& out, BookOutcome& outcome) {
  if (*waiting_->sequence > sequence_) return;  // the stream has not got there yet
  const auto snapshot = std::exchange(waiting_, std::nullopt);
  OrderBook other(options_.max_levels);
  other.assign(*snapshot);
  auto number = *snapshot->sequence;
  for (const auto& delta : kept_) {
    if (*delta.sequence <= number) continue;
    if (*before(options_.rule, delta) > number) break;
    other.apply(delta);
    number = *delta.sequence;
  }
  if (number != sequence_) {  // from before what was kept, which stays: the next one is newer
    outcome.is_too_old = true;
    return failed();
  }
  auto difference = book_.difference(other);
  if (!difference && other.is_crossed()) difference = crossing(origin_, other).got;
  outcome.check = !difference;
  if (!difference) {
    book_.deepen(other);
    moved(origin_);
    outcome.is_applied = true;
    if (!is_asked_) release();
    return;
  }
  fall_out(Resync::mismatch,
           misfit(snapshot->origin, fmt::format("the book of snapshot {}", *snapshot->sequence),
                  *std::move(difference)),
           out, outcome);
}

void BookSync::lost(std::optional<Time> at) {
  if (state_ != BookState::empty && !stale_since_) stale_since_ = at ? at : newest_;
  state_ = BookState::empty;
  waiting_.reset();
  release();
  pause_ = 0;
  // The next connection brings a snapshot by itself.
  is_snapshot_missed_ = false;
  without_since_ = newest_;
  subscription_after_.reset();
}

bool BookSync::wants_snapshot() const {
  if (exchange::has_snapshot_in_stream(options_.rule)) return false;
  if (is_asked_ || pause_ > 0) return false;
  if (state_ == BookState::synced) return !waiting_ && book_.is_thin(options_.refresh_below);
  return state_ == BookState::buffering;
}

void BookSync::snapshot_refused() {
  is_asked_ = false;
  if (state_ == BookState::synced && !waiting_) release();
}

std::optional<BookUpdate> BookSync::ladder(std::size_t levels) const {
  if (state_ != BookState::synced || stale_since_) return std::nullopt;
  return BookUpdate{.origin = origin_,
                    .kind = BookKind::snapshot,
                    .is_partial = true,
                    .sequence = sequence_,
                    .bids = book_.bids().best(levels),
                    .asks = book_.asks().best(levels)};
}

void BookSync::fall_out(Resync reason, Gap gap, Events& out, BookOutcome& outcome) {
  const bool by_stream = exchange::has_snapshot_in_stream(options_.rule);
  state_ = by_stream ? BookState::empty : BookState::buffering;
  is_snapshot_missed_ = by_stream;
  if (!stale_since_) stale_since_ = newest_;
  waiting_.reset();
  outcome.resync = reason;
  outcome.is_applied = false;
  out.emplace_back(std::move(gap));
  failed();
}

// The first one asks again at once, the next after 1, 3, 7, … updates.
void BookSync::failed() {
  const auto doublings = std::min<std::uint64_t>(failures_++, max_pause_doublings);
  pause_ = (std::uint64_t{1} << doublings) - 1;
  pause_until_.reset();
  if (newest_) pause_until_ = *newest_ + usual_interval * static_cast<std::int64_t>(pause_);
  applied_ = 0;
}

void BookSync::hold(const BookUpdate& delta) {
  const auto weight = [](const BookUpdate& update) {
    return 1 + update.bids.size() + update.asks.size();
  };
  kept_.push_back(delta);
  kept_levels_ += weight(delta);
  if (kept_levels_ <= options_.max_buffered_levels) return;
  // A quarter at once, as taking one from the front moves all the others; the newest stays.
  auto first = kept_.begin();
  while (first + 1 != kept_.end() && kept_levels_ > options_.max_buffered_levels / 4 * 3) {
    kept_levels_ -= weight(*first++);
    ++dropped_;
  }
  kept_.erase(kept_.begin(), first);
}

void BookSync::release() {
  kept_.clear();
  kept_levels_ = 0;
}

// After every change of the book.
void BookSync::moved(const Origin& origin) {
  origin_ = origin;
  if (!book_.is_exhausted()) {
    stale_since_.reset();
  } else if (!stale_since_) {
    stale_since_ = newest_;
  }
}

}  // namespace candlewick::pipeline
