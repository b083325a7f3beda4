// The policy for errors is their kind. Only the cursor decides what is written next: a batch that a
// sink stored without the cursor following is written again, which sinks promise to bear.
#include "sink/delivery.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/fault_point.h"
#include "sink/observations.h"

namespace candlewick::sink {
namespace {

constexpr Duration throughput_window = std::chrono::minutes{1};
constexpr std::size_t sampled_rows = 32;  // of one batch, for how old its rows were

// Steps are the same for every sink; a test names the sink whose step it means.
void fault_point_of(std::string_view step, std::string_view sink) {
  fault_point(fmt::format("{}@{}", step, sink));
}

bool is_about_rows(ErrorKind kind) {
  return kind == ErrorKind::rejected || kind == ErrorKind::malformed;
}

}  // namespace

std::string_view to_text(State state) {
  switch (state) {
    case State::opening:
      return "opening";
    case State::live:
      return "live";
    case State::catching_up:
      return "catching_up";
    case State::backing_off:
      return "backing_off";
    case State::stopped:
      return "stopped";
  }
  std::unreachable();
}

Delivery::Delivery(std::unique_ptr<Sink> sink, std::unique_ptr<log::Log> log, const Clock& clock,
                   DeliveryOptions options)
    : sink_(std::move(sink)),
      log_(std::move(log)),
      clock_(clock),
      options_(options),
      name_(sink_->name()),
      backoff_(options.retry, options.seed) {
  statistics_.with([this](SinkStatistics& s) { s.sink = name_; });
}

Delivery::Next Delivery::step() {
  if (!is_open_) {
    if (auto opened = open(); !opened) return wait_after(opened.error());
  }
  const auto last = log_->last_sequence();
  if (!last) return wait_after(last.error());
  look_at_log();
  if (past_since_) {
    const auto delivered = deliver_past();
    if (!delivered) return wait_after(delivered.error());
    return {Duration::zero(), true};
  }
  const std::int64_t pending = *last - cursor_;
  if (pending == 0) {
    pending_since_.reset();
    return {options_.idle_wait, true};
  }
  const SteadyTime now = clock_.steady();
  if (!pending_since_) pending_since_ = now;
  const Duration waited = now - *pending_since_;
  if (waited >= options_.max_age) due_ = *last;
  if (std::cmp_less(pending, options_.max_rows) && cursor_ >= due_) {
    return {std::min(options_.idle_wait, options_.max_age - waited), true};
  }
  const auto delivered = deliver();
  if (!delivered) return wait_after(delivered.error());
  if (cursor_ >= due_) pending_since_.reset();
  return {Duration::zero(), true};
}

void Delivery::look_at_log() {
  const auto last = log_->last_sequence();
  const auto pending = log_->rows_after(cursor_);
  const auto known = log_->find_cursor(name_);
  const auto letters = log_->count_dead_letters(name_);
  if (!last || !pending) return;  // the next step says it
  bool is_oldest_known = true;
  std::int64_t lost = 0;
  statistics_.with([&](SinkStatistics& s) {
    s.last_sequence = *last;
    s.lag_rows = *pending;
    if (letters) s.dead_letters_now = *letters;
    if (known && *known) {
      const auto dropped = (*known)->dropped_rows;
      // What was lost before this start was told then. A sink that cannot be opened loses as well.
      if (s.is_looked_at) lost = dropped - s.dropped_rows;
      s.dropped_rows = dropped;
      s.is_looked_at = true;
    }
    if (*pending == 0) {
      s.oldest_pending.reset();
      if (!past_since_) s.attempt = 0;
    }
    // After an error it is not well again before it has written something.
    if (is_open_ && s.attempt == 0) {
      s.state = std::cmp_less(*pending, options_.max_rows) && !past_since_ ? State::live
                                                                           : State::catching_up;
    }
    is_oldest_known = *pending == 0 || s.oldest_pending;
  });
  if (lost > 0) observe(rows_given_up, {{"sink", name_}, {"rows", lost}});
  if (is_oldest_known) return;
  const auto page = log_->read_for(name_, cursor_, 1, 1);
  if (!page || page->entries.empty()) return;
  const auto oldest = log::stamped_time(page->entries.front().row);
  statistics_.with([&](SinkStatistics& s) { s.oldest_pending = oldest; });
}

Result<void> Delivery::drain() {
  if (!is_open_) {
    if (auto opened = open(); !opened) return opened;
  }
  while (true) {
    const auto delivered = past_since_ ? deliver_past() : deliver();
    if (!delivered) {
      static_cast<void>(wait_after(delivered.error()));
      return fail(delivered.error());
    }
    if (!*delivered) return {};
  }
}

Result<void> Delivery::open() {
  if (is_misconfigured_ && options_.remake) {
    auto made = options_.remake();
    if (!made) return fail(std::move(made.error()));
    sink_ = std::move(*made);
  }
  if (auto opened = sink_->open(); !opened) return opened;
  const auto theirs = sink_->position(log_->id());
  if (!theirs) return fail(theirs.error());
  auto ours = log_->find_cursor(name_);
  if (!ours) return fail(std::move(ours.error()));
  if (*ours) cursor_ = (*ours)->sequence;
  if (!*ours) {
    // The sink's own word counts: it moves with the rows. An older one (a restored backup) means
    // that rows are read again as far as the log still has them.
    const auto first = *theirs ? Result<log::Sequence>(**theirs) : begin();
    if (!first) return fail(first.error());
    const auto past = *theirs || !options_.open_past ? std::nullopt : options_.since;
    if (auto begun = log_->begin_cursor(name_, *first, past); !begun) return begun;
    ours = log::Cursor{.sink = name_, .sequence = *first, .past_since = past};
  }
  cursor_ = theirs->value_or((*ours)->sequence);
  past_since_ = options_.open_past ? (*ours)->past_since : std::nullopt;
  past_.reset();
  past_sequence_ = 0;
  if (sink_->needs_stable_batches()) planned_ = (*ours)->planned;
  is_open_ = true;
  is_misconfigured_ = false;
  statistics_.with([this](SinkStatistics& s) {
    s.cursor = cursor_;
    s.next_attempt_at.reset();
  });
  return {};
}

// Where a sink begins that knows nothing: before the log's first row that is of the wanted time.
// What came into the log later belongs to it whatever its time.
Result<log::Sequence> Delivery::begin() {
  log::Sequence at = 0;
  if (!options_.since) return at;
  while (true) {
    const auto page = log_->read_for(name_, at, options_.max_rows, options_.max_bytes);
    if (!page) return fail(page.error());
    if (page->last == at) return at;
    for (const auto& entry : page->entries) {
      const auto happened = log::happened_at(entry.row);
      if (happened && *happened >= *options_.since) return entry.sequence - 1;
    }
    at = page->last;
  }
}

Result<log::Page> Delivery::next_page() {
  const bool is_planned = planned_ && *planned_ > cursor_;
  auto page = is_planned
                  ? log_->read_for(name_, cursor_, static_cast<std::size_t>(*planned_ - cursor_),
                                   static_cast<std::size_t>(-1))
                  : log_->read_for(name_, cursor_, options_.max_rows, options_.max_bytes);
  if (!page || page->last == cursor_ || !sink_->needs_stable_batches()) return page;
  if (is_planned) {
    // Fewer rows than numbers: the log gave some up.
    std::erase_if(page->entries, [this](const auto& entry) { return entry.sequence > *planned_; });
    std::erase_if(page->unreadable,
                  [this](const auto& entry) { return entry.sequence > *planned_; });
    page->last = *planned_;
    return page;
  }
  if (auto planned = log_->plan_batch(name_, page->last); !planned) return fail(planned.error());
  planned_ = page->last;
  fault_point_of("delivery.planned", name_);
  return page;
}

Result<bool> Delivery::deliver() {
  auto page = next_page();
  if (!page) return fail(std::move(page.error()));
  if (page->last == cursor_) return false;
  std::vector<log::DeadLetter> letters;
  for (auto& entry : page->unreadable) {
    letters.push_back({.sink = name_,
                       .sequence = entry.sequence,
                       .text = std::move(entry.text),
                       .kind = entry.error.kind,
                       .reason = std::move(entry.error.message),
                       .recorded_at = clock_.now()});
  }
  if (auto buried = bury(letters); !buried) return fail(std::move(buried.error()));
  const Batch batch(std::string(log_->id()), std::move(page->entries));
  if (!batch.empty()) {
    if (auto written = write(batch); !written) return fail(std::move(written.error()));
  }
  fault_point_of("delivery.before_cursor", name_);
  if (auto advanced = advance(page->last); !advanced) return fail(std::move(advanced.error()));
  fault_point_of("delivery.after_cursor", name_);
  return true;
}

// From its beginning after every interruption, under the same names: sinks keep a row or a batch
// once. The names are the past's own, so that no sink takes their numbers for a position in the
// log.
Result<bool> Delivery::deliver_past() {
  if (past_ == nullptr) {
    auto opened = options_.open_past(*past_since_);
    if (!opened) return fail(std::move(opened.error()));
    past_ = std::move(*opened);
    past_sequence_ = 0;
    past_id_ = fmt::format("{}-past-{}", log_->id(), to_us(*past_since_));
  }
  auto rows = past_->next(options_.max_rows);
  if (!rows) return fail(std::move(rows.error()));
  if (rows->empty()) {
    fault_point_of("delivery.before_end_of_past", name_);
    if (auto ended = log_->end_past(name_); !ended) return fail(std::move(ended.error()));
    const auto count = statistics_.with([](const SinkStatistics& s) { return s.past_rows; });
    observe(past_delivered, {{"sink", name_}, {"rows", count}});
    past_since_.reset();
    past_.reset();
    return true;
  }
  std::vector<log::Entry> entries;
  entries.reserve(rows->size());
  for (auto& row : *rows) entries.push_back({.sequence = ++past_sequence_, .row = std::move(row)});
  const Batch batch(past_id_, std::move(entries));
  is_past_ = true;
  auto written = write(batch);
  is_past_ = false;
  if (!written) return fail(std::move(written.error()));
  fault_point_of("delivery.after_past_batch", name_);
  statistics_.with([&](SinkStatistics& s) { s.past_rows += batch.size(); });
  return true;
}

Result<void> Delivery::write(const Batch& batch) {
  // Halves of a refused batch are batches with names of their own.
  if (sink_->needs_stable_batches() && !is_past_ && planned_ != batch.last()) {
    if (auto planned = log_->plan_batch(name_, batch.last()); !planned) return planned;
    planned_ = batch.last();
  }
  const SteadyTime begun = clock_.steady();
  fault_point_of("delivery.before_write", name_);
  auto written = sink_->write(batch);
  if (written) {
    fault_point_of("delivery.after_write", name_);
    wrote(batch, clock_.steady() - begun);
    return written;
  }
  if (!is_about_rows(written.error().kind)) return written;
  return isolate(batch, std::move(written.error()));
}

// Halves until the row at fault stands alone: about 2 log2(n) writes for one bad row among n.
Result<void> Delivery::isolate(const Batch& batch, Error error) {
  if (batch.size() == 1) {
    const log::Entry& entry = batch.entries().front();
    const ErrorKind kind = error.kind;
    const log::DeadLetter letter{.sink = name_,
                                 // The past has no numbers of the log: those below 0 are its own.
                                 .sequence = is_past_ ? -entry.sequence : entry.sequence,
                                 .text = schema::to_json(entry.row),
                                 .kind = kind,
                                 .reason = told(std::move(error)).message,
                                 .recorded_at = clock_.now()};
    return bury({&letter, 1});
  }
  const std::size_t half = batch.size() / 2;
  const Batch front = batch.part(0, half);
  if (auto written = write(front); !written) return written;
  // What is done stays done, should the other half have to wait.
  if (!is_past_) {
    if (auto advanced = advance(front.last()); !advanced) return advanced;
    fault_point_of("delivery.between_halves", name_);
  }
  return write(batch.part(half, batch.size() - half));
}

Result<void> Delivery::bury(std::span<const log::DeadLetter> letters) {
  if (letters.empty()) return {};
  fault_point_of("delivery.before_dead_letters", name_);
  if (auto added = log_->add_dead_letters(letters); !added) return added;
  fault_point_of("delivery.after_dead_letters", name_);
  for (const auto& letter : letters) {
    observe(row_set_aside, {{"sink", name_},
                            {"sequence", letter.sequence},
                            {"error_kind", to_text(letter.kind)},
                            {"error", letter.reason}});
  }
  statistics_.with([&](SinkStatistics& s) {
    s.dead_letters += letters.size();
    s.dead_letters_now += static_cast<std::int64_t>(letters.size());
    s.rejected_errors += letters.size();
    s.last_error = Error{letters.back().kind, letters.back().reason};
    s.last_error_at = letters.back().recorded_at;
  });
  return {};
}

Result<void> Delivery::advance(log::Sequence to) {
  if (auto set = log_->set_cursor(name_, to); !set) return set;
  cursor_ = to;
  statistics_.with([&](SinkStatistics& s) {
    s.cursor = to;
    s.lag_rows = std::max<std::int64_t>(0, s.last_sequence - to);
    s.oldest_pending.reset();
  });
  return {};
}

void Delivery::wrote(const Batch& batch, Duration took) {
  const SteadyTime now = clock_.steady();
  const Time now_wall = clock_.now();
  recent_.emplace_back(now, batch.size());
  while (now - recent_.front().first > throughput_window) recent_.pop_front();
  std::size_t rows = 0;
  for (const auto& [when, count] : recent_) rows += count;
  backoff_.reset();
  bool was_failing = false;
  statistics_.with([&](SinkStatistics& s) {
    was_failing = std::exchange(s.attempt, 0) > 0;
    s.next_attempt_at.reset();
    s.written_rows += batch.size();
    ++s.written_batches;
    s.last_write_at = now_wall;
    s.last_write_took = took;
    for (std::size_t i = 0; !is_past_ && i < batch.size(); i += batch.size() / sampled_rows + 1) {
      if (const auto stamped = log::stamped_time(batch.entries()[i].row))
        s.delays.add(now_wall - *stamped);
    }
    s.rows_per_second =
        static_cast<double>(rows) / std::chrono::duration<double>(throughput_window).count();
  });
  if (was_failing) observe(sink_recovered, {{"sink", name_}});
}

// New rows do not shorten the wait.
Delivery::Next Delivery::wait_after(const Error& cause) {
  const Error error = told(cause);
  const bool is_transient = error.kind == ErrorKind::transient;
  // Whatever is wrong may be with the connection: it is made anew.
  is_open_ = false;
  is_misconfigured_ = !is_transient;
  past_.reset();
  look_at_log();
  const Duration wait = is_transient
                            ? backoff_.next(sink_->retry_after().value_or(Duration::zero()))
                            : options_.misconfigured_retry;
  std::uint32_t attempt = 0;
  statistics_.with([&](SinkStatistics& s) {
    s.state = is_transient ? State::backing_off : State::stopped;
    ++(is_transient ? s.transient_errors : s.misconfigured_errors);
    s.last_error = error;
    s.last_error_at = clock_.now();
    s.next_attempt_at = clock_.now() + wait;
    attempt = ++s.attempt;
  });
  observe(is_transient ? sink_failing : sink_stopped, {{"sink", name_},
                                                       {"attempt", attempt},
                                                       {"error_kind", to_text(error.kind)},
                                                       {"error", error.message}});
  return {wait, false};
}

Error Delivery::told(Error error) const {
  if (options_.redact) error.message = options_.redact(std::move(error.message));
  return error;
}

void Delivery::observe(const ObservationKind& kind, std::initializer_list<Field> fields) const {
  if (options_.observer != nullptr) options_.observer->observe(kind, fields);
}

}  // namespace candlewick::sink
