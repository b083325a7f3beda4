// What the log promises: order, durability, cursors, budget. The child process that is killed at
// random moments is a real one.
#include "log/sqlite_log.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include "log/testing.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"

namespace candlewick::log {
namespace {

using sqlite::TemporaryFolder;

std::vector<schema::Row> rows_of(const Page& page) {
  std::vector<schema::Row> rows;
  for (const auto& entry : page.entries) rows.push_back(entry.row);
  return rows;
}

class SqliteLog : public testing::Test {
 protected:
  TemporaryFolder folder;
  std::unique_ptr<Log> log = open_log(folder / "log.db");
};

TEST_F(SqliteLog, GivesBackWhatWasAppendedInOrderAfterReopening) {
  std::vector<schema::Row> all;
  ASSERT_TRUE(rc::check([&] {
    const auto batches =
        *rc::gen::resize(5, rc::gen::container<std::vector<std::vector<schema::Row>>>(
                                rc::gen::container<std::vector<schema::Row>>(any_row())));
    for (const auto& batch : batches) {
      const auto last = log->append(batch);
      RC_ASSERT(last.has_value());
      all.insert(all.end(), batch.begin(), batch.end());
      RC_ASSERT(*last == static_cast<Sequence>(all.size()));
    }
  }));
  log = open_log(folder / "log.db");
  Sequence after = 0;
  while (true) {
    const auto page = log->read(after, 3, 1000);
    ASSERT_TRUE(page);
    ASSERT_TRUE(page->unreadable.empty()) << page->unreadable.front().error.message;
    if (page->last == after) break;
    for (const auto& entry : page->entries) {
      ASSERT_EQ(entry.sequence, ++after);
      ASSERT_EQ(entry.row, all[static_cast<std::size_t>(after - 1)]);
    }
  }
  EXPECT_EQ(after, static_cast<Sequence>(all.size()));
  EXPECT_GT(after, 100);
}

TEST_F(SqliteLog, ReadsAtLeastOneRowHoweverSmallTheLimit) {
  ASSERT_TRUE(log->append(candle_rows(0, 3)));
  const auto page = log->read(0, 10, 1);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(log->read(0, 2, 1'000'000)->entries.size(), 2U);
  EXPECT_EQ(log->read(3, 2, 1'000'000)->last, 3);
}

TEST_F(SqliteLog, KeepsItsIdentityAndGivesEachLogAnother) {
  const std::string id(log->id());
  log.reset();
  EXPECT_EQ(open_log(folder / "log.db")->id(), id);
  EXPECT_NE(open_log(folder / "other.db")->id(), id);
}

TEST_F(SqliteLog, RemembersCursors) {
  EXPECT_FALSE(log->cursor("sqlite")->has_value());
  ASSERT_TRUE(log->set_cursor("sqlite", 7));
  ASSERT_TRUE(log->set_cursor("supabase", 3));
  ASSERT_TRUE(log->set_cursor("sqlite", 9));
  log = open_log(folder / "log.db");
  EXPECT_EQ(log->cursor("sqlite")->value(), 9);
  EXPECT_EQ(log->cursors().value(), (std::vector<Cursor>{{"sqlite", 9}, {"supabase", 3}}));
  ASSERT_TRUE(log->remove_cursor("sqlite"));
  EXPECT_EQ(log->cursors()->size(), 1U);
}

TEST_F(SqliteLog, TrimsOnlyWhatEverySinkHasRead) {
  ASSERT_TRUE(log->append(candle_rows(0, 100)));
  EXPECT_EQ(log->trim(1000).value(), 0) << "without cursors everything is kept";
  ASSERT_TRUE(log->set_cursor("fast", 90));
  ASSERT_TRUE(log->set_cursor("slow", 40));
  EXPECT_EQ(log->trim(25).value(), 25);
  EXPECT_EQ(log->trim(1000).value(), 15);
  EXPECT_EQ(log->read(0, 1, 1'000'000)->entries.front().sequence, 41);
  EXPECT_EQ(log->rows_after(0).value(), 60);
  EXPECT_EQ(log->rows_after(90).value(), 10);
}

TEST_F(SqliteLog, NeverUsesASequenceTwice) {
  ASSERT_TRUE(log->append(candle_rows(0, 10)));
  ASSERT_TRUE(log->set_cursor("sink", 10));
  ASSERT_TRUE(log->trim(1000));
  log = open_log(folder / "log.db");
  EXPECT_EQ(log->append(candle_rows(10, 1)).value(), 11);
}

TEST_F(SqliteLog, SetsUnreadableRowsAsideAndGoesOn) {
  ASSERT_TRUE(log->append(candle_rows(0, 1)));
  auto file = sqlite::Database::open({.path = folder / "log.db"});
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->execute(
      R"(INSERT INTO entry (sequence, payload) VALUES (2, '{"table":"unheard_of","a":1}'))"));
  ASSERT_TRUE(log->append(candle_rows(1, 1)));
  const auto page = log->read(0, 10, 1'000'000);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 2U);
  ASSERT_EQ(page->unreadable.size(), 1U);
  EXPECT_EQ(page->unreadable[0].sequence, 2);
  EXPECT_EQ(page->unreadable[0].error.kind, ErrorKind::malformed);
  EXPECT_EQ(page->last, 3);
}

