// The policy of delivery, step by step on a fake clock with a sink that does as it is told.
#include "sink/delivery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "log/testing.h"
#include "sink/registry.h"
#include "sink/runner.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"

namespace candlewick::sink {
namespace {

using log::at_minute;
using log::candle_row;
using log::candle_rows;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// What the target holds lives outside of the sink, as it does for real ones.
struct Target {
  std::map<log::Sequence, schema::Row> rows;
  std::size_t writes = 0;
  std::size_t opens = 0;
  std::size_t doubled = 0;
  std::optional<Error> write_error;
  std::optional<Error> open_error;
  std::set<log::Sequence> bad;
  ErrorKind bad_kind = ErrorKind::rejected;
  std::optional<log::Sequence> position;
  std::vector<std::size_t> batch_sizes;
  std::set<Time> times;  // of the rows
  std::optional<Duration> retry_after;
  bool is_stable = false;
  std::optional<std::size_t> fails_after;  // writes
  std::vector<std::string> names;          // of the batches, refused ones too
};

class ObedientSink final : public Sink {
 public:
  explicit ObedientSink(Target& target) : target_(target) {}
  std::string_view name() const override { return "obedient"; }
  Result<void> open() override {
    ++target_.opens;
    if (target_.open_error) return fail(*target_.open_error);
    return {};
  }
  Result<std::optional<log::Sequence>> position(std::string_view) override {
    return target_.position;
  }
  Result<void> write(const Batch& batch) override {
    ++target_.writes;
    target_.names.push_back(fmt::format("{}:{}-{}", batch.log_id(), batch.first(), batch.last()));
    if (target_.write_error) return fail(*target_.write_error);
    if (target_.fails_after && target_.writes >= *target_.fails_after)
      return fail(ErrorKind::transient, "the answer was lost");
    for (const auto& entry : batch.entries()) {
      if (target_.bad.contains(entry.sequence))
        return fail(target_.bad_kind, "row {} is bad", entry.sequence);
    }
    target_.batch_sizes.push_back(batch.size());
    for (const auto& entry : batch.entries()) {
      if (!target_.rows.emplace(entry.sequence, entry.row).second) ++target_.doubled;
      if (const auto time = log::happened_at(entry.row)) target_.times.insert(*time);
    }
    return {};
  }
  bool needs_stable_batches() const override { return target_.is_stable; }
  std::optional<Duration> retry_after() const override { return target_.retry_after; }

 private:
  Target& target_;
};

// So many candles from a minute on; fails where it is told to.
class FakePast final : public PastRows {
 public:
  FakePast(std::int64_t from, std::int64_t count, std::int64_t fails_at)
      : next_(from), end_(from + count), fails_at_(fails_at) {}
  Result<std::vector<schema::Row>> next(std::size_t max_rows) override {
    const auto count = std::min<std::int64_t>(static_cast<std::int64_t>(max_rows), end_ - next_);
    if (next_ <= fails_at_ && fails_at_ < next_ + count)
      return fail(ErrorKind::transient, "the warehouse is away");
    auto rows = candle_rows(next_, count);
    next_ += count;
    return rows;
  }

