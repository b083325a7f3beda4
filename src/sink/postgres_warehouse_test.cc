// What is PostgreSQL's own: servers that die, fill up or refuse. warehouse_contract_test.cc has
// what every warehouse owes.
#include "sink/postgres_warehouse.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "sink/delivery.h"
#include "sink/postgres_rows.h"
#include "sink/testing.h"
#include "test/support/eventually.h"

namespace candlewick::sink {
namespace {

Batch batch_of(std::vector<schema::Row> rows, log::Sequence first) {
  std::vector<log::Entry> entries;
  for (auto& row : rows) entries.push_back({first++, std::move(row)});
  return Batch("log", std::move(entries));
}

class PostgresSink : public testing::TestWithParam<test::WarehouseKind> {
 protected:
  void SetUp() override {
    if (const auto reason = test::skip_reason(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  }
  FakeClock clock{at_minute(100)};
};

// A fast ingest while the server is killed and restarted again and again: afterwards it holds every
// row of the log once, at its newest revision.
TEST_P(PostgresSink, HoldsEveryRowOnceWhenTheServerDiesInTheMiddle) {
  test::PostgresServer server{{.kind = test::postgres_kind(GetParam())}};
  ASSERT_EQ(server.problem(), "");
  const std::string url = server.make_database("warehouse");
  const sqlite::TemporaryFolder folder;
  constexpr std::int64_t minutes = 30'000;
  {
    auto log = log::open_log(folder / "log.db");
    ASSERT_TRUE(log->append(candle_rows(0, minutes)));
    std::vector<schema::Row> corrections;
    for (std::int64_t i = 0; i < minutes; i += 3) {
      corrections.push_back(candle_row({.timestamp = at_minute(i),
                                        .close = "5",
                                        .revision = 1,
                                        .ingested_at = at_minute(i + 9)}));
    }
    ASSERT_TRUE(log->append(corrections));
  }
  // This thread breaks the server; the delivery goes on as the service's would, without its waits.
  std::atomic<std::int64_t> written{0};
  std::atomic<int> failures{0};
  std::atomic<bool> is_done{false};
  std::thread ingest([&] {
    Delivery delivery(make_postgres_warehouse({.location = {.url = Secret(url)}}, clock),
                      log::open_log(folder / "log.db"), clock,
                      {.max_rows = 400, .max_age = Duration::zero()});
    while (true) {
      static_cast<void>(delivery.step());
      const auto now = delivery.statistics();
      written = static_cast<std::int64_t>(now.written_rows);
      failures = static_cast<int>(now.transient_errors);
      if (now.misconfigured_errors + now.rejected_errors > 0) {
        ADD_FAILURE() << now.last_error->message;
        break;
      }
      if (now.lag_rows == 0 && now.cursor > 0 && now.cursor == now.last_sequence) break;
    }
    is_done = true;
  });
  for (int round = 1; round <= 4; ++round) {
    const int before = failures;
    ASSERT_TRUE(test::eventually([&] { return is_done || written >= round * minutes / 5; }));
    if (round % 2 == 0) {
      server.stop();
    } else {
      server.kill();
    }
    EXPECT_TRUE(test::eventually([&] { return is_done || failures > before; }));
    server.start();
  }
  ingest.join();
  auto connection = postgres::Connection::open({.url = Secret(url)}).value();
  const auto rows = connection->query(
      "SELECT count(*), min(timestamp), max(timestamp), count(*) FILTER (WHERE revision = 1 AND "
      "close = 5) FROM fact_ohlcv");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->integer(0, 0), minutes);
  EXPECT_EQ(rows->text(0, 1), to_rfc3339(at_minute(0)));
  EXPECT_EQ(rows->text(0, 2), to_rfc3339(at_minute(minutes - 1)));
  EXPECT_EQ(rows->integer(0, 3), minutes / 3);
  EXPECT_EQ(connection->query("SELECT count(*) FROM fact_ohlcv_revision")->integer(0, 0),
            minutes / 3);
  EXPECT_GE(failures.load(), 3) << "the server died under it";
}

TEST_P(PostgresSink, LetsReadersSeeWholeBatchesWhileItWrites) {
  PostgresTestWarehouse warehouse(test::postgres_kind(GetParam()));
  auto sink = warehouse.make_sink(clock, false);
  ASSERT_TRUE(sink->open());
  std::thread writer([&] {
    for (std::int64_t i = 0; i < 40; ++i) {
      const auto written = sink->write(batch_of(candle_rows(i * 25, 25), i * 25 + 1));
      if (!written) {
        ADD_FAILURE() << written.error().message;
        return;
      }
    }
  });
  auto reader = warehouse.connect();
  std::int64_t seen = 0;
  EXPECT_TRUE(test::eventually([&] {
    const auto rows = reader->query(
        "SELECT (SELECT count(*) FROM fact_ohlcv), (SELECT coalesce(max(sequence), 0) FROM "
        "log_position)");
    EXPECT_TRUE(rows) << rows.error().message;
    if (!rows) return true;
    seen = rows->integer(0, 0);
    EXPECT_EQ(seen % 25, 0);
    EXPECT_EQ(seen, rows->integer(0, 1));
    return seen == 1000;
  }));
  writer.join();
}

TEST_P(PostgresSink, SetsAsideOnlyTheRowThatTheServerRefuses) {
  PostgresTestWarehouse warehouse(test::postgres_kind(GetParam()));
  const sqlite::TemporaryFolder folder;
  auto rows = candle_rows(0, 50);
  // A NUL, which PostgreSQL's texts cannot hold.
  rows[17].values[rows[17].table->index_of("source")] = std::string("w\0s", 3);
  ASSERT_TRUE(log::open_log(folder / "log.db")->append(rows));
  Delivery delivery(warehouse.make_sink(clock, false), log::open_log(folder / "log.db"), clock);
  const auto drained = delivery.drain();
  ASSERT_TRUE(drained) << drained.error().message;
  EXPECT_EQ(delivery.statistics().dead_letters, 1U);
  EXPECT_EQ(warehouse.lines("SELECT count(*) FROM fact_ohlcv"), std::vector<std::string>{"49"});
}

TEST_P(PostgresSink, StopsWhenTheServerTakesNoWrites) {
  PostgresTestWarehouse warehouse(test::postgres_kind(GetParam()));
  auto sink = warehouse.make_sink(clock, false);
  ASSERT_TRUE(sink->open());
  ASSERT_TRUE(warehouse.connect()->run(fmt::format(
      "ALTER DATABASE {} SET default_transaction_read_only = on", warehouse.database().name())));
  auto anew = warehouse.make_sink(clock, false);
  const auto opened = anew->open();
  const auto outcome = opened ? anew->write(batch_of(candle_rows(0, 1), 1)) : opened;
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured) << outcome.error().message;
  EXPECT_NE(outcome.error().message.find("read-only"), std::string::npos);
}

TEST_P(PostgresSink, KeepsRowsOfEveryMonthWithoutBeingToldBefore) {
  PostgresTestWarehouse warehouse(test::postgres_kind(GetParam()));
  auto sink = warehouse.make_sink(clock, false);
  ASSERT_TRUE(sink->open());
  std::vector<schema::Row> rows;
  for (int month = 0; month < 30; ++month) {
    rows.push_back(candle_row({.timestamp = at_minute(-month * 30 * 24 * 60)}));
  }
  const auto written = sink->write(batch_of(rows, 1));
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(warehouse.lines("SELECT count(*) FROM fact_ohlcv"), std::vector<std::string>{"30"});
}

// Where roll-ups are continuous aggregates there is this table, which is put here by hand.
TEST(TimescaleSink, NotesTheDaysOfClosedMinutesForTheRollups) {
  if (const auto reason = test::skip_reason(test::PostgresKind::timescale); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const FakeClock clock{at_minute(100)};
  test::PostgresDatabase database{test::PostgresKind::timescale};
  const warehouse::PostgresLocation location{.url = Secret(database.url())};
  ASSERT_TRUE(make_postgres_warehouse({.location = location}, clock)->open());
  database.server().run_sql(database.name(),
                            "CREATE TABLE rollup_touched (id bigint PRIMARY KEY GENERATED ALWAYS "
                            "AS IDENTITY, day date NOT NULL)");
  const auto sink = make_postgres_warehouse({.location = location}, clock);
  ASSERT_TRUE(sink->open());
  auto connection = postgres::Connection::open({.url = location.url}).value();
  const auto noted = [&] {
    const auto days = connection->query(
        "SELECT coalesce(string_agg((day - (SELECT min(timestamp)::date FROM fact_ohlcv))::text, "
        "' ' ORDER BY id), '') FROM rollup_touched");
    EXPECT_TRUE(days) << days.error().message;
    return days ? days->text(0, 0) : "";
  };
  constexpr std::int64_t day = 1440;
  // Many new rows take the direct way, few the staged one.
  ASSERT_TRUE(sink->write(batch_of(candle_rows(0, day + 1), 1)));
  EXPECT_EQ(noted(), "0 1");
  ASSERT_TRUE(sink->write(batch_of(
      {candle_row({.timestamp = at_minute(7 * day), .ingested_at = at_minute(7 * day)}),
       candle_row({.timestamp = at_minute(3), .revision = 1, .ingested_at = at_minute(7 * day)})},
      3 * day)));
  EXPECT_EQ(noted(), "0 1 0 7");
}

INSTANTIATE_TEST_SUITE_P(Kinds, PostgresSink,
                         testing::Values(test::WarehouseKind::plain,
                                         test::WarehouseKind::timescale),
                         test::warehouse_kind_name);

TEST(PostgresServers, ThatAreNotThereAreWaitedFor) {
  const FakeClock clock{at_minute(100)};
  const sqlite::TemporaryFolder folder;
  ASSERT_TRUE(log::open_log(folder / "log.db")->append(candle_rows(0, 5)));
  Delivery delivery(
      make_postgres_warehouse(
          {.location = {.url = Secret("postgres://candlewick:s3cr3t@127.0.0.1:1/db")}}, clock),
      log::open_log(folder / "log.db"), clock);
  static_cast<void>(delivery.step());
  const auto told = delivery.statistics();
  EXPECT_EQ(told.state, State::backing_off);
  EXPECT_EQ(told.dead_letters + told.written_rows, 0U);
  EXPECT_EQ(told.last_error->message.find("s3cr3t"), std::string::npos);
  EXPECT_EQ(log::open_log(folder / "log.db")->rows_after(0).value(), 5) << "the rows stay";
}

TEST(PostgresSettings, AreCheckedBeforeAnythingConnects) {
  const FakeClock clock{at_minute(0)};
  const auto made = [&](std::map<std::string, std::string, std::less<>> values) {
    return make_postgres_warehouse_from({.clock = &clock, .values = std::move(values)});
  };
  EXPECT_TRUE(made({{"url", "postgres://u:p@h/db"}, {"streams", "12"}}));
  for (const auto& bad : std::vector<std::map<std::string, std::string, std::less<>>>{
           {},
           {{"url", "mysql s3cr3t"}},
           {{"url", "postgres://h/db"}, {"symbol_style", "loud"}},
           {{"url", "postgres://h/db"}, {"streams", "many"}}}) {
    const auto outcome = made(bad);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured);
    EXPECT_EQ(outcome.error().message.find("s3cr3t"), std::string::npos);
  }
}

}  // namespace
}  // namespace candlewick::sink
