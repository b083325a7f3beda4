// What can be wrong with a PostgreSQL server, on real ones: each gives one clear error, the rows
// stay in the log, and once somebody has mended it they are there, each once.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "postgres/connection.h"
#include "sink/delivery.h"
#include "sink/postgres_warehouse.h"
#include "sink/testing.h"
#include "test/support/postgres_server.h"
#include "test/support/program.h"
#include "test/support/temporary_folder.h"
#include "warehouse/embedded.h"
#include "warehouse/postgres_maintenance.h"

namespace candlewick {
namespace {

using sink::at_minute;
using sink::candle_row;
using sink::candle_rows;

constexpr std::int64_t rows_in_log = 600;  // enough to go by COPY into the table itself

// A log, a warehouse that is migrated, and the delivery between them.
class BadServer : public ::testing::Test {
 protected:
  void deliver_to(const std::string& url) {
    ASSERT_TRUE(log::open_log(folder.path() / "log.db")->append(candle_rows(0, rows_in_log)));
    delivery = std::make_unique<sink::Delivery>(
        sink::make_postgres_warehouse({.location = {.url = Secret(url)}}, clock),
        log::open_log(folder.path() / "log.db"), clock);
  }
  void migrate(const std::string& url) {
    const auto opened =
        sink::make_postgres_warehouse({.location = {.url = Secret(url)}}, clock)->open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  // The clock goes on as far as it takes, so that no wait is left out.
  void go_on(int steps) {
    for (int i = 0; i < steps; ++i) {
      static_cast<void>(delivery->step());
      clock.advance(std::chrono::minutes{2});
    }
  }
  void expect_kept(ErrorKind kind, std::string_view words) {
    go_on(4);
    const auto told = delivery->statistics();
    ASSERT_TRUE(told.last_error) << "nothing was wrong";
    const auto& message = told.last_error->message;
    EXPECT_EQ(told.last_error->kind, kind) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_EQ(message.find("s3cr3t"), std::string::npos) << message;
    EXPECT_EQ(told.state,
              kind == ErrorKind::transient ? sink::State::backing_off : sink::State::stopped);
    EXPECT_EQ(told.written_rows, 0U);
    EXPECT_EQ(told.dead_letters, 0U);
    EXPECT_EQ(told.cursor, 0);
    EXPECT_EQ(log::open_log(folder.path() / "log.db")->rows_after(0).value(), rows_in_log);
  }
  void expect_delivered(const std::string& url, std::int64_t rows = rows_in_log) {
    go_on(6);
    const auto told = delivery->statistics();
    EXPECT_EQ(told.lag_rows, 0) << (told.last_error ? told.last_error->message : "");
    const auto connection = postgres::Connection::open({.url = Secret(url)});
    ASSERT_TRUE(connection) << connection.error().message;
    const auto found =
        (*connection)->query("SELECT count(*), count(DISTINCT timestamp) FROM fact_ohlcv");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->integer(0, 0), rows);
    EXPECT_EQ(found->integer(0, 1), rows);
    EXPECT_EQ((*connection)->query("SELECT sequence FROM log_position")->integer(0, 0),
              rows_in_log);
  }