TEST_F(SqliteLog, KeepsDeadLetters) {
  const DeadLetter letter{.sink = "supabase",
                          .sequence = 5,
                          .text = "{}",
                          .kind = ErrorKind::rejected,
                          .reason = "too long",
                          .recorded_at = at_minute(3)};
  ASSERT_TRUE(log->add_dead_letters({&letter, 1}));
  ASSERT_TRUE(log->add_dead_letters({&letter, 1})) << "the same again is one";
  const auto letters = log->dead_letters("", 10);
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 1U);
  EXPECT_EQ(letters->front().reason, "too long");
  EXPECT_EQ(letters->front().recorded_at, at_minute(3));
  EXPECT_EQ(log->count_dead_letters("sqlite").value(), 0);
  EXPECT_EQ(log->count_dead_letters("supabase").value(), 1);
  ASSERT_TRUE(log->remove_dead_letter("supabase", 5));
  EXPECT_EQ(log->count_dead_letters("").value(), 0);
}

TEST_F(SqliteLog, RefusesRowsBeyondItsBudgetAndNamesTheSlowestSink) {
  log = open_log({.path = folder / "small.db", .budget_bytes = 400'000});
  ASSERT_TRUE(log->set_cursor("fast", 5));
  ASSERT_TRUE(log->set_cursor("snowflake", 0));
  Result<Sequence> outcome = Sequence{0};
  for (std::int64_t i = 0; i < 100 && outcome; ++i)
    outcome = log->append(candle_rows(i * 100, 100));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::transient);
  EXPECT_NE(outcome.error().message.find("snowflake"), std::string::npos)
      << outcome.error().message;
  const auto size = log->size();
  EXPECT_LT(size->bytes, 500'000U);
  EXPECT_EQ(size->dropped_rows, 0);

  const Sequence last = log->last_sequence().value();
  ASSERT_TRUE(log->set_cursor("snowflake", last));
  ASSERT_TRUE(log->set_cursor("fast", last));
  EXPECT_TRUE(log->append(candle_rows(0, 100))) << "what was read makes room";
}

TEST_F(SqliteLog, GivesUpTheOldestRowsWhenToldTo) {
  log = open_log(
      {.path = folder / "small.db", .budget_bytes = 400'000, .at_budget = AtBudget::drop_oldest});
  ASSERT_TRUE(log->set_cursor("snowflake", 0));
  for (std::int64_t i = 0; i < 50; ++i) ASSERT_TRUE(log->append(candle_rows(i * 100, 100)));
  const auto size = log->size();
  EXPECT_LT(size->bytes, 500'000U);
  EXPECT_GT(size->dropped_rows, 0);
  EXPECT_EQ(log->last_sequence().value(), 5000);
  EXPECT_EQ(log->rows_after(0).value() + size->dropped_rows, 5000);
}

TEST_F(SqliteLog, RefusesALogMadeByANewerProgram) {
  ASSERT_TRUE(sqlite::Database::open({.path = folder / "log.db"})
                  .value()
                  ->execute("PRAGMA user_version = 3"));
  const auto opened = open_sqlite_log({.path = folder / "log.db"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(opened.error().message.find("newer"), std::string::npos);
}

TEST_F(SqliteLog, RefusesADatabaseOfSomebodyElse) {
  ASSERT_TRUE(sqlite::Database::open({.path = folder / "theirs.db"})
                  .value()
                  ->execute("CREATE TABLE t (a)"));
  const auto opened = open_sqlite_log({.path = folder / "theirs.db"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
}

TEST_F(SqliteLog, ChargesEachSinkWithTheRowsThatItLacked) {
  log = open_log(
      {.path = folder / "log.db", .budget_bytes = 400'000, .at_budget = AtBudget::drop_oldest});
  ASSERT_TRUE(log->append(candle_rows(0, 100)));
  ASSERT_TRUE(log->set_cursor("slow", 0));
  ASSERT_TRUE(log->set_cursor("slower", 40));
  ASSERT_TRUE(log->set_cursor("quick", 100));
  for (std::int64_t i = 1; i < 40; ++i) {
    ASSERT_TRUE(log->append(candle_rows(i * 100, 100)));
    ASSERT_TRUE(log->set_cursor("quick", (i + 1) * 100));
  }
  const auto first = log->read(0, 1, 1)->entries.front().sequence;
  ASSERT_GT(first, 100);
  EXPECT_EQ(log->find_cursor("slow").value()->dropped_rows, first - 1);
  EXPECT_EQ(log->find_cursor("slow").value()->sequence, first - 1);
  EXPECT_EQ(log->find_cursor("slower").value()->dropped_rows, first - 1 - 40);
  EXPECT_EQ(log->find_cursor("quick").value()->dropped_rows, 0) << "it lacks nothing";
  EXPECT_EQ(log->size()->dropped_rows, first - 1);
}

TEST_F(SqliteLog, GivesUpTheRowsOfSinksThatAreNotSetUpBeforeItRefuses) {
  log = open_log({.path = folder / "log.db", .budget_bytes = 400'000});
  ASSERT_TRUE(log->set_cursor("gone", 0));
  ASSERT_TRUE(log->set_cursor("here", 0));
  ASSERT_TRUE(log->set_active_sinks(std::vector<std::string>{"here"}));
  std::int64_t rows = 0;
  for (; rows < 4000; rows += 100) {
    ASSERT_TRUE(log->append(candle_rows(rows, 100))) << "nobody waits for one who is gone";
    ASSERT_TRUE(log->set_cursor("here", rows + 100));
  }
  EXPECT_GT(log->find_cursor("gone").value()->dropped_rows, 0);
  EXPECT_EQ(log->find_cursor("here").value()->dropped_rows, 0);
  EXPECT_FALSE(log->find_cursor("gone").value()->is_active);
  Result<Sequence> appended = rows;
  for (; appended && rows < 20'000; rows += 100) appended = log->append(candle_rows(rows, 100));
  ASSERT_FALSE(appended) << "the one that is here lags now";
  EXPECT_EQ(log->find_cursor("here").value()->dropped_rows, 0);
  EXPECT_NE(appended.error().message.find("sink here is"), std::string::npos);
  EXPECT_TRUE(log->size()->is_full());
  EXPECT_FALSE(log->size()->has_room());
}

TEST_F(SqliteLog, PutsADeadLetterBackForItsSinkAlone) {
  ASSERT_TRUE(log->append(candle_rows(0, 3)));
  ASSERT_TRUE(log->set_cursor("sink", 3));
  const auto row = candle_rows(1, 1).front();
  const DeadLetter letter{.sink = "sink",
                          .sequence = 2,
                          .text = schema::to_json(row),
                          .reason = "no",
                          .recorded_at = at_minute(5)};
  ASSERT_TRUE(log->add_dead_letters({&letter, 1}));
  const auto unknown = log->resend_dead_letter("sink", 3, std::nullopt);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::misconfigured);
  const auto nonsense = log->resend_dead_letter("sink", 2, R"({"table":"paper"})");
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().kind, ErrorKind::malformed);
  EXPECT_EQ(log->count_dead_letters("sink").value(), 1) << "nothing was done by halves";
  EXPECT_EQ(log->last_sequence().value(), 3);

  EXPECT_EQ(log->resend_dead_letter("sink", 2, std::nullopt).value(), 4);
  EXPECT_EQ(log->count_dead_letters("sink").value(), 0);
  const auto seen = log->read_for("sink", 3, 10, 10'000);
  ASSERT_EQ(seen->entries.size(), 1U);
  EXPECT_EQ(seen->entries.front(), (Entry{4, row}));
  const auto by_another = log->read_for("another", 3, 10, 10'000);
  EXPECT_TRUE(by_another->entries.empty());
  EXPECT_EQ(by_another->last, 4) << "it goes on behind it";
}

TEST_F(SqliteLog, RemembersWhereASinkBeginsAndWhatItPlanned) {
  ASSERT_TRUE(log->begin_cursor("sink", 17, at_minute(3)));
  ASSERT_TRUE(log->begin_cursor("sink", 99, std::nullopt));
  ASSERT_TRUE(log->plan_batch("sink", 20));
  log = open_log(folder / "log.db");
  EXPECT_EQ(log->find_cursor("sink").value(),
            (Cursor{.sink = "sink", .sequence = 17, .past_since = at_minute(3), .planned = 20}));
  ASSERT_TRUE(log->set_cursor("sink", 18));
  ASSERT_TRUE(log->end_past("sink"));
  EXPECT_EQ(log->find_cursor("sink").value(),
            (Cursor{.sink = "sink", .sequence = 18, .planned = 20}));
  EXPECT_EQ(log->find_cursor("other").value(), std::nullopt);
}

TEST_F(SqliteLog, GoesOnWithALogOfFormatOne) {
  log.reset();
  {
    auto database = sqlite::Database::open({.path = folder / "old.db"}).value();
    ASSERT_TRUE(database->execute(
        "CREATE TABLE entry (sequence INTEGER PRIMARY KEY, payload TEXT NOT NULL) STRICT;"
        "CREATE TABLE sink_cursor (sink TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, "
        "WITHOUT ROWID;"
        "CREATE TABLE dead_letter (sink TEXT NOT NULL, sequence INTEGER NOT NULL, payload TEXT NOT "
        "NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, recorded_at INTEGER NOT NULL, "
        "PRIMARY KEY (sink, sequence)) STRICT;"
        "CREATE TABLE log_identity (id TEXT NOT NULL, dropped_rows INTEGER NOT NULL) STRICT;"
        "INSERT INTO log_identity VALUES ('the old one', 5);"
        "INSERT INTO sink_cursor VALUES ('sqlite', 1);"
        "PRAGMA application_id = 0x43574C47; PRAGMA user_version = 1;"));
    auto insert = database->prepare("INSERT INTO entry VALUES (?, ?)").value();
    for (std::int64_t i = 0; i < 2; ++i) {
      const auto text = schema::to_json(candle_rows(i, 1).front());
      insert.bind(1, i + 1);
      insert.bind(2, std::string_view(text));
      ASSERT_TRUE(insert.run());
    }
  }
  for (int times = 0; times < 2; ++times) {
    log = open_log(folder / "old.db");
    ASSERT_NE(log, nullptr);
    EXPECT_EQ(log->id(), "the old one");
    EXPECT_EQ(log->cursors().value(), (std::vector<Cursor>{{.sink = "sqlite", .sequence = 1}}));
    EXPECT_EQ(log->read_for("sqlite", 1, 10, 10'000)->entries.size(), 1U);
    EXPECT_EQ(log->size()->dropped_rows, 5);
  }
}

// The child tells each acknowledged sequence through a pipe and is killed in the middle of its
// work.
TEST_F(SqliteLog, HasEveryAcknowledgedRowAfterBeingKilled) {
  log.reset();
  std::mt19937 random(7);
  Sequence acknowledged = 0;
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      auto opened = open_sqlite_log({.path = folder / "log.db"});
      if (!opened) _exit(1);
      std::int64_t minute = (*opened)->last_sequence().value_or(0);
      while (true) {
        const auto last = (*opened)->append(candle_rows(minute, 7));
        if (!last) _exit(1);
        minute = *last;
        if (write(ends[1], &*last, sizeof(*last)) != sizeof(*last)) _exit(1);
      }
    }
    close(ends[1]);
    const auto batches = 1 + random() % 40;
    for (std::size_t i = 0; i < batches; ++i) {
      Sequence told = 0;
      ASSERT_EQ(read(ends[0], &told, sizeof(told)), static_cast<ssize_t>(sizeof(told)));
      acknowledged = told;
    }
    for (auto spin = random() % 200'000; spin > 0; --spin) {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    kill(child, SIGKILL);
    Sequence told = 0;
    while (read(ends[0], &told, sizeof(told)) == static_cast<ssize_t>(sizeof(told)))
      acknowledged = told;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));

    auto again = open_log(folder / "log.db");
    const auto page = again->read(0, 1'000'000, 1'000'000'000);
    ASSERT_TRUE(page);
    ASSERT_TRUE(page->unreadable.empty());
    ASSERT_GE(page->last, acknowledged);
    EXPECT_EQ(page->last % 7, 0) << "a batch is there whole or not at all";
    EXPECT_EQ(rows_of(*page), candle_rows(0, page->last)) << "every row once, in order";
    EXPECT_EQ(
        sqlite::Database::open({.path = folder / "log.db"})
            .value()
            ->integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'")
            .value(),
        0);
  }
}

TEST_F(SqliteLog, ShowsAReaderOnlyWholeBatchesWhileItIsWritten) {
  constexpr std::int64_t batches = 60;
  std::thread writer([this] {
    for (std::int64_t i = 0; i < batches; ++i) {
      if (!log->append(candle_rows(i * 10, 10))) return;
    }
  });
  auto reader = open_log(folder / "log.db");
  Sequence seen = 0;
  while (seen < batches * 10) {
    const auto page = reader->read(seen, 1'000'000, 1'000'000'000);
    ASSERT_TRUE(page) << page.error().message;
    ASSERT_EQ(page->last % 10, 0);
    ASSERT_EQ(rows_of(*page), candle_rows(seen, page->last - seen));
    seen = page->last;
    ASSERT_TRUE(reader->set_cursor("sink", seen));
  }
  writer.join();
  EXPECT_EQ(seen, batches * 10);
}

}  // namespace
}  // namespace candlewick::log
