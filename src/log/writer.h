// The log thread: takes rows from the ingest thread without ever making it wait, and commits all
// that waits as one group. A full disk stops neither thread: the writer keeps what it has, its
// queue fills to its limit, offers are then answered `full`, and it goes on when the disk does.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/delays.h"
#include "base/queue.h"
#include "log/log.h"
#include "net/backoff.h"

namespace candlewick::log {

struct WriterOptions {
  // The door: offers beyond either limit are refused, and counted.
  std::size_t max_queued_offers = 100'000;
  std::size_t max_queued_bytes = std::size_t{128} << 20;
  // One transaction.
  std::size_t max_commit_bytes = std::size_t{8} << 20;
  std::size_t max_commit_offers = 10'000;
  net::BackoffOptions retry{.first = std::chrono::milliseconds{100},
                            .cap = std::chrono::seconds{5}};
  // How often a failing commit is tried again once stop() was asked for.
  int attempts_at_stop = 3;
  // Rows that every sink has are deleted in steps of this many, one after each commit.
  std::int64_t trim_rows = 5'000;
  // While the budget is nearly used up, this often without a commit too.
  Duration look_interval = std::chrono::milliseconds{100};
  std::uint64_t seed = 1;  // of the back-off's jitter
};

// One transaction that became durable.
struct Commit {
  Sequence last = 0;
  std::size_t rows = 0;
  std::size_t bytes = 0;
  Duration took{};
};

enum class Offer : unsigned char { accepted, full, stopped };

struct WriterStatistics {
  std::size_t queued_rows = 0;  // not durable yet, those being committed included
  std::size_t queued_bytes = 0;
  std::uint64_t committed_rows = 0;
  std::uint64_t commits = 0;
  std::uint64_t refused_offers = 0;  // answered `full`
  std::uint64_t refused_rows = 0;    // in those
  std::uint64_t dropped_rows = 0;    // the log would never take them (rejected, malformed)
  std::uint64_t failed_commits = 0;
  bool is_failing = false;  // the last attempt failed
  std::optional<Error> last_error;
  std::optional<Time> last_error_at;
  Sequence last_sequence = 0;
  Duration last_commit_took{};
  std::uint64_t trimmed_rows = 0;
  Size size;  // of the log, after the newest commit
  // By exchange: from a row's stamp, which is when its news was received, until it was durable. Of
  // large commits a sample counts.
  std::map<std::string, Delays> delays;
};

class Writer {
 public:
  // Called on the log thread after every commit; must not block.
  using Listener = std::function<void(const Commit&)>;

  Writer(std::unique_ptr<Log> log, const Clock& clock, WriterOptions options = {});
  // Stops, if nobody did.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Before start() only.
  void listen(Listener listener);
  void start();

  // Never waits. Takes the rows only when it answers `accepted`; rows offered together become
  // durable together. Any thread.
  Offer offer(std::vector<schema::Row>&& rows);

  // Waits until all that was offered before is durable. Error: transient, with the reason, when
  // that takes longer than `patience`.
  Result<void> flush(Duration patience = std::chrono::seconds{10});

  // Takes nothing more, commits what waits and ends the thread. Error: what could not be committed,
  // with how many rows.
  Result<void> stop();

  WriterStatistics statistics() const;

 private:
  struct Rows {
    std::vector<schema::Row> rows;
    std::size_t bytes = 0;
  };

  void run();
  void trim();
  void measure();
  void commit(std::vector<Rows> group);
  bool append(std::span<const schema::Row> rows, std::size_t bytes, bool may_drop);
  void committed(Sequence last, std::span<const schema::Row> rows, std::size_t bytes,
                 Duration took);
  void failed(const Error& error);

  std::unique_ptr<Log> log_;  // the log thread's
  bool has_room_ = true;      // as well
  const Clock& clock_;
  const WriterOptions options_;
  std::vector<Listener> listeners_;
  BoundedQueue<Rows> queue_;
  net::Backoff backoff_;
  mutable std::mutex mutex_;
  std::condition_variable progress_;
  WriterStatistics statistics_;       // under mutex_
  std::uint64_t offered_rows_ = 0;    // under mutex_
  std::uint64_t settled_rows_ = 0;    // committed or dropped; under mutex_
  std::uint64_t abandoned_rows_ = 0;  // at stop; under mutex_
  std::thread thread_;
};

}  // namespace candlewick::log
