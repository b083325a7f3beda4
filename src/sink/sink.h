// What a target of rows must do. Batching, retries, back-off, dead letters, cursor and statistics
// are in delivery and runner, once for all sinks.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/log.h"

namespace candlewick::sink {

// Consecutive entries of one log. Shared and never changed, so a part or a copy costs nothing.
class Batch {
 public:
  Batch(std::string log_id, std::vector<log::Entry> entries)
      : shared_(std::make_shared<const Shared>(std::move(log_id), std::move(entries))),
        count_(shared_->entries.size()) {}

  std::span<const log::Entry> entries() const {
    return std::span(shared_->entries).subspan(from_, count_);
  }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Of a batch that is not empty.
  log::Sequence first() const { return entries().front().sequence; }
  log::Sequence last() const { return entries().back().sequence; }
  // Which log: a cursor is worth nothing in another one.
  const std::string& log_id() const { return shared_->log_id; }

  Batch part(std::size_t from, std::size_t count) const {
    Batch result = *this;
    result.from_ = from_ + from;
    result.count_ = count;
    return result;
  }

 private:
  struct Shared {
    Shared(std::string id, std::vector<log::Entry> rows)
        : log_id(std::move(id)), entries(std::move(rows)) {}
    std::string log_id;
    std::vector<log::Entry> entries;
  };
  std::shared_ptr<const Shared> shared_;
  std::size_t from_ = 0;
  std::size_t count_ = 0;
};

// One thing that an examination of a target looked at.
struct Finding {
  enum class Grade : unsigned char { good, warning, bad };
  Grade grade = Grade::good;
  std::string what;    // "table public.market_ticks: no grant of INSERT to service_role"
  std::string advice;  // what to do: words, or the SQL to run; empty when good
};

// Lives on its runner's thread. Calls may block.
class Sink {
 public:
  virtual ~Sink() = default;
  // "sqlite": names the cursor, the thread and the metrics' label.
  virtual std::string_view name() const = 0;

  // Connects, migrates, checks. Called before the first write, and again after an error.
  virtual Result<void> open() = 0;

  // Where the target itself says that it is in that log: for sinks that store their position in the
  // transaction of the rows. Null: the log's cursor counts.
  virtual Result<std::optional<log::Sequence>> position(std::string_view log_id) {
    static_cast<void>(log_id);
    return std::optional<log::Sequence>{};
  }

  // Whole or not at all; may come again after a crash without doubling. Errors: transient → the
  // same batch comes again; rejected, malformed → the rows at fault are found by halving and become
  // dead letters; misconfigured → nothing is written until open() succeeds.
  virtual Result<void> write(const Batch& batch) = 0;

  // The same rows come in the same batches after a crash, told apart by their first and last
  // sequence: for a target that knows a batch by its name and not its rows. Costs a sync each.
  virtual bool needs_stable_batches() const { return false; }

  // How long the target asked to be left alone with the last transient error; nullopt: not said.
  virtual std::optional<Duration> retry_after() const { return std::nullopt; }

  // Looks at the target without changing it, for `candlewick doctor`: connection, login, tables,
  // columns, keys, rights. May be called instead of open().
  virtual std::vector<Finding> examine() { return {}; }
};

}  // namespace candlewick::sink