  FakeClock clock{at_minute(100)};
  test::TemporaryFolder folder;
  std::unique_ptr<sink::Delivery> delivery;
};

// What a statement of somebody else breaks, and another one mends.
struct Fault {
  const char* name;
  const char* broken;
  const char* mended;
  ErrorKind kind;
  const char* words;
};

class BrokenWarehouse : public BadServer, public ::testing::WithParamInterface<Fault> {};

TEST_P(BrokenWarehouse, KeepsTheRowsInTheLogUntilItIsMended) {
  const Fault& fault = GetParam();
  const test::PostgresDatabase database(test::PostgresKind::plain);
  ASSERT_NO_FATAL_FAILURE(migrate(database.url()));
  // As the service ought to run: with the writer's role.
  const auto files = warehouse::embedded_files();
  const auto roles =
      std::ranges::find(files, "warehouse/postgres/roles.sql", &warehouse::EmbeddedFile::path);
  ASSERT_NE(roles, files.end());
  auto& server = database.server();
  server.run_sql(database.name(), std::string(roles->text));
  server.run_sql(
      database.name(),
      "DROP ROLE IF EXISTS bad_svc; CREATE ROLE bad_svc LOGIN IN ROLE candlewick_writer");
  std::string url = database.url();
  url.replace(url.find("candlewick@"), 10, "bad_svc");

  server.run_sql(database.name(), fmt::format(fmt::runtime(fault.broken), database.name()));
  ASSERT_NO_FATAL_FAILURE(deliver_to(url));
  expect_kept(fault.kind, fault.words);
  server.run_sql(database.name(), fmt::format(fmt::runtime(fault.mended), database.name()));
  expect_delivered(database.url());
  delivery.reset();
  server.run_sql(database.name(), "DROP OWNED BY bad_svc; DROP ROLE bad_svc");
}

// A trigger stands for the disk, since a full one cannot be had without root: same code, same
// place.
constexpr const char* full_disk =
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
    "USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file: No space left on device'; END "
    "$$; CREATE TRIGGER full_disk BEFORE INSERT ON fact_ohlcv FOR EACH ROW EXECUTE FUNCTION "
    "full_disk()";
// A server that goes away when half of the rows are copied. The sequence goes on when all is rolled
// back, so it happens once.
constexpr const char* cut_off =
    "CREATE SEQUENCE copied; CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN "
    "IF nextval('copied') = 300 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; "
    "RETURN NEW; END $$; CREATE TRIGGER cut_off BEFORE INSERT ON fact_ohlcv FOR EACH ROW EXECUTE "
    "FUNCTION cut_off()";

INSTANTIATE_TEST_SUITE_P(
    Faults, BrokenWarehouse,
    ::testing::Values(
        Fault{"MissingPrivileges", "REVOKE INSERT ON fact_ohlcv FROM candlewick_writer",
              "GRANT INSERT ON fact_ohlcv TO candlewick_writer", ErrorKind::misconfigured,
              "permission denied for table fact_ohlcv"},
        Fault{"ReadOnly", "ALTER DATABASE {} SET default_transaction_read_only = on",
              "BEGIN READ WRITE; ALTER DATABASE {} RESET default_transaction_read_only; COMMIT",
              ErrorKind::misconfigured, "read-only"},
        Fault{"NewerSchema", "INSERT INTO schema_migration SELECT 9999, 'later', 'x', now()",
              "DELETE FROM schema_migration WHERE number = 9999", ErrorKind::misconfigured,
              "newer than this program"},
        Fault{"MissingTable", "ALTER TABLE fact_ohlcv RENAME TO lost",
              "ALTER TABLE lost RENAME TO fact_ohlcv", ErrorKind::misconfigured, "fact_ohlcv"},
        Fault{"NoConnectionLeft", "ALTER ROLE bad_svc CONNECTION LIMIT 0",
              "ALTER ROLE bad_svc CONNECTION LIMIT -1", ErrorKind::transient,
              "too many connections"},
        Fault{"NoLogin", "ALTER ROLE bad_svc NOLOGIN", "ALTER ROLE bad_svc LOGIN",
              ErrorKind::misconfigured, "not permitted to log in"},
        Fault{"FullDisk", full_disk,
              "DROP TRIGGER full_disk ON fact_ohlcv; DROP FUNCTION full_disk", ErrorKind::transient,
              "No space left on device"}),
    [](const auto& fault) { return std::string(fault.param.name); });

TEST_F(BadServer, ThatLosesItsConnectionInTheMiddleOfACopyGetsTheRowsOnce) {
  const test::PostgresDatabase database(test::PostgresKind::plain);
  ASSERT_NO_FATAL_FAILURE(migrate(database.url()));
  database.server().run_sql(database.name(), cut_off);
  ASSERT_NO_FATAL_FAILURE(deliver_to(database.url()));
  go_on(2);  // opens, and waits for company; then tries
  const auto told = delivery->statistics();
  ASSERT_TRUE(told.last_error);
  EXPECT_EQ(told.last_error->kind, ErrorKind::transient) << told.last_error->message;
  EXPECT_EQ(told.last_error->message.find('\n'), std::string::npos) << told.last_error->message;
  EXPECT_EQ(told.written_rows, 0U);
  expect_delivered(database.url());
  EXPECT_EQ(delivery->statistics().transient_errors, 1U);
}

TEST_F(BadServer, ThatRunsIntoItsStatementTimeoutIsTriedAgain) {
  const test::PostgresDatabase database(test::PostgresKind::plain);
  ASSERT_NO_FATAL_FAILURE(migrate(database.url()));
  database.server().run_sql(
      database.name(),
      fmt::format("ALTER DATABASE {} SET statement_timeout = '200ms'", database.name()));
  auto other = postgres::Connection::open({.url = Secret(database.url())}).value();
  ASSERT_TRUE(
      other->run("SET statement_timeout = 0; BEGIN; LOCK TABLE fact_ohlcv IN EXCLUSIVE MODE"));
  ASSERT_NO_FATAL_FAILURE(deliver_to(database.url()));
  expect_kept(ErrorKind::transient, "statement timeout");
  ASSERT_TRUE(other->run("COMMIT"));
  expect_delivered(database.url());
}

// Of values that the log can hold, only those can be out of range that somebody forbade.
TEST_F(BadServer, ThatFindsAValueOutOfRangeSetsAsideThatRowAlone) {
  const test::PostgresDatabase database(test::PostgresKind::plain);
  ASSERT_NO_FATAL_FAILURE(migrate(database.url()));
  database.server().run_sql(database.name(),
                            "ALTER TABLE fact_ohlcv ADD CHECK (volume::numeric(20, 8) < 1e11)");
  auto rows = candle_rows(0, rows_in_log);
  rows[17] = candle_row({.timestamp = at_minute(17), .volume = "12345678901234567890"});
  ASSERT_TRUE(log::open_log(folder.path() / "log.db")->append(rows));
  delivery = std::make_unique<sink::Delivery>(
      sink::make_postgres_warehouse({.location = {.url = Secret(database.url())}}, clock),
      log::open_log(folder.path() / "log.db"), clock);
  expect_delivered(database.url(), rows_in_log - 1);
  const auto told = delivery->statistics();
  EXPECT_EQ(told.dead_letters, 1U);
  const auto letters = log::open_log(folder.path() / "log.db")->count_dead_letters("postgres");
  ASSERT_TRUE(letters);
  EXPECT_EQ(*letters, 1);
}

TEST_F(BadServer, ThatRefusesTheLoginIsWaitedFor) {
  test::PostgresServer server{{.passwords = true}};
  ASSERT_EQ(server.problem(), "");
  const auto right = server.make_database("warehouse");
  ASSERT_NO_FATAL_FAILURE(migrate(right));
  const auto wrong = fmt::format("postgres://svc:s3cr3t@127.0.0.1:{}/warehouse", server.port());
  ASSERT_NO_FATAL_FAILURE(deliver_to(wrong));
  expect_kept(ErrorKind::misconfigured, "password authentication failed");
  server.run_sql("warehouse", "CREATE ROLE svc LOGIN SUPERUSER PASSWORD 's3cr3t'");
  expect_delivered(right);
}

// A standby that has nothing to follow stays one: the mark in its folder is enough.
TEST_F(BadServer, ThatIsAStandbyIsWaitedFor) {
  test::PostgresServer server;
  ASSERT_EQ(server.problem(), "");
  const auto url = server.make_database("warehouse");
  ASSERT_NO_FATAL_FAILURE(migrate(url));
  const auto mark = server.folder() / "data" / "standby.signal";
  server.stop();
  std::ofstream(mark) << "";
  server.start();
  ASSERT_NO_FATAL_FAILURE(deliver_to(url));
  expect_kept(ErrorKind::misconfigured, "read-only replica");
  server.stop();
  std::filesystem::remove(mark);
  server.start();
  expect_delivered(url);
}

TEST_F(BadServer, WithTheExtensionInAnotherSchemaDoesAllTheSame) {
  if (const auto reason = test::skip_reason(test::PostgresKind::timescale); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  test::PostgresServer server{{.kind = test::PostgresKind::timescale}};
  ASSERT_EQ(server.problem(), "");
  server.run_sql("postgres", "CREATE DATABASE elsewhere");
  server.run_sql("elsewhere",
                 "CREATE SCHEMA \"ext x\"; CREATE EXTENSION timescaledb SCHEMA \"ext x\"");
  const auto url = server.url("elsewhere");
  ASSERT_NO_FATAL_FAILURE(deliver_to(url));
  expect_delivered(url);
  auto connection = postgres::Connection::open({.url = Secret(url)}).value();
  const auto before = connection->query("SELECT sum(bars)::bigint FROM ohlcv_1h");
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->integer(0, 0), rows_in_log);
  const auto done =
      warehouse::maintain_postgres({.url = Secret(url)}, {.candles = std::chrono::days{30}},
                                   at_minute(0) + std::chrono::days{200});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_GE(done->dropped, 1);
  EXPECT_EQ(connection->query("SELECT sum(bars)::bigint FROM ohlcv_1h")->integer(0, 0),
            rows_in_log);
}

struct Refusal {
  std::vector<std::string> arguments;
  std::string url;
  int status;
  std::string words;
};

TEST(BadServers, AreToldByTheCommandsInOneLine) {
  test::PostgresServer server{{.passwords = true}};
  ASSERT_EQ(server.problem(), "");
  const auto newer = server.make_database("newer");
  const auto read_only = server.make_database("read_only");
  const test::TemporaryFolder folder;
  const auto run = [&](const std::vector<std::string>& arguments, const std::string& url) {
    return test::run_program("CANDLEWICK", arguments, {},
                             {{"CANDLEWICK_DATA_DIR", folder.path().string()},
                              {"BINANCE_BASE_URL", "http://127.0.0.1:1"},
                              {"BINANCE_WS_URL", "ws://127.0.0.1:1"},
                              {"DATABASE_URL", url}});
  };
  ASSERT_EQ(run({"migrate"}, newer).status, 0);
  server.run_sql("newer", "INSERT INTO schema_migration SELECT 9999, 'later', 'x', now()");
  server.run_sql("postgres", "ALTER DATABASE read_only SET default_transaction_read_only = on");
  const std::vector<std::string> ask{"candles",  "--exchange",  "binance", "--symbol",
                                     "BTC/USDT", "--timeframe", "1m"};
  const auto at = [&](std::string_view login, std::string_view database) {
    return fmt::format("postgres://{}@127.0.0.1:{}/{}", login, server.port(), database);
  };
  const Refusal refusals[] = {
      {{"migrate"}, "postgres://candlewick:s3cr3t@127.0.0.1:1/db", 1, "Connection refused"},
      {ask, "postgres://candlewick:s3cr3t@127.0.0.1:1/db", 1, "Connection refused"},
      {{"migrate"},
       "postgres://candlewick:s3cr3t@no-such-host.invalid/db",
       1,
       "no-such-host.invalid"},
      {{"migrate"}, "mysql://s3cr3t", 2, "DATABASE_URL"},
      {{"run"}, "mysql://s3cr3t", 2, "DATABASE_URL"},
      {{"migrate"}, at("candlewick:s3cr3t", "newer"), 2, "password authentication failed"},
      {{"run"}, at("candlewick:s3cr3t", "newer"), 2, "password authentication failed"},
      {ask, at("candlewick:s3cr3t", "newer"), 2, "password authentication failed"},
      {{"migrate"}, at("candlewick:secret", "nowhere"), 2, "\"nowhere\" does not exist"},
      {{"migrate"}, newer, 2, "newer than this program"},
      {{"run"}, newer, 2, "newer than this program"},
      {ask, newer, 2, "newer than this program"},
      {{"migrate"}, read_only, 2, "read-only"},
      {{"run"}, read_only, 2, "read-only"},
  };
  for (const auto& [arguments, url, status, words] : refusals) {
    const auto ended = run(arguments, url);
    EXPECT_EQ(ended.status, status) << arguments[0] << " " << words << "\n" << ended.err;
    EXPECT_NE(ended.err.find(words), std::string::npos) << arguments[0] << "\n" << ended.err;
    EXPECT_EQ(ended.err.find("s3cr3t"), std::string::npos) << ended.err;
    // `run` writes its log there as well.
    std::istringstream text(ended.err);
    int lines = 0;
    for (std::string line; std::getline(text, line);) lines += line.starts_with('{') ? 0 : 1;
    EXPECT_EQ(lines, 1) << arguments[0] << " " << words << "\n" << ended.err;
    EXPECT_EQ(ended.out, "") << arguments[0];
  }
}

}  // namespace
}  // namespace candlewick
