// Sequences are given here, inside the write transaction, and the newest entry is never trimmed:
// so numbers have no holes, several processes may append, and none is used twice.
//
// Only what must survive the loss of power is synced: rows and dead letters. Cursors and trimming
// are not: losing the newest of those only means that some work is done again.
#include "log/sqlite_log.h"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

#include "sqlite/database.h"

namespace candlewick::log {
namespace {

constexpr std::int64_t format_version = 2;
constexpr std::int64_t application_id = 0x43574C47;  // "CWLG"
constexpr std::int64_t page_size = 16'384;

constexpr const char* make_tables = R"sql(
CREATE TABLE entry (
  sequence INTEGER PRIMARY KEY,
  payload TEXT NOT NULL,
  sink TEXT -- put back for that one; null: for all
) STRICT;
CREATE TABLE sink_cursor (
  sink TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  dropped_rows INTEGER NOT NULL DEFAULT 0,
  is_active INTEGER NOT NULL DEFAULT 1,
  past_since INTEGER, -- microseconds
  planned INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letter (
  sink TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  payload TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  recorded_at INTEGER NOT NULL, -- microseconds
  PRIMARY KEY (sink, sequence)
) STRICT;
CREATE TABLE log_identity (id TEXT NOT NULL, dropped_rows INTEGER NOT NULL) STRICT;
INSERT INTO log_identity VALUES (lower(hex(randomblob(16))), 0);
)sql";

// A log of format 1.
constexpr const char* from_format_1 = R"sql(
ALTER TABLE entry ADD COLUMN sink TEXT;
ALTER TABLE sink_cursor ADD COLUMN dropped_rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sink_cursor ADD COLUMN is_active INTEGER NOT NULL DEFAULT 1;
ALTER TABLE sink_cursor ADD COLUMN past_since INTEGER;
ALTER TABLE sink_cursor ADD COLUMN planned INTEGER;
PRAGMA user_version = 2;
)sql";

constexpr std::string_view cursor_columns =
    "SELECT sink, sequence, dropped_rows, is_active, past_since, planned FROM sink_cursor";

Cursor cursor_of(const sqlite::Statement& row) {
  Cursor cursor{.sink = std::string(row.text(0)),
                .sequence = row.integer(1),
                .dropped_rows = row.integer(2),
                .is_active = row.integer(3) != 0};
  if (!row.is_null(4)) cursor.past_since = time_from_us(row.integer(4));
  if (!row.is_null(5)) cursor.planned = row.integer(5);
  return cursor;
}

ErrorKind parse_kind(std::string_view text) {
  for (const auto kind : {ErrorKind::transient, ErrorKind::malformed, ErrorKind::misconfigured}) {
    if (text == to_text(kind)) return kind;
  }
  return ErrorKind::rejected;
}

class SqliteLog final : public Log {
 public:
  explicit SqliteLog(SqliteLogOptions options) : options_(std::move(options)) {}

  Result<void> open();

  std::string_view id() const override { return id_; }
  Result<Sequence> append(std::span<const schema::Row> rows) override;
  Result<Page> read(Sequence after, std::size_t max_rows, std::size_t max_bytes) override {
    return read_page(std::nullopt, after, max_rows, max_bytes);
  }
  Result<Page> read_for(std::string_view sink, Sequence after, std::size_t max_rows,
                        std::size_t max_bytes) override {
    return read_page(sink, after, max_rows, max_bytes);
  }
  Result<Sequence> last_sequence() override { return integer(last_); }
  Result<std::int64_t> rows_after(Sequence after) override;
  Result<std::optional<Sequence>> cursor(std::string_view sink) override;
  Result<void> set_cursor(std::string_view sink, Sequence sequence) override;
  Result<void> remove_cursor(std::string_view sink) override;
  Result<std::vector<Cursor>> cursors() override;
  Result<std::optional<Cursor>> find_cursor(std::string_view sink) override;
  Result<void> begin_cursor(std::string_view sink, Sequence sequence,
                            std::optional<Time> past_since) override;
  Result<void> end_past(std::string_view sink) override;
  Result<void> plan_batch(std::string_view sink, Sequence last) override;
  Result<void> set_active_sinks(std::span<const std::string> sinks) override;
  Result<std::int64_t> trim(std::int64_t max_rows) override;
  Result<Size> size() override;
  Result<void> add_dead_letters(std::span<const DeadLetter> letters) override;
  Result<std::vector<DeadLetter>> dead_letters(std::string_view sink, std::size_t limit) override;
  Result<std::int64_t> count_dead_letters(std::string_view sink) override;
  Result<void> remove_dead_letter(std::string_view sink, Sequence sequence) override;
  Result<Sequence> resend_dead_letter(std::string_view sink, Sequence sequence,
                                      const std::optional<std::string>& mended) override;

