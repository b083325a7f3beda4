// The policy of delivery, step by step on a fake clock with a sink that does as it is told.
#include "sink/delivery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
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
    if (target_.write_error) return fail(*target_.write_error);
    for (const auto& entry : batch.entries()) {
      if (target_.bad.contains(entry.sequence))
        return fail(target_.bad_kind, "row {} is bad", entry.sequence);
    }
    target_.batch_sizes.push_back(batch.size());
    for (const auto& entry : batch.entries()) {
      if (!target_.rows.emplace(entry.sequence, entry.row).second) ++target_.doubled;
    }
    return {};
  }

 private:
  Target& target_;
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
  ASSERT_TRUE(sqlite::Database::open({.path = folder / "log.db"})
                  .value()
                  ->execute(R"(INSERT INTO entry VALUES (2, '{"table":"from_the_future"}'))"));
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