 private:
  std::int64_t next_;
  std::int64_t end_;
  std::int64_t fails_at_;
};

class Delivering : public testing::Test {
 protected:
  std::unique_ptr<Delivery> make(DeliveryOptions options = {}) {
    return std::make_unique<Delivery>(std::make_unique<ObedientSink>(target),
                                      log::open_log(folder / "log.db"), clock, options);
  }
  // Steps until the delivery wants to wait for rows or out an error.
  Delivery::Next settle(Delivery& delivery) {
    Delivery::Next next;
    do {
      next = delivery.step();
    } while (next.wait == Duration::zero());
    return next;
  }
  sqlite::TemporaryFolder folder;
  FakeClock clock{at_minute(100)};
  Target target;
  std::unique_ptr<log::Log> log = log::open_log(folder / "log.db");
};

TEST_F(Delivering, WritesFullBatchesAtOnceAndSmallOnesWhenTheirTimeIsOver) {
  auto delivery = make({.max_rows = 10, .max_age = milliseconds{250}});
  ASSERT_TRUE(log->append(candle_rows(0, 25)));
  auto next = delivery->step();
  EXPECT_EQ(delivery->statistics().state, State::catching_up);
  next = settle(*delivery);
  EXPECT_EQ(target.batch_sizes, (std::vector<std::size_t>{10, 10}));
  EXPECT_EQ(next.wait, milliseconds{250});
  EXPECT_TRUE(next.wake_on_rows);
  clock.advance(milliseconds{249});
  EXPECT_EQ(settle(*delivery).wait, milliseconds{1});
  clock.advance(milliseconds{1});
  settle(*delivery);
  EXPECT_EQ(target.rows.size(), 25U);
  EXPECT_EQ(delivery->statistics().state, State::live);
  EXPECT_EQ(log->cursor("obedient")->value(), 25);
}

TEST_F(Delivering, GoesOnWhereItsCursorIsAfterARestart) {
  ASSERT_TRUE(log->append(candle_rows(0, 5)));
  ASSERT_TRUE(make()->drain());
  ASSERT_TRUE(log->append(candle_rows(5, 5)));
  ASSERT_TRUE(make()->drain());
  EXPECT_EQ(target.rows.size(), 10U);
  EXPECT_EQ(target.doubled, 0U);
}

TEST_F(Delivering, BelievesTheSinksOwnPosition) {
  ASSERT_TRUE(log->append(candle_rows(0, 10)));
  ASSERT_TRUE(log->set_cursor("obedient", 4));
  target.position = 7;
  ASSERT_TRUE(make()->drain());
  EXPECT_EQ(target.rows.begin()->first, 8);
  EXPECT_EQ(target.rows.size(), 3U);
}

TEST_F(Delivering, HoldsRowsBackFromTrimmingFromItsFirstMomentOn) {
  ASSERT_TRUE(log->append(candle_rows(0, 10)));
  auto delivery = make();
  static_cast<void>(delivery->step());
  EXPECT_EQ(log->cursor("obedient")->value(), 0);
}

TEST_F(Delivering, RetriesTransientErrorsWithGrowingCappedJitteredWaits) {
  ASSERT_TRUE(log->append(candle_rows(0, 1)));
  auto delivery =
      make({.max_age = Duration::zero(), .retry = {.first = seconds{1}, .cap = seconds{8}}});
  target.write_error = Error{ErrorKind::transient, "away"};
  Duration limit = seconds{1};
  for (int attempt = 1; attempt <= 8; ++attempt) {
    const auto next = settle(*delivery);
    EXPECT_LE(next.wait, limit);
    EXPECT_GE(next.wait, limit / 2);
    EXPECT_FALSE(next.wake_on_rows) << "new rows do not shorten the wait";
    EXPECT_EQ(delivery->statistics().state, State::backing_off);
    EXPECT_EQ(delivery->statistics().attempt, static_cast<std::uint32_t>(attempt));
    limit = std::min<Duration>(limit * 2, seconds{8});
    clock.advance(next.wait);
  }
  EXPECT_EQ(delivery->statistics().last_error->message, "away");
  target.write_error.reset();
  settle(*delivery);
  EXPECT_EQ(target.rows.size(), 1U);
  EXPECT_EQ(delivery->statistics().attempt, 0U);
  EXPECT_EQ(delivery->statistics().state, State::live);
}

TEST_F(Delivering, IsolatesOneBadRowInAThousand) {
  ASSERT_TRUE(log->append(candle_rows(0, 1000)));
  target.bad = {637};
  auto delivery = make({.max_rows = 1000});
  ASSERT_TRUE(delivery->drain());
  EXPECT_EQ(target.rows.size(), 999U);
  EXPECT_FALSE(target.rows.contains(637));
  EXPECT_EQ(target.doubled, 0U);
  EXPECT_LE(target.writes, 22U) << "about two for each halving";
  const auto letters = log->dead_letters("obedient", 10);
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 1U);
  EXPECT_EQ(letters->front().sequence, 637);
  EXPECT_EQ(letters->front().reason, "row 637 is bad");
  EXPECT_EQ(letters->front().text, schema::to_json(candle_rows(636, 1).front()));
  EXPECT_EQ(letters->front().recorded_at, clock.now());
  EXPECT_EQ(log->cursor("obedient")->value(), 1000);
  EXPECT_EQ(delivery->statistics().dead_letters, 1U);
}

TEST_F(Delivering, IsolatesBadRowsAtEveryPlace) {
  ASSERT_TRUE(log->append(candle_rows(0, 17)));
  target.bad = {1, 8, 9, 17};
  target.bad_kind = ErrorKind::malformed;
  ASSERT_TRUE(make()->drain());
  EXPECT_EQ(target.rows.size(), 13U);
  EXPECT_EQ(log->count_dead_letters("obedient").value(), 4);
}

TEST_F(Delivering, SetsRowsAsideThatThisProgramCannotRead) {
  ASSERT_TRUE(log->append(candle_rows(0, 1)));
  ASSERT_TRUE(
      sqlite::Database::open({.path = folder / "log.db"})
          .value()
          ->execute(
              R"(INSERT INTO entry (sequence, payload) VALUES (2, '{"table":"from_the_future"}'))"));
  ASSERT_TRUE(make()->drain());
  EXPECT_EQ(target.rows.size(), 1U);
  EXPECT_EQ(log->count_dead_letters("obedient").value(), 1);
  EXPECT_EQ(log->cursor("obedient")->value(), 2);
}

TEST_F(Delivering, StopsAMisconfiguredSinkAndTriesItSeldom) {
  ASSERT_TRUE(log->append(candle_rows(0, 1)));
  target.open_error = Error{ErrorKind::misconfigured, "no such database"};
  auto delivery = make();
  const auto next = delivery->step();
  EXPECT_EQ(next.wait, seconds{60});
  EXPECT_FALSE(next.wake_on_rows);
  EXPECT_EQ(target.writes, 0U);
  EXPECT_EQ(delivery->statistics().state, State::stopped);
  EXPECT_EQ(delivery->statistics().last_error->message, "no such database");
  target.open_error.reset();
  clock.advance(next.wait);
  settle(*delivery);
  clock.advance(seconds{1});
  settle(*delivery);
  EXPECT_EQ(target.rows.size(), 1U);
}

TEST_F(Delivering, TellsHowFarBehindItIs) {
  ASSERT_TRUE(log->append(candle_rows(0, 30)));
  target.write_error = Error{ErrorKind::transient, "away"};
  auto delivery = make({.max_rows = 10});
  settle(*delivery);
  auto statistics = delivery->statistics();
  EXPECT_EQ(statistics.lag_rows, 30);
  EXPECT_EQ(statistics.last_sequence, 30);
  EXPECT_EQ(statistics.oldest_pending, at_minute(1));
  EXPECT_EQ(statistics.lag(clock.now()), std::chrono::minutes{99});
  EXPECT_EQ(statistics.state, State::backing_off);
  target.write_error.reset();
  ASSERT_TRUE(delivery->drain());
  statistics = delivery->statistics();
  EXPECT_EQ(statistics.lag_rows, 0);
  EXPECT_FALSE(statistics.oldest_pending);
  EXPECT_EQ(statistics.written_rows, 30U);
  EXPECT_DOUBLE_EQ(statistics.rows_per_second, 0.5);
}

TEST_F(Delivering, WaitsAtLeastAsLongAsTheTargetAsks) {
  ASSERT_TRUE(log->append(candle_rows(0, 1)));
  auto delivery = make({.max_age = Duration::zero(), .retry = {.first = milliseconds{1}}});
  target.write_error = Error{ErrorKind::transient, "429"};
  target.retry_after = seconds{77};
  EXPECT_EQ(settle(*delivery).wait, seconds{77});
  EXPECT_EQ(delivery->statistics().next_attempt_at, clock.now() + seconds{77});
  target.retry_after.reset();
  clock.advance(seconds{77});
  EXPECT_LE(settle(*delivery).wait, milliseconds{2});
}

TEST_F(Delivering, TriesAMendedConfigurationWithoutARestart) {
  ASSERT_TRUE(log->append(candle_rows(0, 1)));
  Target mended;
  int asked = 0;
  target.write_error = Error{ErrorKind::misconfigured, "HTTP 401"};
  auto delivery =
      make({.max_age = Duration::zero(), .remake = [&]() -> Result<std::unique_ptr<Sink>> {
              if (++asked == 1) return fail(ErrorKind::misconfigured, "no such file");
              return std::make_unique<ObedientSink>(mended);
            }});
  EXPECT_EQ(settle(*delivery).wait, seconds{60});
  EXPECT_EQ(delivery->statistics().last_error->message, "HTTP 401");
  clock.advance(seconds{60});
  EXPECT_EQ(settle(*delivery).wait, seconds{60});
  EXPECT_EQ(delivery->statistics().last_error->message, "no such file");
  EXPECT_EQ(delivery->statistics().state, State::stopped);
  EXPECT_EQ(delivery->statistics().lag_rows, 1);
  clock.advance(seconds{60});
  settle(*delivery);
  EXPECT_EQ(target.rows.size(), 0U);
  EXPECT_EQ(mended.rows.size(), 1U);
  EXPECT_EQ(delivery->statistics().state, State::live);
}

TEST_F(Delivering, DoesNotAskForAnotherSinkAfterATransientError) {
  ASSERT_TRUE(log->append(candle_rows(0, 1)));
  target.write_error = Error{ErrorKind::transient, "away"};
  auto delivery =
      make({.max_age = Duration::zero(), .remake = []() -> Result<std::unique_ptr<Sink>> {
              ADD_FAILURE() << "nothing is wrong with the configuration";
              return fail(ErrorKind::misconfigured, "");
            }});
  clock.advance(settle(*delivery).wait);
  settle(*delivery);
}

TEST_F(Delivering, WritesAllThatWasThereWhenTheTimeWasOverInAsManyBatchesAsItTakes) {
  auto delivery = make({.max_rows = 100, .max_bytes = 1'000, .max_age = std::chrono::minutes{15}});
  ASSERT_TRUE(log->append(candle_rows(0, 50)));
  settle(*delivery);
  clock.advance(std::chrono::minutes{15});
  settle(*delivery);
  EXPECT_EQ(target.rows.size(), 50U);
  EXPECT_GT(target.writes, 5U);
}

TEST_F(Delivering, SendsTheSameBatchAgainAfterACrash) {
  target.is_stable = true;
  ASSERT_TRUE(log->append(candle_rows(0, 3)));
  target.write_error = Error{ErrorKind::transient, "the answer was lost"};
  EXPECT_FALSE(make({.max_rows = 100})->drain());
  ASSERT_TRUE(log->append(candle_rows(3, 4)));
  EXPECT_FALSE(make({.max_rows = 2})->drain());
  target.write_error.reset();
  ASSERT_TRUE(make({.max_rows = 100})->drain());
  const std::string id(log->id());
  EXPECT_EQ(target.names,
            (std::vector<std::string>{id + ":1-3", id + ":1-3", id + ":1-3", id + ":4-7"}));
}

// A half that was taken keeps its name, though the whole would be taken by now.
TEST_F(Delivering, SendsTheSameHalfOfARefusedBatchAgainAfterACrash) {
  target.is_stable = true;
  ASSERT_TRUE(log->append(candle_rows(0, 4)));
  target.bad = {3};
  target.fails_after = 2;  // the whole is refused, the first half is taken and its answer lost
  EXPECT_FALSE(make()->drain());
  target.bad.clear();
  target.fails_after.reset();
  ASSERT_TRUE(make()->drain());
  const std::string id(log->id());
  EXPECT_EQ(target.names,
            (std::vector<std::string>{id + ":1-4", id + ":1-2", id + ":1-2", id + ":3-4"}));
}

TEST_F(Delivering, ANewSinkBeginsInThePastAndGoesOnWithTheLogWithoutASeam) {
  // The log has the minutes from 50 on; what came before is elsewhere.
  ASSERT_TRUE(log->append(candle_rows(50, 20)));
  std::int64_t fails_at = 35;
  std::vector<Time> asked;
  const auto options = [&] {
    return DeliveryOptions{.max_rows = 7,
                           .since = at_minute(30),
                           .open_past = [&](Time since) -> Result<std::unique_ptr<PastRows>> {
                             asked.push_back(since);
                             return std::make_unique<FakePast>(30, 25, fails_at);
                           }};
  };
  auto delivery = make(options());
  EXPECT_FALSE(settle(*delivery).wake_on_rows) << "the warehouse is away";
  EXPECT_EQ(log->cursor("obedient")->value(), 0) << "the log waits for it";
  EXPECT_EQ(delivery->statistics().state, State::backing_off);
  fails_at = 44;
  delivery = make(options());  // killed, and started again
  settle(*delivery);
  fails_at = -1;
  const auto before = target.names;
  clock.advance(std::chrono::minutes{5});
  delivery = make(options());
  target.times.clear();
  ASSERT_TRUE(delivery->drain());
  EXPECT_EQ(delivery->statistics().past_rows, 25U);
  const auto past = fmt::format("{}-past-{}", log->id(), to_us(at_minute(30)));
  EXPECT_EQ(before, (std::vector{past + ":1-7", past + ":8-14"})) << "no position in the log";
  ASSERT_GT(target.names.size(), 2 * before.size());
  EXPECT_EQ(std::vector(target.names.begin() + 2, target.names.begin() + 4), before)
      << "who remembers names has no row of them twice";
  delivery = make(options());
  ASSERT_TRUE(delivery->drain());
  EXPECT_EQ(asked.size(), 3U) << "once it has the past, that is over";
  EXPECT_EQ(asked.back(), at_minute(30));
  std::set<Time> all;
  for (std::int64_t minute = 30; minute < 70; ++minute) all.insert(at_minute(minute));
  EXPECT_EQ(target.times, all);
  EXPECT_EQ(log->cursor("obedient")->value(), 20);
}

TEST_F(Delivering, ANewSinkLeavesOutWhatTheLogHasFromBeforeItsTime) {
  ASSERT_TRUE(log->append(candle_rows(0, 40)));
  auto delivery = make({.max_rows = 7, .since = at_minute(30)});
  ASSERT_TRUE(delivery->drain());
  EXPECT_EQ(target.rows.size(), 10U);
  EXPECT_EQ(target.rows.begin()->first, 31);
  ASSERT_TRUE(log->append(candle_rows(10, 2)));
  ASSERT_TRUE(delivery->drain());
  EXPECT_EQ(target.rows.size(), 12U) << "what came later belongs to it";
}

TEST_F(Delivering, CountsAndTellsWhatTheLogGaveUp) {
  RecordingObserver observer;
  log = log::open_log({.path = folder / "log.db",
                       .budget_bytes = 400'000,
                       .at_budget = log::AtBudget::drop_oldest});
  auto delivery = make({.max_rows = 100, .observer = &observer});
  target.write_error = Error{ErrorKind::transient, "away"};
  ASSERT_TRUE(log->append(candle_rows(0, 100)));
  settle(*delivery);
  for (std::int64_t i = 1; i < 40; ++i) ASSERT_TRUE(log->append(candle_rows(i * 100, 100)));
  target.write_error.reset();
  ASSERT_TRUE(delivery->drain());
  settle(*delivery);
  const auto lost = delivery->statistics().dropped_rows;
  EXPECT_GT(lost, 0);
  EXPECT_EQ(static_cast<std::int64_t>(target.rows.size()) + lost, 4000);
  EXPECT_EQ(target.rows.rbegin()->first, 4000);
  EXPECT_EQ(observer.lines().back(), fmt::format("sink_rows_given_up sink=obedient rows={}", lost));
}

TEST_F(Delivering, CountsWhatTheLogGivesUpWhileTheSinkCannotBeOpened) {
  RecordingObserver observer;
  log = log::open_log({.path = folder / "log.db",
                       .budget_bytes = 400'000,
                       .at_budget = log::AtBudget::drop_oldest});
  ASSERT_TRUE(log->append(candle_rows(0, 10)));
  auto delivery = make({.max_rows = 100, .observer = &observer});
  ASSERT_TRUE(delivery->drain());
  settle(*delivery);
  target.open_error = Error{ErrorKind::misconfigured, "no such login"};
  target.write_error = Error{ErrorKind::transient, "away"};
  for (std::int64_t i = 1; i < 40; ++i) {
    ASSERT_TRUE(log->append(candle_rows(i * 100, 100)));
    clock.advance(minutes{2});
    settle(*delivery);
  }
  const auto lost = log->find_cursor("obedient")->value().dropped_rows;
  ASSERT_GT(lost, 0);
  EXPECT_EQ(delivery->statistics().state, State::stopped);
  EXPECT_EQ(delivery->statistics().dropped_rows, lost);
  EXPECT_GT(observer.count("sink_rows_given_up"), 1U) << "at each look that finds more";
}

TEST_F(Delivering, CountsHowOldRowsAreWhenTheSinkHasThem) {
  auto delivery = make();
  ASSERT_TRUE(log->append(candle_rows(97, 2)));  // stamped two minutes ago and one
  ASSERT_TRUE(delivery->drain());
  const auto delays = delivery->statistics().delays;
  EXPECT_EQ(delays.sum_seconds(), 180);
  EXPECT_EQ(delays.counts()[14], 1U) << "within a minute";
  EXPECT_EQ(delays.counts()[15], 1U) << "within a quarter of an hour";
  ASSERT_TRUE(log->append(candle_rows(0, 1000)));
  ASSERT_TRUE(delivery->drain());
  std::uint64_t all = 0;
  const auto statistics = delivery->statistics();
  for (const auto count : statistics.delays.counts()) all += count;
  EXPECT_LE(all, 2 + 33U) << "a sample of a large batch";
  EXPECT_GT(all, 20U);
}

TEST_F(Delivering, SendsADeadLetterAgainToItsSinkAlone) {
  ASSERT_TRUE(log->append(candle_rows(0, 10)));
  target.bad = {4};
  ASSERT_TRUE(make()->drain());
  ASSERT_EQ(log->count_dead_letters("obedient").value(), 1);
  // Refused again: it is a letter again, under its new number.
  target.bad = {4, 11};
  ASSERT_TRUE(log->resend_dead_letter("obedient", 4, std::nullopt));
  EXPECT_EQ(log->count_dead_letters("obedient").value(), 0);
  ASSERT_TRUE(make()->drain());
  ASSERT_EQ(log->dead_letters("obedient", 9)->size(), 1U);
  EXPECT_EQ(log->dead_letters("obedient", 9)->front().sequence, 11);
  // Mended.
  const auto mended = candle_row({.timestamp = at_minute(3), .close = "7"});
  ASSERT_TRUE(log->resend_dead_letter("obedient", 11, schema::to_json(mended)));
  ASSERT_TRUE(make()->drain());
  EXPECT_EQ(target.rows.at(12), mended);
  EXPECT_EQ(log->count_dead_letters("").value(), 0);
  EXPECT_EQ(log->read_for("another", 0, 100, 1'000'000)->entries.size(), 10U);
}

TEST_F(Delivering, OnAThreadThatHangsHoldsUpNeitherTheLogNorAnotherSink) {
  const RealClock real;
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_inside = false;
    bool is_open = false;
  } gate;
  class HangingSink final : public Sink {
   public:
    explicit HangingSink(Gate& gate) : gate_(gate) {}
    std::string_view name() const override { return "hanging"; }
    Result<void> open() override { return {}; }
    Result<std::optional<log::Sequence>> position(std::string_view) override {
      return std::optional<log::Sequence>{};
    }
    Result<void> write(const Batch&) override {
      std::unique_lock lock(gate_.mutex);
      gate_.is_inside = true;
      gate_.changed.notify_all();
      gate_.changed.wait(lock, [this] { return gate_.is_open; });
      return {};
    }

   private:
    Gate& gate_;
  };
  const DeliveryOptions options{.max_rows = 10, .max_age = milliseconds{1}};
  Runner hanging(std::make_unique<HangingSink>(gate), log::open_log(folder / "log.db"), real,
                 options);
  Runner other(std::make_unique<ObedientSink>(target), log::open_log(folder / "log.db"), real,
               options);
  ASSERT_TRUE(log->append(candle_rows(0, 10)));
  hanging.start();
  {
    std::unique_lock lock(gate.mutex);
    gate.changed.wait(lock, [&] { return gate.is_inside; });
  }
  other.start();
  for (std::int64_t i = 1; i < 100; ++i) {
    ASSERT_TRUE(log->append(candle_rows(i * 10, 10)));
    hanging.wake();
    other.wake();
  }
  other.stop();
  EXPECT_EQ(target.rows.size(), 1000U) << "the other has everything";
  EXPECT_EQ(hanging.statistics().written_rows, 0U);
  EXPECT_EQ(log->cursor("hanging")->value(), 0);
  {
    const std::scoped_lock lock(gate.mutex);
    gate.is_open = true;
    gate.changed.notify_all();
  }
  hanging.stop();
  EXPECT_EQ(log->cursor("hanging")->value(), 1000);
}

TEST_F(Delivering, OnAThreadWritesWhatComesAndDrainsAtTheEnd) {
  const RealClock real;
  Runner runner(std::make_unique<ObedientSink>(target), log::open_log(folder / "log.db"), real,
                {.max_rows = 50, .max_age = milliseconds{1}, .retry = {.first = milliseconds{1}}});
  runner.start();
  for (std::int64_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(log->append(candle_rows(i * 10, 10)));
    runner.wake();
    EXPECT_GE(runner.statistics().last_sequence, 0);
  }
  runner.stop();
  EXPECT_EQ(target.rows.size(), 200U);
  EXPECT_EQ(target.doubled, 0U);
  EXPECT_EQ(runner.statistics().cursor, 200);
}

TEST(SinkRegistry, IsSortedAndFindsItsKinds) {
  EXPECT_TRUE(std::ranges::is_sorted(all_sinks(), {}, &Kind::name));
  ASSERT_NE(find_sink("sqlite"), nullptr);
  EXPECT_EQ(find_sink("paper"), nullptr);
  const RealClock real;
  const auto refused = find_sink("sqlite")->make({.clock = &real, .values = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::misconfigured);
  EXPECT_FALSE(find_sink("sqlite")->make(
      {.clock = &real, .values = {{"path", "x.db"}, {"symbol_style", "odd"}}}));
  EXPECT_TRUE(find_sink("sqlite")->make({.clock = &real, .values = {{"path", "x.db"}}}));
}

}  // namespace
}  // namespace candlewick::sink