 private:
  Result<Page> read_page(std::optional<std::string_view> sink, Sequence after, std::size_t max_rows,
                         std::size_t max_bytes);
  Result<void> make_or_check();
  Result<void> prepare();
  Result<std::int64_t> integer(sqlite::Statement& statement);
  Result<void> sync_commits(bool wanted);
  Result<std::uint64_t> used_bytes();
  Result<void> make_room();
  Result<std::int64_t> drop_oldest(std::int64_t rows, bool only_of_inactive);
  Result<std::string> who_is_behind();

  const SqliteLogOptions options_;
  std::string id_;
  bool commits_are_synced_ = true;
  std::unique_ptr<sqlite::Database> database_;
  schema::RowReader reader_;
  std::string payload_;
  sqlite::Statement insert_, select_, first_, last_, delete_up_to_;
  sqlite::Statement page_count_, free_pages_;
  sqlite::Statement cursor_, find_cursor_, set_cursor_, smallest_cursor_, plan_;
};

Result<void> SqliteLog::open() {
  std::error_code ignored;  // opening the file tells it better
  if (options_.path.has_parent_path()) {
    std::filesystem::create_directories(options_.path.parent_path(), ignored);
  }
  auto opened = sqlite::Database::open({.path = options_.path,
                                        .busy_timeout = options_.busy_timeout,
                                        .max_pages = options_.max_pages,
                                        .page_size = page_size});
  if (!opened) return within("log", std::move(opened.error()));
  database_ = std::move(*opened);
  if (auto made = make_or_check(); !made) return within("log", std::move(made.error()));
  return prepare();
}

Result<void> SqliteLog::make_or_check() {
  const auto version = database_->integer("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version == 0) {
    sqlite::Transaction transaction(*database_);
    // Another thread may have been faster.
    const auto tables = database_->integer("SELECT count(*) FROM sqlite_schema");
    if (!tables) return fail(tables.error());
    const auto now = database_->integer("PRAGMA user_version");
    if (!now) return fail(now.error());
    if (*now == 0) {
      if (*tables != 0) {
        return fail(ErrorKind::misconfigured, "{}: is a database, but no log of Candlewick's",
                    options_.path.string());
      }
      transaction.execute(make_tables);
      transaction.execute(fmt::format("PRAGMA application_id = {}", application_id));
      transaction.execute(fmt::format("PRAGMA user_version = {}", format_version));
    }
    if (auto done = transaction.commit(); !done) return done;
  }
  if (*version == 1) {
    sqlite::Transaction transaction(*database_);
    const auto now = transaction.ok() ? database_->integer("PRAGMA user_version")
                                      : Result<std::int64_t>(format_version);
    if (now && *now == 1) transaction.execute(from_format_1);
    if (auto done = transaction.commit(); !done) return done;
  }
  const auto application = database_->integer("PRAGMA application_id");
  if (!application) return fail(application.error());
  if (*application != application_id) {
    return fail(ErrorKind::misconfigured, "{}: is a database, but no log of Candlewick's",
                options_.path.string());
  }
  if (version && *version > format_version) {
    return fail(ErrorKind::misconfigured,
                "{}: made by a newer version (format {}, this program knows {})",
                options_.path.string(), *version, format_version);
  }
  return {};
}

Result<void> SqliteLog::prepare() {
  auto prepared = sqlite::prepare_all(
      *database_,
      {{insert_, "INSERT INTO entry (sequence, payload) VALUES (?, ?)"},
       {select_,
        "SELECT sequence, payload, sink FROM entry WHERE sequence > ? ORDER BY sequence LIMIT ?"},
       {first_, "SELECT min(sequence) FROM entry"},
       {last_, "SELECT max(sequence) FROM entry"},
       {delete_up_to_, "DELETE FROM entry WHERE sequence <= ?"},
       {page_count_, "PRAGMA page_count"},
       {free_pages_, "PRAGMA freelist_count"},
       {cursor_, "SELECT sequence FROM sink_cursor WHERE sink = ?"},
       {find_cursor_, fmt::format("{} WHERE sink = ?", cursor_columns)},
       {plan_, "UPDATE sink_cursor SET planned = ?2 WHERE sink = ?1"},
       {set_cursor_,
        "INSERT INTO sink_cursor (sink, sequence) VALUES (?, ?) "
        "ON CONFLICT (sink) DO UPDATE SET sequence = excluded.sequence"},
       {smallest_cursor_, "SELECT min(sequence) FROM sink_cursor"}});
  if (!prepared) return within("log", std::move(prepared.error()));
  auto identity = database_->prepare("SELECT id FROM log_identity");
  if (!identity) return within("log", std::move(identity.error()));
  if (const auto row = identity->step(); !row) return within("log", row.error());
  id_ = identity->text(0);
  return {};
}

// The first cell of the first row, 0 for none; ready again.
Result<std::int64_t> SqliteLog::integer(sqlite::Statement& statement) {
  const auto row = statement.step();
  const std::int64_t value = row && *row ? statement.integer(0) : 0;
  statement.reset();
  if (!row) return fail(row.error());
  return value;
}

Result<void> SqliteLog::sync_commits(bool wanted) {
  if (wanted == commits_are_synced_) return {};
  auto set =
      database_->execute(wanted ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  if (set) commits_are_synced_ = wanted;
  return set;
}

Result<Sequence> SqliteLog::append(std::span<const schema::Row> rows) {
  if (auto room = make_room(); !room) return fail(std::move(room.error()));
  if (auto set = sync_commits(true); !set) return fail(std::move(set.error()));
  sqlite::Transaction transaction(*database_);
  const auto last = transaction.ok() ? integer(last_) : Result<std::int64_t>(0);
  if (!last) return fail(last.error());
  Sequence sequence = *last;
  for (const auto& row : rows) {
    if (!transaction.ok()) break;
    payload_.clear();
    schema::append_json(payload_, row);
    insert_.bind(1, ++sequence);
    insert_.bind(2, std::string_view(payload_));
    transaction.run(insert_);
  }
  if (auto done = transaction.commit(); !done) return within("log", std::move(done.error()));
  return sequence;
}

Result<Page> SqliteLog::read_page(std::optional<std::string_view> sink, Sequence after,
                                  std::size_t max_rows, std::size_t max_bytes) {
  Page page{.entries = {}, .unreadable = {}, .last = after, .bytes = 0};
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  select_.bind(1, after);
  select_.bind(2, static_cast<std::int64_t>(std::min(max_rows, most)));
  while (true) {
    const auto row = select_.step();
    if (!row) {
      select_.reset();
      return within("log", row.error());
    }
    if (!*row) break;
    const auto text = select_.text(1);
    if (page.last != after && page.bytes + text.size() > max_bytes) break;
    page.last = select_.integer(0);
    if (sink && !select_.is_null(2) && select_.text(2) != *sink) continue;
    page.bytes += text.size();
    auto read = reader_.read(text);
    if (read) {
      page.entries.push_back({page.last, std::move(*read)});
    } else {
      page.unreadable.push_back({page.last, std::string(text), std::move(read.error())});
    }
  }
  select_.reset();
  return page;
}

Result<std::int64_t> SqliteLog::rows_after(Sequence after) {
  const auto first = integer(first_);
  if (!first) return first;
  const auto last = integer(last_);
  if (!last || *last == 0) return last;
  return std::max<std::int64_t>(0, *last - std::max(after, *first - 1));
}

Result<std::optional<Sequence>> SqliteLog::cursor(std::string_view sink) {
  cursor_.bind(1, sink);
  const auto row = cursor_.step();
  std::optional<Sequence> sequence;
  if (row && *row) sequence = cursor_.integer(0);
  cursor_.reset();
  if (!row) return within("log", row.error());
  return sequence;
}

Result<void> SqliteLog::set_cursor(std::string_view sink, Sequence sequence) {
  if (auto set = sync_commits(false); !set) return set;
  set_cursor_.bind(1, sink);
  set_cursor_.bind(2, sequence);
  auto done = set_cursor_.run();
  if (!done) return within("log", std::move(done.error()));
  return done;
}

Result<void> SqliteLog::remove_cursor(std::string_view sink) {
  auto statement = database_->prepare("DELETE FROM sink_cursor WHERE sink = ?");
  if (!statement) return within("log", std::move(statement.error()));
  statement->bind(1, sink);
  return statement->run();
}

Result<std::vector<Cursor>> SqliteLog::cursors() {
  auto statement = database_->prepare(fmt::format("{} ORDER BY sink", cursor_columns));
  if (!statement) return within("log", std::move(statement.error()));
  std::vector<Cursor> cursors;
  while (true) {
    const auto row = statement->step();
    if (!row) return within("log", row.error());
    if (!*row) return cursors;
    cursors.push_back(cursor_of(*statement));
  }
}

Result<std::optional<Cursor>> SqliteLog::find_cursor(std::string_view sink) {
  find_cursor_.bind(1, sink);
  const auto row = find_cursor_.step();
  std::optional<Cursor> cursor;
  if (row && *row) cursor = cursor_of(find_cursor_);
  find_cursor_.reset();
  if (!row) return within("log", row.error());
  return cursor;
}

Result<void> SqliteLog::begin_cursor(std::string_view sink, Sequence sequence,
                                     std::optional<Time> past_since) {
  if (auto set = sync_commits(true); !set) return set;
  auto statement = database_->prepare(
      "INSERT INTO sink_cursor (sink, sequence, past_since) VALUES (?, ?, ?) "
      "ON CONFLICT (sink) DO NOTHING");
  if (!statement) return within("log", std::move(statement.error()));
  statement->bind(1, sink);
  statement->bind(2, sequence);
  if (past_since) {
    statement->bind(3, to_us(*past_since));
  } else {
    statement->bind_null(3);
  }
  return statement->run();
}

Result<void> SqliteLog::end_past(std::string_view sink) {
  if (auto set = sync_commits(true); !set) return set;
  auto statement = database_->prepare("UPDATE sink_cursor SET past_since = NULL WHERE sink = ?");
  if (!statement) return within("log", std::move(statement.error()));
  statement->bind(1, sink);
  return statement->run();
}

Result<void> SqliteLog::plan_batch(std::string_view sink, Sequence last) {
  if (auto set = sync_commits(true); !set) return set;
  plan_.bind(1, sink);
  plan_.bind(2, last);
  auto done = plan_.run();
  if (!done) return within("log", std::move(done.error()));
  return done;
}

Result<void> SqliteLog::set_active_sinks(std::span<const std::string> sinks) {
  auto statement = database_->prepare("UPDATE sink_cursor SET is_active = 1 WHERE sink = ?");
  if (!statement) return within("log", std::move(statement.error()));
  sqlite::Transaction transaction(*database_);
  transaction.execute("UPDATE sink_cursor SET is_active = 0");
  for (const auto& sink : sinks) {
    statement->bind(1, std::string_view(sink));
    transaction.run(*statement);
  }
  return transaction.commit();
}

Result<std::int64_t> SqliteLog::trim(std::int64_t max_rows) {
  const auto passed = integer(smallest_cursor_);
  if (!passed) return passed;
  const auto first = integer(first_);
  if (!first) return first;
  const auto last = integer(last_);
  if (!last) return last;
  const Sequence up_to = std::min({*passed, *last - 1, *first + max_rows - 1});
  if (*first == 0 || up_to < *first) return std::int64_t{0};
  if (auto set = sync_commits(false); !set) return fail(std::move(set.error()));
  delete_up_to_.bind(1, up_to);
  if (auto deleted = delete_up_to_.run(); !deleted) return within("log", deleted.error());
  return database_->changes();
}

// Pages that hold something: freed ones are used again before the file grows.
Result<std::uint64_t> SqliteLog::used_bytes() {
  const auto pages = integer(page_count_);
  if (!pages) return fail(pages.error());
  const auto free = integer(free_pages_);
  if (!free) return fail(free.error());
  return static_cast<std::uint64_t>((*pages - *free) * page_size);
}

Result<Size> SqliteLog::size() {
  const auto bytes = used_bytes();
  if (!bytes) return fail(bytes.error());
  const auto dropped = database_->integer("SELECT dropped_rows FROM log_identity");
  if (!dropped) return fail(dropped.error());
  return Size{.bytes = *bytes, .budget_bytes = options_.budget_bytes, .dropped_rows = *dropped};
}

Result<void> SqliteLog::make_room() {
  constexpr std::int64_t step = 10'000;
  if (options_.budget_bytes == 0) return {};
  while (true) {
    const auto used = used_bytes();
    if (!used) return fail(used.error());
    if (*used < options_.budget_bytes) return {};
    const auto trimmed = trim(step);
    if (!trimmed) return fail(trimmed.error());
    if (*trimmed > 0) continue;
    const auto forgotten = drop_oldest(step, true);
    if (!forgotten) return fail(forgotten.error());
    if (*forgotten > 0) continue;
    if (options_.at_budget == AtBudget::refuse) {
      const auto behind = who_is_behind();
      if (!behind) return fail(behind.error());
      return fail(ErrorKind::transient, "log: the disk budget of {} bytes is used up: {}",
                  options_.budget_bytes, *behind);
    }
    const auto kept = rows_after(0);
    if (!kept) return fail(kept.error());
    if (*kept <= 1) return {};  // one row larger than the budget
    const auto dropped = drop_oldest(std::min(step, (*kept + 9) / 10), false);
    if (!dropped) return fail(dropped.error());
  }
}

// Each sink is charged with those that it lacked. Answers how many rows are gone.
Result<std::int64_t> SqliteLog::drop_oldest(std::int64_t rows, bool only_of_inactive) {
  const auto first = integer(first_);
  if (!first) return first;
  const auto last = integer(last_);
  if (!last) return last;
  Sequence up_to = std::min(*first + rows - 1, *last - 1);
  if (only_of_inactive) {
    const auto needed = database_->integer(
        "SELECT min(coalesce((SELECT min(sequence) FROM sink_cursor WHERE is_active = 1), 0), "
        "iif(EXISTS (SELECT 1 FROM sink_cursor WHERE is_active = 0), 9223372036854775807, 0))");
    if (!needed) return needed;
    up_to = std::min(up_to, *needed);
  }
  if (*first == 0 || up_to < *first) return std::int64_t{0};
  sqlite::Transaction transaction(*database_);
  delete_up_to_.bind(1, up_to);
  transaction.run(delete_up_to_);
  const std::int64_t gone = database_->changes();
  transaction.execute(
      fmt::format("UPDATE log_identity SET dropped_rows = dropped_rows + {}", gone));
  transaction.execute(
      fmt::format("UPDATE sink_cursor SET dropped_rows = dropped_rows + {0} - max(sequence, {1}), "
                  "sequence = {0} WHERE sequence < {0}",
                  up_to, *first - 1));
  if (auto done = transaction.commit(); !done) return fail(std::move(done.error()));
  return gone;
}

Result<std::string> SqliteLog::who_is_behind() {
  const auto known = cursors();
  if (!known) return fail(known.error());
  if (known->empty()) return std::string("no sink is set up to read it");
  const auto slowest = std::ranges::min_element(*known, {}, [](const Cursor& cursor) {
    return std::pair(!cursor.is_active, cursor.sequence);
  });
  const auto behind = rows_after(slowest->sequence);
  if (!behind) return fail(behind.error());
  return fmt::format("sink {} is {} rows behind", slowest->sink, *behind);
}

Result<void> SqliteLog::add_dead_letters(std::span<const DeadLetter> letters) {
  if (auto set = sync_commits(true); !set) return set;
  auto statement =
      database_->prepare("INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?, ?, ?)");
  if (!statement) return within("log", std::move(statement.error()));
  sqlite::Transaction transaction(*database_);
  for (const auto& letter : letters) {
    statement->bind(1, std::string_view(letter.sink));
    statement->bind(2, letter.sequence);
    statement->bind(3, std::string_view(letter.text));
    statement->bind(4, to_text(letter.kind));
    statement->bind(5, std::string_view(letter.reason));
    statement->bind(6, to_us(letter.recorded_at));
    transaction.run(*statement);
  }
  return transaction.commit();
}

Result<std::vector<DeadLetter>> SqliteLog::dead_letters(std::string_view sink, std::size_t limit) {
  auto statement = database_->prepare(
      "SELECT sink, sequence, payload, kind, reason, recorded_at FROM dead_letter "
      "WHERE ?1 = '' OR sink = ?1 ORDER BY sequence, sink LIMIT ?2");
  if (!statement) return within("log", std::move(statement.error()));
  statement->bind(1, sink);
  statement->bind(2, static_cast<std::int64_t>(limit));
  std::vector<DeadLetter> letters;
  while (true) {
    const auto row = statement->step();
    if (!row) return within("log", row.error());
    if (!*row) return letters;
    letters.push_back({.sink = std::string(statement->text(0)),
                       .sequence = statement->integer(1),
                       .text = std::string(statement->text(2)),
                       .kind = parse_kind(statement->text(3)),
                       .reason = std::string(statement->text(4)),
                       .recorded_at = time_from_us(statement->integer(5))});
  }
}

Result<std::int64_t> SqliteLog::count_dead_letters(std::string_view sink) {
  auto statement =
      database_->prepare("SELECT count(*) FROM dead_letter WHERE ?1 = '' OR sink = ?1");
  if (!statement) return within("log", std::move(statement.error()));
  statement->bind(1, sink);
  return integer(*statement);
}

Result<void> SqliteLog::remove_dead_letter(std::string_view sink, Sequence sequence) {
  auto statement = database_->prepare("DELETE FROM dead_letter WHERE sink = ? AND sequence = ?");
  if (!statement) return within("log", std::move(statement.error()));
  statement->bind(1, sink);
  statement->bind(2, sequence);
  return statement->run();
}

Result<Sequence> SqliteLog::resend_dead_letter(std::string_view sink, Sequence sequence,
                                               const std::optional<std::string>& mended) {
  if (mended) {
    if (const auto row = reader_.read(*mended); !row) return within("the row", row.error());
  }
  if (auto set = sync_commits(true); !set) return fail(std::move(set.error()));
  auto put = database_->prepare(
      "INSERT INTO entry (sequence, payload, sink) "
      "SELECT ?1 + 1, coalesce(?2, payload), sink FROM dead_letter WHERE sink = ?3 AND sequence = "
      "?4");
  if (!put) return within("log", std::move(put.error()));
  sqlite::Transaction transaction(*database_);
  const auto last = transaction.ok() ? integer(last_) : Result<std::int64_t>(0);
  if (!last) return fail(last.error());
  put->bind(1, *last);
  if (mended) {
    put->bind(2, std::string_view(*mended));
  } else {
    put->bind_null(2);
  }
  put->bind(3, sink);
  put->bind(4, sequence);
  transaction.run(*put);
  if (transaction.ok() && database_->changes() == 0) {
    transaction.fail({ErrorKind::misconfigured,
                      fmt::format("there is no dead letter {} of sink {}", sequence, sink)});
  }
  if (transaction.ok()) transaction.check(remove_dead_letter(sink, sequence));
  if (auto done = transaction.commit(); !done) return fail(std::move(done.error()));
  return *last + 1;
}

}  // namespace

Result<std::unique_ptr<Log>> open_sqlite_log(const SqliteLogOptions& options) {
  auto log = std::make_unique<SqliteLog>(options);
  if (auto opened = log->open(); !opened) return fail(std::move(opened.error()));
  return std::unique_ptr<Log>(std::move(log));
}

}  // namespace candlewick::log
