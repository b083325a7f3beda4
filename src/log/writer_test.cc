// The log thread: order, groups, a full door, a full disk, a clean end.
#include "log/writer.h"

#include <gtest/gtest.h>

#include <atomic>

#include "log/testing.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"

namespace candlewick::log {
namespace {

using sqlite::TemporaryFolder;
using std::chrono::milliseconds;

// A log in front of a real one that fails as long as it is told to, and lets a test stop it.
class FaultyLog final : public Log {
 public:
  struct Switch {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Error> error;
    bool is_held = false;
    int attempts = 0;
    std::size_t largest = 0;

    void set(std::optional<Error> to) {
      const std::scoped_lock lock(mutex);
      error = std::move(to);
    }
    void hold(bool held) {
      {
        const std::scoped_lock lock(mutex);
        is_held = held;
      }
      changed.notify_all();
    }
    void wait_for_attempts(int wanted) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return attempts >= wanted; });
    }
  };

  FaultyLog(std::unique_ptr<Log> real, Switch& control)
      : real_(std::move(real)), control_(control) {}

  std::string_view id() const override { return real_->id(); }
  Result<Sequence> append(std::span<const schema::Row> rows) override {
    {
      std::unique_lock lock(control_.mutex);
      ++control_.attempts;
      control_.largest = std::max(control_.largest, rows.size());
      control_.changed.notify_all();
      control_.changed.wait(lock, [this] { return !control_.is_held; });
      if (control_.error) return fail(*control_.error);
    }
    for (const auto& row : rows) {
      if (row.at("symbol") == schema::Value{std::string("bad")}) {
        return fail(ErrorKind::rejected, "bad row");
      }
    }
    return real_->append(rows);
  }
  Result<Page> read(Sequence after, std::size_t rows, std::size_t bytes) override {
    return real_->read(after, rows, bytes);
  }
  Result<Sequence> last_sequence() override { return real_->last_sequence(); }
  Result<std::int64_t> rows_after(Sequence after) override { return real_->rows_after(after); }
  Result<std::optional<Sequence>> cursor(std::string_view sink) override {
    return real_->cursor(sink);
  }
  Result<void> set_cursor(std::string_view sink, Sequence to) override {
    return real_->set_cursor(sink, to);
  }
  Result<void> remove_cursor(std::string_view sink) override { return real_->remove_cursor(sink); }
  Result<std::vector<Cursor>> cursors() override { return real_->cursors(); }
  Result<Page> read_for(std::string_view sink, Sequence after, std::size_t rows,
                        std::size_t bytes) override {
    return real_->read_for(sink, after, rows, bytes);
  }
  Result<std::optional<Cursor>> find_cursor(std::string_view sink) override {
    return real_->find_cursor(sink);
  }
  Result<void> begin_cursor(std::string_view sink, Sequence sequence,
                            std::optional<Time> past_since) override {
    return real_->begin_cursor(sink, sequence, past_since);
  }
  Result<void> end_past(std::string_view sink) override { return real_->end_past(sink); }
  Result<void> plan_batch(std::string_view sink, Sequence last) override {
    return real_->plan_batch(sink, last);
  }
  Result<void> set_active_sinks(std::span<const std::string> sinks) override {
    return real_->set_active_sinks(sinks);
  }
  Result<Sequence> resend_dead_letter(std::string_view sink, Sequence sequence,
                                      const std::optional<std::string>& mended) override {
    return real_->resend_dead_letter(sink, sequence, mended);
  }
  Result<std::int64_t> trim(std::int64_t rows) override { return real_->trim(rows); }
  Result<Size> size() override { return real_->size(); }
  Result<void> add_dead_letters(std::span<const DeadLetter> letters) override {
    return real_->add_dead_letters(letters);
  }
  Result<std::vector<DeadLetter>> dead_letters(std::string_view sink, std::size_t limit) override {
    return real_->dead_letters(sink, limit);
  }
  Result<std::int64_t> count_dead_letters(std::string_view sink) override {
    return real_->count_dead_letters(sink);
  }
  Result<void> remove_dead_letter(std::string_view sink, Sequence sequence) override {
    return real_->remove_dead_letter(sink, sequence);
  }

 private:
  std::unique_ptr<Log> real_;
  Switch& control_;
};

