// The log thread's loop. Lock order: mutex_, then the queue's own; the log thread holds neither
// while it touches the disk or calls a listener.
#include "log/writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace candlewick::log {
namespace {

constexpr std::size_t sampled_rows = 32;  // of one commit

}  // namespace

Writer::Writer(std::unique_ptr<Log> log, const Clock& clock, WriterOptions options)
    : log_(std::move(log)),
      clock_(clock),
      options_(options),
      queue_({.items = options.max_queued_offers, .weight = options.max_queued_bytes}),
      backoff_(options.retry, options.seed) {}

Writer::~Writer() {
  static_cast<void>(stop());
}

void Writer::listen(Listener listener) {
  check(!thread_.joinable(), "listeners are added before the log thread starts");
  listeners_.push_back(std::move(listener));
}

void Writer::start() {
  check(!thread_.joinable(), "the log thread is started once");
  thread_ = std::thread([this] { run(); });
}

Offer Writer::offer(std::vector<schema::Row>&& rows) {
  if (rows.empty()) return Offer::accepted;
  const std::size_t count = rows.size();
  Rows offered{.rows = std::move(rows), .bytes = 0};
  for (const auto& row : offered.rows) offered.bytes += approximate_bytes(row);
  const std::size_t bytes = offered.bytes;

  // Counted under the same lock, so that no commit can be counted before its offer.
  const std::scoped_lock lock(mutex_);
  const Push pushed = queue_.try_push(std::move(offered), bytes);
  if (pushed == Push::accepted) {
    offered_rows_ += count;
    statistics_.queued_rows += count;
    statistics_.queued_bytes += bytes;
    return Offer::accepted;
  }
  // try_push has moved nothing. NOLINTNEXTLINE(bugprone-use-after-move)
  rows = std::move(offered.rows);
  if (pushed == Push::closed) return Offer::stopped;
  ++statistics_.refused_offers;
  statistics_.refused_rows += count;
  return Offer::full;
}

void Writer::run() {
  auto trim_at = static_cast<std::uint64_t>(options_.trim_rows);
  while (true) {
    if (!has_room_ && queue_.size() == 0 && queue_.wait_unless_closed(options_.look_interval)) {
      // Whoever waits for room offers nothing that would make it.
      trim();
      measure();
      continue;
    }
    if (!queue_.wait()) return;
    commit(
        queue_.pop_all({.items = options_.max_commit_offers, .weight = options_.max_commit_bytes}));
    measure();
    {
      const std::scoped_lock lock(mutex_);
      if (has_room_ && statistics_.committed_rows < trim_at) continue;
      trim_at = statistics_.committed_rows + static_cast<std::uint64_t>(options_.trim_rows) / 2;
    }
    trim();
  }
}

// What cannot be trimmed now is trimmed later; only a used-up budget makes it matter, and then
// append() says so.
void Writer::trim() {
  const auto trimmed = log_->trim(options_.trim_rows);
  const std::scoped_lock lock(mutex_);
  if (trimmed) statistics_.trimmed_rows += static_cast<std::uint64_t>(*trimmed);
}

void Writer::measure() {
  const auto size = log_->size();
  if (!size) return;
  has_room_ = size->has_room();
  const std::scoped_lock lock(mutex_);
  statistics_.size = *size;
}

void Writer::commit(std::vector<Rows> group) {
  if (group.size() == 1) {
    append(group.front().rows, group.front().bytes, true);
    return;
  }
  std::vector<schema::Row> rows;
  std::size_t bytes = 0;
  std::vector<std::size_t> ends;
  for (auto& offered : group) {
    bytes += offered.bytes;
    std::ranges::move(offered.rows, std::back_inserter(rows));
    ends.push_back(rows.size());
  }
  if (append(rows, bytes, false)) return;
  // One of them is refused: each alone, so that only that one is lost.
  std::size_t from = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    append(std::span(rows).subspan(from, ends[i] - from), group[i].bytes, true);
    from = ends[i];
  }
}

// Until the rows are durable, dropped or, at stop, given up. False: refused, and they may not be
// dropped.
bool Writer::append(std::span<const schema::Row> rows, std::size_t bytes, bool may_drop) {
  int attempts_left = options_.attempts_at_stop;
  while (true) {
    const auto begun = clock_.steady();
    const auto last = log_->append(rows);
    if (last) {
      backoff_.reset();
      committed(*last, rows, bytes, clock_.steady() - begun);
      return true;
    }
    failed(last.error());
    measure();
    const bool is_refused =
        last.error().kind == ErrorKind::rejected || last.error().kind == ErrorKind::malformed;
    if (is_refused && !may_drop) return false;
    const bool gives_up = !is_refused && queue_.is_closed() && --attempts_left < 0;
    if (is_refused || gives_up) {
      {
        const std::scoped_lock lock(mutex_);
        (is_refused ? statistics_.dropped_rows : abandoned_rows_) += rows.size();
        settled_rows_ += rows.size();
        statistics_.queued_rows -= rows.size();
        statistics_.queued_bytes -= bytes;
      }
      progress_.notify_all();
      return true;
    }
    static_cast<void>(queue_.wait_unless_closed(backoff_.next()));
  }
}

void Writer::committed(Sequence last, std::span<const schema::Row> rows, std::size_t bytes,
                       Duration took) {
  const Time now = clock_.now();
  {
    const std::scoped_lock lock(mutex_);
    settled_rows_ += rows.size();
    statistics_.queued_rows -= rows.size();
    statistics_.queued_bytes -= bytes;
    statistics_.committed_rows += rows.size();
    for (std::size_t i = 0; i < rows.size(); i += rows.size() / sampled_rows + 1) {
      const auto stamped = stamped_time(rows[i]);
      const auto exchange = rows[i].table->index_of("exchange");
      if (!stamped || exchange == schema::Table::npos) continue;
      if (const auto* name = std::get_if<std::string>(&rows[i].values[exchange]))
        statistics_.delays[*name].add(now - *stamped);
    }
    ++statistics_.commits;
    statistics_.is_failing = false;
    statistics_.last_sequence = last;
    statistics_.last_commit_took = took;
  }
  progress_.notify_all();
  for (const auto& listener : listeners_) listener({last, rows.size(), bytes, took});
}

void Writer::failed(const Error& error) {
  const std::scoped_lock lock(mutex_);
  ++statistics_.failed_commits;
  statistics_.is_failing = true;
  statistics_.last_error = error;
  statistics_.last_error_at = clock_.now();
}

Result<void> Writer::flush(Duration patience) {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = offered_rows_;
  const bool is_done = progress_.wait_for(lock, patience, [&] { return settled_rows_ >= target; });
  if (is_done && abandoned_rows_ == 0) return {};
  return fail(ErrorKind::transient, "{} rows are not durable yet{}{}",
              offered_rows_ - settled_rows_ + abandoned_rows_, statistics_.is_failing ? ": " : "",
              statistics_.is_failing ? statistics_.last_error->message : std::string{});
}

Result<void> Writer::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  const std::scoped_lock lock(mutex_);
  const std::uint64_t lost = offered_rows_ - settled_rows_ + abandoned_rows_;
  if (lost == 0) return {};
  return fail(ErrorKind::transient, "{} rows could not be written to the log{}{}", lost,
              statistics_.last_error ? ": " : "",
              statistics_.last_error ? statistics_.last_error->message : std::string{});
}

WriterStatistics Writer::statistics() const {
  const std::scoped_lock lock(mutex_);
  return statistics_;
}

}  // namespace candlewick::log
