// The policy for errors is their kind. Only the cursor decides what is written next: a batch that a
// sink stored without the cursor following is written again, which sinks promise to bear.
#include "sink/delivery.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace candlewick::sink {
namespace {

constexpr Duration throughput_window = std::chrono::minutes{1};

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
  const std::int64_t pending = *last - cursor_;
  statistics_.with([&](SinkStatistics& s) {
    s.last_sequence = *last;
    s.lag_rows = pending;
    if (pending == 0) s.attempt = 0;
    // After an error it is not well again before it has written something.
    if (s.attempt == 0) {
      s.state = std::cmp_less(pending, options_.max_rows) ? State::live : State::catching_up;
    }
    if (pending == 0) s.oldest_pending.reset();
  });
  if (pending == 0) {
    pending_since_.reset();
    return {options_.idle_wait, true};
  }
  const SteadyTime now = clock_.steady();
  if (!pending_since_) pending_since_ = now;
  if (std::cmp_less(pending, options_.max_rows) && now - *pending_since_ < options_.max_age) {
    return {std::min(options_.idle_wait, *pending_since_ + options_.max_age - now), true};
  }
  const auto delivered = deliver();
  if (!delivered) return wait_after(delivered.error());
  pending_since_.reset();
  return {Duration::zero(), true};
}

Result<void> Delivery::drain() {
  if (!is_open_) {
    if (auto opened = open(); !opened) return opened;
  }
  while (true) {
    const auto delivered = deliver();
    if (!delivered) {
      static_cast<void>(wait_after(delivered.error()));
      return fail(delivered.error());
    }
    if (!*delivered) return {};
  }
}

Result<void> Delivery::open() {
  if (auto opened = sink_->open(); !opened) return opened;
  const auto theirs = sink_->position(log_->id());
  if (!theirs) return fail(theirs.error());
  const auto ours = log_->cursor(name_);
  if (!ours) return fail(ours.error());
  // The sink's own word counts: it moves with the rows. An older one (a restored backup) means
  // that rows are read again as far as the log still has them.
  cursor_ = theirs->value_or(ours->value_or(0));
  if (!*ours) {
    if (auto set = log_->set_cursor(name_, cursor_); !set) return set;
  }
  is_open_ = true;
  statistics_.with([this](SinkStatistics& s) { s.cursor = cursor_; });
  return {};
}

Result<bool> Delivery::deliver() {
  auto page = log_->read(cursor_, options_.max_rows, options_.max_bytes);
  if (!page) return fail(std::move(page.error()));
  if (page->last == cursor_) return false;
  if (!page->entries.empty()) {
    statistics_.with([&](SinkStatistics& s) {
      s.oldest_pending = log::stamped_time(page->entries.front().row);
    });
  }
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
  if (auto advanced = advance(page->last); !advanced) return fail(std::move(advanced.error()));
  backoff_.reset();
  statistics_.with([](SinkStatistics& s) { s.attempt = 0; });
  return true;
}

Result<void> Delivery::write(const Batch& batch) {
  const SteadyTime begun = clock_.steady();
  auto written = sink_->write(batch);
  if (written) {
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
    const log::DeadLetter letter{.sink = name_,
                                 .sequence = entry.sequence,
                                 .text = schema::to_json(entry.row),
                                 .kind = error.kind,
                                 .reason = std::move(error.message),
                                 .recorded_at = clock_.now()};
    return bury({&letter, 1});
  }
  const std::size_t half = batch.size() / 2;
  const Batch front = batch.part(0, half);
  if (auto written = write(front); !written) return written;
  // What is done stays done, should the other half have to wait.
  if (auto advanced = advance(front.last()); !advanced) return advanced;
  return write(batch.part(half, batch.size() - half));
}

Result<void> Delivery::bury(std::span<const log::DeadLetter> letters) {
  if (letters.empty()) return {};
  if (auto added = log_->add_dead_letters(letters); !added) return added;
  statistics_.with([&](SinkStatistics& s) {
    s.dead_letters += letters.size();
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
    if (s.lag_rows == 0) s.oldest_pending.reset();
  });
  return {};
}

void Delivery::wrote(const Batch& batch, Duration took) {
  const SteadyTime now = clock_.steady();
  recent_.emplace_back(now, batch.size());
  while (now - recent_.front().first > throughput_window) recent_.pop_front();
  std::size_t rows = 0;
  for (const auto& [when, count] : recent_) rows += count;
  statistics_.with([&](SinkStatistics& s) {
    s.written_rows += batch.size();
    ++s.written_batches;
    s.last_write_at = clock_.now();
    s.last_write_took = took;
    s.rows_per_second =
        static_cast<double>(rows) / std::chrono::duration<double>(throughput_window).count();
  });
}

Delivery::Next Delivery::wait_after(const Error& error) {
  const bool is_transient = error.kind == ErrorKind::transient;
  // Whatever is wrong may be with the connection: it is made anew.
  is_open_ = false;
  const Duration wait = is_transient ? backoff_.next() : options_.misconfigured_retry;
  statistics_.with([&](SinkStatistics& s) {
    s.state = is_transient ? State::backing_off : State::stopped;
    ++(is_transient ? s.transient_errors : s.misconfigured_errors);
    s.last_error = error;
    s.last_error_at = clock_.now();
    ++s.attempt;
  });
  return {wait, false};
}

}  // namespace candlewick::sink
