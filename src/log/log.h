// The one durable, ordered list of rows to be stored. Every sink reads it at its own pace with its
// own cursor, so catching up after days is the same code as normal work.
//
// A Log object belongs to one thread. Each thread opens its own on the same log: they see the same
// rows, and what append() has acknowledged survives the loss of power.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "schema/table.h"

namespace candlewick::log {

// 1, 2, 3, …; 0 is "before the first". Never used twice, also when everything was trimmed.
using Sequence = std::int64_t;

struct Entry {
  Sequence sequence = 0;
  schema::Row row;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Text in the log that is no row of this program's schema (written by a newer one).
struct UnreadableEntry {
  Sequence sequence = 0;
  std::string text;
  Error error;
};

// What read() found. `last` is the last sequence that was looked at: go on from there.
struct Page {
  std::vector<Entry> entries;
  std::vector<UnreadableEntry> unreadable;
  Sequence last = 0;
  std::size_t bytes = 0;
};

struct Cursor {
  std::string sink;
  Sequence sequence = 0;
  // Rows that were given up before this sink had them, ever. At most: a batch that it had in hand
  // just then is counted as well.
  std::int64_t dropped_rows = 0;
  // Not one of those that are set up now: its rows are kept only while there is room.
  bool is_active = true;
  // It still has to be given what happened from then on and is not in the log any more.
  std::optional<Time> past_since;
  // Where the batch ends that was begun last, for sinks whose batches must not change.
  std::optional<Sequence> planned;
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

// A row that a sink refused. Kept until somebody resends or deletes it.
struct DeadLetter {
  std::string sink;
  Sequence sequence = 0;
  std::string text;  // the row as JSON
  ErrorKind kind = ErrorKind::rejected;
  std::string reason;
  Time recorded_at;
};

struct Size {
  std::uint64_t bytes = 0;         // in use
  std::uint64_t budget_bytes = 0;  // 0: none
  std::int64_t dropped_rows = 0;   // unread rows given up to stay within the budget, ever
  // So full that nobody should add to it, until the sinks have caught up a good deal.
  bool is_full() const { return budget_bytes > 0 && bytes >= budget_bytes; }
  bool has_room() const { return budget_bytes == 0 || bytes < budget_bytes / 10 * 9; }
};

class Log {
 public:
  virtual ~Log() = default;

  // Told apart from a log that was deleted and begun again: random, made with the log.
  virtual std::string_view id() const = 0;

  // All or none, in this order and without others between; durable when it returns. Returns the
  // last row's sequence. Errors: transient (disk full or failing, the budget used up), and nothing
  // of it is stored then.
  virtual Result<Sequence> append(std::span<const schema::Row> rows) = 0;

  // The entries after a sequence, oldest first: at least one if there is any, then as long as both
  // limits hold.
  virtual Result<Page> read(Sequence after, std::size_t max_rows, std::size_t max_bytes) = 0;
  // The same as one sink sees it: without the rows that were put back for another one.
  virtual Result<Page> read_for(std::string_view sink, Sequence after, std::size_t max_rows,
                                std::size_t max_bytes) = 0;

  virtual Result<Sequence> last_sequence() = 0;
  virtual Result<std::int64_t> rows_after(Sequence after) = 0;

  // A sink that has no cursor yet has read nothing. Cursors hold rows back from trimming, so one is
  // set (to 0) when a sink is first configured, and removed with the sink.
  virtual Result<std::optional<Sequence>> cursor(std::string_view sink) = 0;
  virtual Result<void> set_cursor(std::string_view sink, Sequence sequence) = 0;
  virtual Result<void> remove_cursor(std::string_view sink) = 0;
  virtual Result<std::vector<Cursor>> cursors() = 0;
  virtual Result<std::optional<Cursor>> find_cursor(std::string_view sink) = 0;
  // The first cursor of a sink, and whether it needs rows from before the log. Durable.
  virtual Result<void> begin_cursor(std::string_view sink, Sequence sequence,
                                    std::optional<Time> past_since) = 0;
  // It has all of the past now.
  virtual Result<void> end_past(std::string_view sink) = 0;
  // Durable before the batch goes out, so that the same one comes again after a crash.
  virtual Result<void> plan_batch(std::string_view sink, Sequence last) = 0;
  // The sinks that are set up. The cursors of others stay where they are, but their rows are the
  // first to go when the budget is used up, whatever happens there otherwise.
  virtual Result<void> set_active_sinks(std::span<const std::string> sinks) = 0;

  // Deletes what every cursor has passed, at most `max_rows` at a time so that writers need not
  // wait long; nothing when there are no cursors. Returns how many.
  virtual Result<std::int64_t> trim(std::int64_t max_rows) = 0;
  virtual Result<Size> size() = 0;

  // The same sink and sequence again replaces the earlier one.
  virtual Result<void> add_dead_letters(std::span<const DeadLetter> letters) = 0;
  // An empty sink means all. Oldest first.
  virtual Result<std::vector<DeadLetter>> dead_letters(std::string_view sink,
                                                       std::size_t limit) = 0;
  virtual Result<std::int64_t> count_dead_letters(std::string_view sink) = 0;
  virtual Result<void> remove_dead_letter(std::string_view sink, Sequence sequence) = 0;
  // Puts the row, as it was or mended, at the end of the log for this sink alone, and removes the
  // letter, in one step. Errors: misconfigured (no such letter), malformed (not a row).
  virtual Result<Sequence> resend_dead_letter(std::string_view sink, Sequence sequence,
                                              const std::optional<std::string>& mended) = 0;
};

// When the row was stamped: its ingested_at, created_at or recorded_at. Null when it has none.
std::optional<Time> stamped_time(const schema::Row& row);

// What a row is about: its timestamp, exchange_ts or from. Null when it has none.
std::optional<Time> happened_at(const schema::Row& row);

// About how much memory and log a row takes.
std::size_t approximate_bytes(const schema::Row& row);

}  // namespace candlewick::log
