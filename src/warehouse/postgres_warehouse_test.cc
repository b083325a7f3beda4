// Grades, migrations, roles and what can be wrong with a server, on real ones.
#include "warehouse/postgres_warehouse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "postgres/binary.h"
#include "schema/table.h"
#include "test/support/warehouse_kind.h"
#include "warehouse/embedded.h"

namespace candlewick::warehouse {
namespace {

using test::PostgresKind;
using test::WarehouseKind;

const Time now = Time{std::chrono::sys_days{std::chrono::year{2024} / 11 / 5}};

Catalogue catalogue() {
  return Catalogue::parse(
             "asset,name,sector,launch_date,coingecko_id\nNEW,\"New, Coin\",,2024-01-02,new-coin\n",
             "name,display_name,region,trading_fees\nbinance,Binance,Global,0.1\n")
      .value();
}

class PostgresWarehouses : public testing::TestWithParam<WarehouseKind> {
 protected:
  void SetUp() override {
    if (const auto reason = test::skip_reason(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
    database = std::make_unique<test::PostgresDatabase>(test::postgres_kind(GetParam()));
    location.url = Secret(database->url());
  }
  PostgresWarehouse open() { return open(location); }
  static PostgresWarehouse open(const PostgresLocation& where) {
    auto opened = open_postgres_for_writing(where, catalogue(), now);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : PostgresWarehouse{};
  }
  std::set<std::string> strings(const std::string& sql) const {
    auto connection = postgres::Connection::open({.url = location.url, .schema = location.schema});
    EXPECT_TRUE(connection) << connection.error().message;
    const auto rows = (*connection)->query(sql);
    EXPECT_TRUE(rows) << rows.error().message << "\n" << sql;
    std::set<std::string> result;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) result.insert(rows->text(i, 0));
    return result;
  }
  bool is_timescale() const { return GetParam() == WarehouseKind::timescale; }

  std::unique_ptr<test::PostgresDatabase> database;
  PostgresLocation location;
};

TEST_P(PostgresWarehouses, KnowTheirGradeAndVersions) {
  const auto server = inspect_postgres(location);
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->grade, is_timescale() ? Grade::timescale_apache : Grade::plain);
  EXPECT_TRUE(server->server_version.starts_with("15."));
  EXPECT_EQ(server->timescale_version.empty(), !is_timescale());
  EXPECT_FALSE(server->is_replica);
  EXPECT_EQ(describe(*server).find("Apache edition") != std::string::npos, is_timescale());
}

TEST_P(PostgresWarehouses, AreMigratedOnceByWhoeverComesFirst) {
  const auto first = open();
  EXPECT_EQ(first.migrated, static_cast<int>(migrations_in("warehouse/postgres").size()));
  EXPECT_EQ(first.layout, is_timescale() ? Layout::hypertables : Layout::native);
  EXPECT_EQ(open().migrated, 0);
  EXPECT_TRUE(open_postgres_for_reading(location));
}

TEST_P(PostgresWarehouses, HaveEveryTableAndColumnOfTheSchemaInItsTypeAndNullability) {
  ASSERT_TRUE(open().connection);
  for (const auto* table : schema::all_tables()) {
    const bool is_view = table == &schema::instruments;
    const auto columns = strings(fmt::format(
        "SELECT column_name || ' ' || CASE data_type WHEN 'timestamp with time zone' THEN "
        "'timestamptz' ELSE data_type END || CASE is_nullable WHEN 'NO' THEN ' required' ELSE '' "
        "END FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{}'",
        table->name));
    const bool has_ids = columns.contains("exchange_id integer required");
    for (const auto& column : table->columns) {
      if (has_ids && (column.name == "exchange" || column.name == "symbol")) continue;
      const auto wanted = fmt::format("{} {}{}", column.name, postgres::type_name(column.type),
                                      column.nullable || is_view ? "" : " required");
      EXPECT_TRUE(columns.contains(wanted)) << table->name << ": " << wanted;
    }
  }
}

TEST_P(PostgresWarehouses, AreRefusedWhenTheyAreNewerOrChanged) {
  ASSERT_TRUE(open().connection);
  strings(
      "INSERT INTO schema_migration SELECT max(number) + 1, 'x', 'y', now() FROM "
      "schema_migration RETURNING 'done'");
  for (const auto& outcome : {open_postgres_for_writing(location, catalogue(), now).error(),
                              open_postgres_for_reading(location).error()}) {
    EXPECT_EQ(outcome.kind, ErrorKind::misconfigured);
    EXPECT_NE(outcome.message.find("newer than this program"), std::string::npos)
        << outcome.message;
  }
}

TEST_P(PostgresWarehouses, AreNotReadBeforeTheyAreMade) {
  const auto outcome = open_postgres_for_reading(location);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(outcome.error().message.find("candlewick migrate"), std::string::npos);
}

TEST_P(PostgresWarehouses, LieInTheSchemaThatIsAskedFor) {
  location.schema = "market data";
  ASSERT_TRUE(open().connection);
  EXPECT_TRUE(open_postgres_for_reading(location));
  EXPECT_EQ(strings("SELECT table_schema FROM information_schema.tables WHERE table_name = "
                    "'fact_ohlcv'"),
            std::set<std::string>{"market data"});
}

TEST_P(PostgresWarehouses, FillTheDimensionsWithoutOverwritingThem) {
  auto warehouse = open();
  ASSERT_TRUE(warehouse.connection->run(
      "INSERT INTO dim_cryptocurrency (symbol, base, quote, sector) VALUES ('NEW/USDT', 'NEW', "
      "'USDT', 'Mine'); UPDATE dim_exchange SET region = 'Here'"));
  ASSERT_TRUE(seed(*warehouse.connection, catalogue()));
  EXPECT_EQ(strings("SELECT name || sector || launch_date || coingecko_id FROM dim_cryptocurrency"),
            std::set<std::string>{"New, CoinMine2024-01-02new-coin"});
  EXPECT_EQ(strings("SELECT name || display_name || region || trading_fees FROM dim_exchange"),
            std::set<std::string>{"binanceBinanceHere0.1"});
}

TEST_P(PostgresWarehouses, ArePartitionedByTime) {
  ASSERT_TRUE(open().connection);
  if (is_timescale()) {
    EXPECT_EQ(strings("SELECT hypertable_name::text FROM timescaledb_information.hypertables"),
              (std::set<std::string>{"fact_ohlcv", "fact_trade", "market_ticks",
                                     "technical_indicators"}));
    EXPECT_EQ(strings("SELECT time_interval::text FROM timescaledb_information.dimensions WHERE "
                      "hypertable_name = 'fact_ohlcv'"),
              std::set<std::string>{"28 days"});
    return;
  }
  EXPECT_EQ(strings("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = "
                    "'fact_ohlcv'::regclass"),
            (std::set<std::string>{"fact_ohlcv_p2024_11", "fact_ohlcv_p2024_12",
                                   "fact_ohlcv_p2025_01", "fact_ohlcv_p2025_02"}))
      << "this month and three ahead, over the end of the year";
}

TEST_P(PostgresWarehouses, ShowToolsTheNewestRowsTradesAndHolesByName) {
  ASSERT_TRUE(open().connection);
  if (!is_timescale()) {
    for (const auto* table : {"market_ticks", "technical_indicators", "fact_trade"}) {
      strings(fmt::format("SELECT make_partition('{}', now())::text", table));
    }
  }
  for (const auto* age : {"3 days", "2 minutes", "1 minute"}) {
    if (!is_timescale())
      strings(
          fmt::format("SELECT make_partition('market_ticks', now() - INTERVAL '{}')::text", age));
    strings(fmt::format(
        "INSERT INTO market_ticks (symbol, exchange, exchange_symbol, window_interval, "
        "exchange_ts, "
        "last_price, ingested_at) SELECT s, 'binance', s, '1m', now() - INTERVAL '{}', "
        "extract(minute FROM INTERVAL '{}'), now() FROM unnest(ARRAY['A/B', 'C/D']) s RETURNING "
        "symbol",
        age, age));
  }
  EXPECT_EQ(strings("SELECT symbol || ' ' || last_price FROM newest_ticks"),
            (std::set<std::string>{"A/B 1", "C/D 1"}));
  strings(
      "INSERT INTO technical_indicators (symbol, exchange, exchange_symbol, window_interval, "
      "exchange_ts, rsi_14, revision, created_at) VALUES ('A/B', 'binance', 'AB', '1m', now(), 50, "
      "0, now()) RETURNING symbol");
  EXPECT_EQ(strings("SELECT symbol || ' ' || rsi_14 FROM newest_indicators"),
            std::set<std::string>{"A/B 50"});
  strings(
      "INSERT INTO dim_cryptocurrency (symbol, base, quote) VALUES ('A/B', 'A', 'B') RETURNING "
      "symbol");
  strings(
      "INSERT INTO fact_trade (exchange_id, crypto_id, trade_id, exchange_time, price, size, "
      "taker_side, ingested_at) SELECT exchange_id, crypto_id, 'x7', now(), 1.5, 2, 'buy', now() "
      "FROM dim_exchange e, dim_cryptocurrency c WHERE e.name = 'binance' AND c.symbol = 'A/B' "
      "RETURNING trade_id");
  EXPECT_EQ(
      strings("SELECT exchange || ' ' || symbol || ' ' || trade_id || ' ' || price FROM trades"),
      std::set<std::string>{"binance A/B x7 1.5"});
  for (const auto* state : {"live", "missing"}) {
    strings(fmt::format(
        "INSERT INTO coverage_current VALUES ('binance', 'A/B', '1m', 'candles', '2024-01-01 "
        "00:0{0}', '2024-01-01 00:0{1}', '{2}', NULL, NULL, now(), {0}) RETURNING state",
        state[0] == 'l' ? 0 : 1, state[0] == 'l' ? 1 : 2, state));
  }
  EXPECT_EQ(strings("SELECT state || ' ' || symbol FROM holes"),
            std::set<std::string>{"missing A/B"});
}

// Least privilege, as the script gives it: the writer runs the service and can neither delete nor
// change tables, the analyst only reads.
TEST_P(PostgresWarehouses, AreWrittenAndReadByRolesOfTheirOwn) {
  ASSERT_TRUE(open().connection);
  const auto files = embedded_files();
  const auto script = std::ranges::find(files, "warehouse/postgres/roles.sql", &EmbeddedFile::path);
  ASSERT_NE(script, files.end());
  auto owner = postgres::Connection::open({.url = location.url}).value();
  for (int i = 0; i < 2; ++i) {
    const auto done = owner->run(std::string(script->text));
    ASSERT_TRUE(done) << done.error().message;
  }
  ASSERT_TRUE(
      owner->run("DROP ROLE IF EXISTS svc; DROP ROLE IF EXISTS reader;"
                 "CREATE ROLE svc LOGIN IN ROLE candlewick_writer;"
                 "CREATE ROLE reader LOGIN IN ROLE candlewick_analyst"));
  const auto as = [this](const std::string& user) {
    std::string url = location.url.reveal();
    return PostgresLocation{.url = Secret(url.replace(url.find("candlewick@"), 10, user))};
  };
  const auto later = now + std::chrono::days{400};
  auto writer = open_postgres_for_writing(as("svc"), catalogue(), later);
  ASSERT_TRUE(writer) << writer.error().message << ": partitions are made with the owner's rights";
  const auto row = fmt::format(
      "INSERT INTO fact_ohlcv SELECT e.exchange_id, 1, '1m', '{}', 1, 1, 1, 1, 1, NULL, NULL, "
      "NULL, "
      "NULL, true, 'ws', 0, now() FROM dim_exchange e",
      to_rfc3339(later));
  ASSERT_TRUE(writer->connection->run(
      "INSERT INTO dim_cryptocurrency (crypto_id, symbol, base, quote) VALUES (1, 'A/B', 'A', "
      "'B')"));
  const auto stored = writer->connection->run(row);
  ASSERT_TRUE(stored) << stored.error().message;
  for (const auto* forbidden :
       {"DELETE FROM fact_ohlcv", "DROP TABLE fact_ohlcv", "CREATE TABLE mine (n int)",
        "UPDATE market_ticks SET open = 1", "DELETE FROM schema_migration"}) {
    const auto outcome = writer->connection->run(forbidden);
    ASSERT_FALSE(outcome) << forbidden;
    EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured) << outcome.error().message;
  }
  auto reader = open_postgres_for_reading(as("reader"));
  ASSERT_TRUE(reader) << reader.error().message;
  constexpr std::array types{schema::ColumnType::integer};
  const auto count = (*reader)->select("SELECT count(*) FROM ohlcv", {}, types);
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(std::get<std::int64_t>(count->front()[0]), 1);
  const auto refused = open_postgres_for_writing(as("reader"), catalogue(), now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::misconfigured) << refused.error().message;
  ASSERT_TRUE(owner->run("DROP OWNED BY svc, reader; DROP ROLE svc, reader"));
}

TEST_P(PostgresWarehouses, AnswerAgainAfterTheServerWasRestarted) {
  test::PostgresServer server{{.kind = test::postgres_kind(GetParam())}};
  ASSERT_EQ(server.problem(), "");
  const PostgresLocation there{.url = Secret(server.make_database("again"))};
  ASSERT_TRUE(open(there).connection);
  auto reader = open_postgres_for_reading(there);
  ASSERT_TRUE(reader);
  constexpr std::array types{schema::ColumnType::integer};
  ASSERT_TRUE((*reader)->select("SELECT count(*) FROM fact_ohlcv", {}, types));
  server.kill();
  const auto meanwhile = (*reader)->select("SELECT count(*) FROM fact_ohlcv", {}, types);
  ASSERT_FALSE(meanwhile);
  EXPECT_EQ(meanwhile.error().kind, ErrorKind::transient) << meanwhile.error().message;
  server.start();
  const auto again = (*reader)->select("SELECT count(*) FROM fact_ohlcv", {}, types);
  EXPECT_TRUE(again) << again.error().message;
}

INSTANTIATE_TEST_SUITE_P(Kinds, PostgresWarehouses,
                         testing::Values(WarehouseKind::plain, WarehouseKind::timescale),
                         test::warehouse_kind_name);

TEST(TimescaleElsewhere, IsFoundInItsSchema) {
  if (const auto reason = test::skip_reason(PostgresKind::timescale); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  auto& server = test::shared_postgres(PostgresKind::timescale);
  ASSERT_EQ(server.problem(), "");
  server.run_sql("postgres", "CREATE DATABASE elsewhere");
  server.run_sql("elsewhere", "CREATE SCHEMA \"ext x\"");
  server.run_sql("elsewhere", "CREATE EXTENSION timescaledb SCHEMA \"ext x\"");
  const PostgresLocation location{.url = Secret(server.url("elsewhere"))};
  const auto opened = open_postgres_for_writing(location, catalogue(), now);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->layout, Layout::hypertables);
  EXPECT_EQ(opened->server.timescale_schema, "ext x");
}

// Without the extension such a warehouse cannot be read at all.
TEST(TimescaleGone, IsToldBeforeAnythingIsWritten) {
  test::PostgresDatabase database{PostgresKind::plain};
  const PostgresLocation location{.url = Secret(database.url())};
  {
    const auto opened = open_postgres_for_writing(location, catalogue(), now);
    ASSERT_TRUE(opened);
    ASSERT_TRUE(opened->connection->run("UPDATE warehouse_property SET value = 'hypertables'"));
  }
  const auto outcome = open_postgres_for_writing(location, catalogue(), now);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(outcome.error().message.find("TimescaleDB"), std::string::npos);
}

TEST(FittedScripts, HoldTheirGradesPartsAndNames) {
  constexpr std::string_view sql =
      "a\n-- @only plain\nb\n-- @end\n-- @only timescale\nc {timescale} {chunk_days}\n-- @end\nd\n";
  const PostgresServer apache{.grade = Grade::timescale_apache, .timescale_schema = "x\"y"};
  EXPECT_EQ(fit(sql, {}, Layout::native, {}).value(), "a\nb\nd\n");
  EXPECT_EQ(fit(sql, apache, Layout::hypertables, {.streams = 900}).value(),
            "a\nc \"x\"\"y\" 7\nd\n");
  EXPECT_EQ(fit(sql, apache, Layout::native, {}).value(), "a\nb\nd\n")
      << "a warehouse stays as it was made";
  EXPECT_FALSE(fit("-- @only nobody\n-- @end\n", {}, Layout::native, {}));
  EXPECT_FALSE(fit("-- @only plain\n", {}, Layout::native, {}));
}

TEST(ChunkLength, FollowsTheNumberOfStreams) {
  EXPECT_EQ(chunk_days(0), 28);
  EXPECT_EQ(chunk_days(250), 28);
  EXPECT_EQ(chunk_days(251), 7);
  EXPECT_EQ(chunk_days(1'000), 7);
  EXPECT_EQ(chunk_days(5'000), 1);
}

}  // namespace
}  // namespace candlewick::warehouse