class LogWriter : public testing::Test {
 protected:
  std::unique_ptr<Writer> make(WriterOptions options = {}) {
    options.retry = {.first = milliseconds{1}, .cap = milliseconds{2}};
    return std::make_unique<Writer>(
        std::make_unique<FaultyLog>(open_log(folder / "log.db"), control), clock, options);
  }
  std::vector<schema::Row> stored() {
    std::vector<schema::Row> rows;
    auto page = open_log(folder / "log.db")->read(0, 1'000'000, 1'000'000'000);
    for (auto& entry : page->entries) {
      rows.push_back(std::move(entry.row));
    }
    return rows;
  }
  TemporaryFolder folder;
  RealClock clock;
  FaultyLog::Switch control;
};

TEST_F(LogWriter, StoresWhatWasOfferedInOrderAndTellsItsListeners) {
  std::atomic<Sequence> told = 0;
  std::atomic<std::size_t> rows = 0;
  auto writer = make();
  writer->listen([&](const Commit& commit) {
    told = commit.last;
    rows += commit.rows;
  });
  writer->start();
  for (std::int64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(writer->offer(candle_rows(i * 4, 4)), Offer::accepted);
  }
  ASSERT_TRUE(writer->flush());
  ASSERT_TRUE(writer->stop());
  EXPECT_EQ(told, 200);
  EXPECT_EQ(rows, 200U);
  EXPECT_EQ(stored(), candle_rows(0, 200));
  const auto statistics = writer->statistics();
  EXPECT_EQ(statistics.committed_rows, 200U);
  EXPECT_EQ(statistics.queued_rows, 0U);
  EXPECT_EQ(statistics.queued_bytes, 0U);
  EXPECT_EQ(statistics.last_sequence, 200);
  ASSERT_EQ(statistics.delays.size(), 1U);
  std::uint64_t counted = 0;
  for (const auto count : statistics.delays.at("binance").counts()) counted += count;
  EXPECT_GT(counted, 0U);
  EXPECT_LE(counted, 200U);
}

TEST_F(LogWriter, CommitsAllThatWaitsAsOneGroup) {
  auto writer = make();
  control.hold(true);
  writer->start();
  EXPECT_EQ(writer->offer(candle_rows(0, 1)), Offer::accepted);
  control.wait_for_attempts(1);
  for (std::int64_t i = 1; i <= 100; ++i)
    EXPECT_EQ(writer->offer(candle_rows(i, 1)), Offer::accepted);
  control.hold(false);
  ASSERT_TRUE(writer->stop());
  EXPECT_EQ(writer->statistics().commits, 2U);
  EXPECT_EQ(control.largest, 100U);
}

TEST_F(LogWriter, AnswersFullInsteadOfWaitingAndLeavesTheRows) {
  auto writer = make({.max_queued_offers = 2});
  control.hold(true);
  writer->start();
  ASSERT_EQ(writer->offer(candle_rows(0, 1)), Offer::accepted);
  control.wait_for_attempts(1);
  ASSERT_EQ(writer->offer(candle_rows(1, 1)), Offer::accepted);
  ASSERT_EQ(writer->offer(candle_rows(2, 1)), Offer::accepted);
  auto more = candle_rows(3, 5);
  EXPECT_EQ(writer->offer(std::move(more)), Offer::full);
  EXPECT_EQ(more, candle_rows(3, 5));
  EXPECT_EQ(writer->statistics().refused_offers, 1U);
  EXPECT_EQ(writer->statistics().refused_rows, 5U);
  EXPECT_EQ(writer->statistics().queued_rows, 3U);
  control.hold(false);
  ASSERT_TRUE(writer->stop());
  EXPECT_EQ(writer->offer(std::move(more)), Offer::stopped);
}

TEST_F(LogWriter, LivesThroughAFullDiskAndLosesNothing) {
  auto writer = make({.max_queued_bytes = 100'000});
  control.set(Error{ErrorKind::transient, "the disk is full"});
  writer->start();
  std::int64_t accepted = 0;
  while (writer->offer(candle_rows(accepted, 1)) == Offer::accepted) ++accepted;
  control.wait_for_attempts(5);
  EXPECT_FALSE(writer->flush(milliseconds{1}));
  auto statistics = writer->statistics();
  EXPECT_TRUE(statistics.is_failing);
  EXPECT_EQ(statistics.last_error->message, "the disk is full");
  EXPECT_LT(statistics.queued_bytes, 300'000U);
  control.set(std::nullopt);
  ASSERT_TRUE(writer->stop());
  EXPECT_EQ(stored(), candle_rows(0, accepted));
  EXPECT_FALSE(writer->statistics().is_failing);
}

TEST_F(LogWriter, SaysWhatItCouldNotWriteWhenItIsStopped) {
  auto writer = make();
  control.set(Error{ErrorKind::transient, "the disk is full"});
  writer->start();
  ASSERT_EQ(writer->offer(candle_rows(0, 9)), Offer::accepted);
  const auto stopped = writer->stop();
  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().message.find("9 rows"), std::string::npos);
  EXPECT_NE(stopped.error().message.find("the disk is full"), std::string::npos);
}

TEST_F(LogWriter, LosesOnlyTheOfferThatTheLogRefuses) {
  auto writer = make();
  control.hold(true);
  writer->start();
  ASSERT_EQ(writer->offer(candle_rows(0, 1)), Offer::accepted);
  control.wait_for_attempts(1);
  ASSERT_EQ(writer->offer({candle_row({.symbol = "bad"})}), Offer::accepted);
  ASSERT_EQ(writer->offer(candle_rows(1, 1)), Offer::accepted);
  control.hold(false);
  ASSERT_TRUE(writer->stop());
  EXPECT_EQ(stored(), candle_rows(0, 2));
  EXPECT_EQ(writer->statistics().dropped_rows, 1U);
}

// The real thing: SQLite's own limit on the file, which the next opening does not have.
TEST_F(LogWriter, ResumesWhenARealFullFileGetsRoom) {
  WriterOptions options;
  options.retry = {.first = milliseconds{1}, .cap = milliseconds{2}};
  std::int64_t acknowledged = 0;
  {
    Writer writer(open_log({.path = folder / "log.db", .max_pages = 12}), clock, options);
    writer.start();
    while (writer.offer(candle_rows(acknowledged, 20)) == Offer::accepted) {
      bool is_durable = false;
      while (!is_durable && !writer.statistics().last_error) {
        is_durable = writer.flush(milliseconds{1}).has_value();
      }
      if (!is_durable) break;
      acknowledged += 20;
    }
    const auto statistics = writer.statistics();
    ASSERT_TRUE(statistics.last_error);
    EXPECT_EQ(statistics.last_error->kind, ErrorKind::transient);
    EXPECT_NE(statistics.last_error->message.find("the disk is full"), std::string::npos);
    ASSERT_GT(acknowledged, 0);
    EXPECT_FALSE(writer.stop());
  }
  EXPECT_EQ(stored(), candle_rows(0, acknowledged)) << "all that was acknowledged, and no more";
  Writer writer(open_log(folder / "log.db"), clock, options);
  writer.start();
  ASSERT_EQ(writer.offer(candle_rows(acknowledged, 20)), Offer::accepted);
  ASSERT_TRUE(writer.stop());
  EXPECT_EQ(stored(), candle_rows(0, acknowledged + 20));
}

TEST_F(LogWriter, TrimsWhatEverySinkHas) {
  auto writer = make({.trim_rows = 100});
  ASSERT_TRUE(open_log(folder / "log.db")->set_cursor("sink", 1'000'000));
  writer->start();
  for (std::int64_t i = 0; i < 30; ++i) {
    ASSERT_EQ(writer->offer(candle_rows(i * 50, 50)), Offer::accepted);
    ASSERT_TRUE(writer->flush());
  }
  ASSERT_TRUE(writer->stop());
  EXPECT_GT(writer->statistics().trimmed_rows, 1000U);
  EXPECT_EQ(open_log(folder / "log.db")->last_sequence().value(), 1500);
}

TEST_F(LogWriter, TakesOffersFromManyThreads) {
  auto writer = make();
  writer->start();
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&writer, t] {
      for (std::int64_t i = 0; i < 50; ++i) {
        EXPECT_EQ(writer->offer(candle_rows(t * 1000 + i, 1)), Offer::accepted);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(writer->stop());
  EXPECT_EQ(stored().size(), 200U);
}

}  // namespace
}  // namespace candlewick::log
