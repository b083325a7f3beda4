// One sink's way through the log, step by step and without a thread or a clock of its own: batches,
// the policy for each kind of error, dead letters, cursor. runner.h gives it a thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/delays.h"
#include "base/guarded.h"
#include "base/observation.h"
#include "log/log.h"
#include "net/backoff.h"
#include "sink/sink.h"

namespace candlewick::sink {

// Rows from before the log, for a sink that is new; in an order in which a sink may write them.
class PastRows {
 public:
  virtual ~PastRows() = default;
  // At most so many; none at the end. Errors: transient, misconfigured.
  virtual Result<std::vector<schema::Row>> next(std::size_t max_rows) = 0;
};

struct DeliveryOptions {
  std::size_t max_rows = 5'000;
  std::size_t max_bytes = std::size_t{8} << 20;
  // How long rows may wait for company before a smaller batch is written.
  Duration max_age = std::chrono::milliseconds{250};
  net::BackoffOptions retry{.first = std::chrono::milliseconds{250},
                            .cap = std::chrono::seconds{30}};
  // A sink that was set up wrongly is tried again this seldom: somebody may have mended it.
  Duration misconfigured_retry = std::chrono::seconds{60};
  // The longest that a step asks to wait, in case that a wake-up was missed.
  Duration idle_wait = std::chrono::seconds{1};
  std::uint64_t seed = 1;  // of the back-off's jitter
  // A sink without a cursor begins with what happened from then on: first what `open_past` has,
  // then the log. Rows may come twice at the seam. Without it: with what the log has.
  std::optional<Time> since;
  using OpenPast = std::function<Result<std::unique_ptr<PastRows>>(Time since)>;
  OpenPast open_past;
  // Asked for another sink of the same name before one that was set up wrongly is tried again, so
  // that a key that was mended needs no restart. Empty: the same sink is tried.
  using Remake = std::function<Result<std::unique_ptr<Sink>>()>;
  Remake remake;
  // What is told of an error: a target may say in its answer what it was sent, secrets included.
  using Redact = std::function<std::string(std::string message)>;
  Redact redact;
  Observer* observer = nullptr;
};

enum class State : unsigned char {
  opening,
  live,         // has everything, or waits for a batch to fill
  catching_up,  // has more to read
  backing_off,  // after a transient error
  stopped,      // misconfigured: see last_error
};
std::string_view to_text(State state);

struct SinkStatistics {
  std::string sink;
  State state = State::opening;
  log::Sequence cursor = 0;
  log::Sequence last_sequence = 0;  // the log's
  std::int64_t lag_rows = 0;
  // When the oldest row that the sink lacks was stamped; null when it lacks none.
  std::optional<Time> oldest_pending;
  std::uint64_t written_rows = 0;
  std::uint64_t written_batches = 0;
  std::uint64_t dead_letters = 0;  // since the start
  std::uint64_t transient_errors = 0;
  std::uint64_t rejected_errors = 0;
  std::uint64_t misconfigured_errors = 0;
  std::optional<Error> last_error;
  std::optional<Time> last_error_at;
  std::optional<Time> last_write_at;
  Duration last_write_took{};
  double rows_per_second = 0;           // over the last minute
  std::uint64_t past_rows = 0;          // of those written, from before the log
  std::int64_t dropped_rows = 0;        // given up by the log before the sink had them, ever
  std::int64_t dead_letters_now = 0;    // in the log, waiting for somebody
  bool is_looked_at = false;            // dropped_rows is known
  std::optional<Time> next_attempt_at;  // while it waits out an error
  std::uint32_t attempt = 0;            // failed attempts in a row
  // From a row's stamp, which is when its news was received, until the sink had it. Of large
  // batches a sample counts; rows from before the log do not.
  Delays delays;

  Duration lag(Time now) const { return oldest_pending ? now - *oldest_pending : Duration::zero(); }
};

class Delivery {
 public:
  Delivery(std::unique_ptr<Sink> sink, std::unique_ptr<log::Log> log, const Clock& clock,
           DeliveryOptions options = {});

  // Does what there is to do, at most one batch. Returns how long to wait before the next step:
  // zero when there is more at once.
  struct Next {
    Duration wait{};
    bool wake_on_rows = false;  // false: waiting out an error, which new rows do not mend
  };
  Next step();

  // Writes without waiting for batches to fill, until the sink has what the log has or an error
  // comes: for the end of a program.
  Result<void> drain();

  // Any thread.
  SinkStatistics statistics() const {
    return statistics_.with([](const auto& s) { return s; });
  }
  std::string_view name() const { return name_; }

 private:
  Result<void> open();
  Result<log::Sequence> begin();
  Result<bool> deliver();  // true when there was a batch
  Result<bool> deliver_past();
  Result<log::Page> next_page();
  Result<void> write(const Batch& batch);
  Result<void> isolate(const Batch& batch, Error error);
  Result<void> bury(std::span<const log::DeadLetter> letters);
  Result<void> advance(log::Sequence to);
  Next wait_after(const Error& cause);
  void wrote(const Batch& batch, Duration took);
  void look_at_log();
  Error told(Error error) const;
  void observe(const ObservationKind& kind, std::initializer_list<Field> fields) const;

  std::unique_ptr<Sink> sink_;
  std::unique_ptr<log::Log> log_;
  const Clock& clock_;
  const DeliveryOptions options_;
  const std::string name_;
  net::Backoff backoff_;
  bool is_open_ = false;
  bool is_misconfigured_ = false;
  log::Sequence cursor_ = 0;
  // What was there when the time of the oldest was over: all of it goes out, in as many batches as
  // it takes.
  log::Sequence due_ = 0;
  std::optional<log::Sequence> planned_;
  std::optional<Time> past_since_;
  std::unique_ptr<PastRows> past_;
  std::string past_id_;
  log::Sequence past_sequence_ = 0;
  bool is_past_ = false;  // the batch in hand is none of the log's
  std::optional<SteadyTime> pending_since_;
  std::deque<std::pair<SteadyTime, std::size_t>> recent_;
  Guarded<SinkStatistics> statistics_;
};

}  // namespace candlewick::sink
