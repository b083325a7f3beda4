// Partitions, retention and what it leaves, on real servers without continuous aggregates;
// test/timescale has those.
#include "warehouse/postgres_maintenance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "test/support/warehouse_kind.h"
#include "warehouse/embedded.h"

namespace candlewick::warehouse {
namespace {

using test::WarehouseKind;

const Time now = Time{std::chrono::sys_days{std::chrono::year{2024} / 11 / 5}};
constexpr Duration days_60 = std::chrono::days{60};

class PostgresMaintenance : public testing::TestWithParam<WarehouseKind> {
 protected:
  void SetUp() override {
    if (const auto reason = test::skip_reason(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
    database = std::make_unique<test::PostgresDatabase>(test::postgres_kind(GetParam()));
    location.url = Secret(database->url());
    const auto catalogue = Catalogue::parse("asset,name,sector,launch_date,coingecko_id\n",
                                            "name,display_name,region,trading_fees\nbinance,,,\n");
    ASSERT_TRUE(catalogue) << catalogue.error().message;
    auto opened = open_postgres_for_writing(location, *catalogue, now);
    ASSERT_TRUE(opened) << opened.error().message;
    connection = std::move(opened->connection);
    run("INSERT INTO dim_cryptocurrency (crypto_id, symbol, base, quote) VALUES "
        "(1, 'A/B', 'A', 'B'), (2, 'C/B', 'C', 'B')");
  }
  void run(const std::string& sql) {
    const auto done = connection->run(sql);
    ASSERT_TRUE(done) << done.error().message << "\n" << sql;
  }
  std::vector<std::string> strings(const std::string& sql) {
    const auto rows = connection->query(sql);
    EXPECT_TRUE(rows) << rows.error().message << "\n" << sql;
    std::vector<std::string> result;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) result.push_back(rows->text(i, 0));
    return result;
  }
  bool is_plain() const { return GetParam() == WarehouseKind::plain; }

  // Minutes of two symbols with digits that floats have not, with holes, and with a value that
  // some of them lack.
  void add_minutes(const std::string& from, const std::string& to) {
    if (is_plain()) {
      run("SELECT make_partition('fact_ohlcv', m) FROM generate_series('" + from +
          "'::timestamptz, '" + to + "'::timestamptz + interval '1 month', '1 month') m");
    }
    run("INSERT INTO fact_ohlcv SELECT e.exchange_id, c.crypto_id, '1m', t, 100 + n % 7 + "
        "0.123456789012345678, 110 + n % 13, 90 - n % 11, 100 + n % 5, n % 17 + "
        "0.000000000000000001, CASE WHEN n % 501 = 0 THEN NULL ELSE n % 19 END, n % 23, n % 3, "
        "n % 2, true, 'ws', 0, t FROM dim_exchange e, dim_cryptocurrency c, (SELECT t, (extract("
        "epoch FROM t) / 60)::bigint AS n FROM generate_series('" +
        from + "'::timestamptz, '" + to +
        "'::timestamptz - interval '1 minute', '1 minute') t) s "
        "WHERE extract(hour FROM t) IN (0, 5, 23) AND n % 10 <> 3");
  }
  std::vector<std::string> rollups(const std::string& timeframe) {
    return strings("SELECT v::text FROM ohlcv_" + timeframe + " v ORDER BY symbol, timestamp");
  }
  Result<Maintenance> maintain(const Retention& retention, Time at = now) const {
    return maintain_postgres(location, retention, at);
  }

  std::unique_ptr<test::PostgresDatabase> database;
  PostgresLocation location;
  std::unique_ptr<postgres::Connection> connection;
};

TEST_P(PostgresMaintenance, LeavesEveryRollupAsItWasWhenRawCandlesGo) {
  add_minutes("2024-07-20", "2024-10-20");
  run("INSERT INTO fact_ohlcv_revision SELECT *, ingested_at FROM fact_ohlcv "
      "WHERE extract(minute FROM timestamp) = 5");
  constexpr std::array timeframes{"5m", "15m", "1h", "4h", "1d", "1w"};
  std::vector<std::vector<std::string>> before;
  for (const auto* timeframe : timeframes) before.push_back(rollups(timeframe));
  ASSERT_GT(before.back().size(), 20U);

  const auto unlimited = maintain({});
  ASSERT_TRUE(unlimited) << unlimited.error().message;
  EXPECT_EQ(unlimited->dropped, 0) << "retention is off unless asked for";

  const auto done = maintain({.candles = days_60});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_GE(done->dropped, 1);
  const auto oldest = strings("SELECT min(timestamp) AT TIME ZONE 'UTC' || '' FROM fact_ohlcv");
  EXPECT_GT(oldest.front(), "2024-07-31");
  EXPECT_LE(oldest.front(), "2024-09-06") << "what is younger than 60 days stays";
  EXPECT_EQ(strings("SELECT count(*)::text FROM fact_ohlcv_revision r WHERE timestamp < "
                    "(SELECT before FROM raw_horizon)"),
            std::vector<std::string>{"0"});
  for (std::size_t i = 0; i < timeframes.size(); ++i) {
    EXPECT_EQ(rollups(timeframes[i]), before[i]) << timeframes[i];
  }
  const auto again = maintain({.candles = days_60});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->dropped, 0);
  for (std::size_t i = 0; i < timeframes.size(); ++i) {
    EXPECT_EQ(rollups(timeframes[i]), before[i]) << timeframes[i];
  }
}

TEST_P(PostgresMaintenance, AddsOldHistoryThatComesLateOnce) {
  add_minutes("2024-07-20", "2024-10-20");
  ASSERT_TRUE(maintain({.candles = days_60}));
  const auto before = rollups("1d");
  const auto horizon = strings("SELECT before::text FROM raw_horizon");
  // The same again, as if fetched anew, and two days that were never there.
  add_minutes("2024-07-18", "2024-07-22");
  EXPECT_EQ(rollups("1d"), before) << "not counted twice";
  const auto done = maintain({.candles = days_60});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_GE(done->dropped, 1);
  const auto after = rollups("1d");
  EXPECT_EQ(after.size(), before.size() + 4) << "two days of two symbols";
  EXPECT_TRUE(std::ranges::includes(after, before));
  EXPECT_EQ(strings("SELECT before::text FROM raw_horizon"), horizon);
}

TEST_P(PostgresMaintenance, ShowsALateCandleAndARevisionInEveryRollupAtOnce) {
  add_minutes("2024-09-01", "2024-09-03");
  const auto row = [this](const char* timeframe) {
    return strings(fmt::format("SELECT sum(bars) || ' ' || count(*) FILTER (WHERE high = 999) || "
                               "' ' || count(*) FILTER (WHERE low = 0.5) FROM ohlcv_{} WHERE "
                               "symbol = 'A/B'",
                               timeframe))
        .front();
  };
  const auto minutes = std::stoll(row("5m"));
  run("INSERT INTO fact_ohlcv SELECT exchange_id, crypto_id, timeframe, '2024-09-01 12:00', 1, "
      "999, 1, 1, 0, NULL, 0, 0, 0, true, 'rest', 0, now() FROM fact_ohlcv WHERE crypto_id = 1 "
      "LIMIT 1; UPDATE fact_ohlcv SET low = 0.5, revision = 1 WHERE timestamp = '2024-09-01 "
      "05:01'");
  for (const auto* timeframe : {"5m", "15m", "1h", "4h", "1d", "1w"}) {
    EXPECT_EQ(row(timeframe), fmt::format("{} 1 1", minutes + 1)) << timeframe;
  }
}

TEST_P(PostgresMaintenance, DropsTheOtherTablesEachByItsOwnTime) {
  if (is_plain()) {
    for (const auto* table : {"market_ticks", "technical_indicators", "fact_trade"}) {
      run(fmt::format("SELECT make_partition('{}', '2024-05-10')", table));
    }
  }
  for (const auto* moment : {"2024-05-10", "2024-11-04"}) {
    run(
        fmt::format("INSERT INTO market_ticks (symbol, exchange, exchange_symbol, window_interval, "
                    "exchange_ts, ingested_at) VALUES ('A/B', 'binance', 'AB', '1m', '{0}', '{0}');"
                    "INSERT INTO technical_indicators (symbol, exchange, exchange_symbol, "
                    "window_interval, exchange_ts, revision, created_at) VALUES ('A/B', 'binance', "
                    "'AB', '1m', '{0}', 0, '{0}');"
                    "INSERT INTO fact_trade SELECT exchange_id, 1, 7, '{0}', 1, 1, 1, 'buy', '{0}' "
                    "FROM dim_exchange",
                    moment));
  }
  const auto counts = [this] {
    return strings(
               "SELECT (SELECT count(*) FROM market_ticks) || ' ' || (SELECT count(*) FROM "
               "technical_indicators) || ' ' || (SELECT count(*) FROM fact_trade)")
        .front();
  };
  ASSERT_TRUE(maintain({.ticks = days_60}));
  EXPECT_EQ(counts(), "1 2 2");
  ASSERT_TRUE(maintain({.trades = days_60, .indicators = days_60}));
  EXPECT_EQ(counts(), "1 1 1");
}

TEST_P(PostgresMaintenance, MakesPartitionsAhead) {
  ASSERT_TRUE(maintain({}, now + std::chrono::days{200}));
  const auto there = strings("SELECT to_regclass('fact_ohlcv_p2025_08') IS NOT NULL || ''");
  EXPECT_EQ(there.front(), is_plain() ? "true" : "false");
}

TEST_P(PostgresMaintenance, RefusesToKeepRawRowsForLessThanAWeek) {
  const auto refused = maintain({.candles = std::chrono::days{6}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::misconfigured);
  // The functions refuse it as well, whoever calls them.
  EXPECT_FALSE(connection->query("SELECT keep_rollups(now() - interval '6 days')"));
  EXPECT_FALSE(connection->query("SELECT drop_raw('market_ticks', now() - interval '6 days')"));
  EXPECT_FALSE(connection->query("SELECT drop_raw('coverage', now() - interval '60 days')"));
}

TEST_P(PostgresMaintenance, NeedsOnlyTheWritersRole) {
  const auto files = embedded_files();
  const auto script = std::ranges::find(files, "warehouse/postgres/roles.sql", &EmbeddedFile::path);
  ASSERT_NE(script, files.end());
  add_minutes("2024-07-20", "2024-07-22");
  const auto before = rollups("5m");
  run(std::string(script->text));
  run("DROP ROLE IF EXISTS maintainer; CREATE ROLE maintainer LOGIN IN ROLE candlewick_writer");
  std::string url = location.url.reveal();
  const PostgresLocation writer{.url =
                                    Secret(url.replace(url.find("candlewick@"), 10, "maintainer"))};
  const auto done = maintain_postgres(writer, {.candles = days_60}, now);
  EXPECT_TRUE(done) << done.error().message;
  if (done) {
    EXPECT_GE(done->dropped, 1);
  }
  EXPECT_EQ(rollups("5m"), before);
  run("DROP OWNED BY maintainer; DROP ROLE maintainer");
}

// A stand-in for the procedure, which only the community edition can have.
TEST_P(PostgresMaintenance, RefreshesWhenTheServersOwnJobIsLate) {
  run("CREATE TABLE rollup_touched (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, day date "
      "NOT NULL, touched_at timestamptz NOT NULL DEFAULT now());"
      "CREATE TABLE called (at timestamptz);"
      "CREATE PROCEDURE refresh_rollups(job_id integer, config jsonb) LANGUAGE sql AS $$ DELETE "
      "FROM rollup_touched; INSERT INTO called VALUES ((config ->> 'at')::timestamptz) $$;"
      "INSERT INTO rollup_touched (day) VALUES ('2024-01-01'), ('2024-01-01'), ('2024-01-02')");
  auto done = maintain({});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(done->refreshed);
  EXPECT_EQ(done->days_touched, 2);
  run("UPDATE rollup_touched SET touched_at = now() - interval '6 minutes'");
  done = maintain({});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->refreshed);
  EXPECT_EQ(done->days_touched, 0);
  EXPECT_EQ(strings("SELECT (at = '2024-11-05 00:00:00+00') || '' FROM called"),
            std::vector<std::string>{"true"});
}

INSTANTIATE_TEST_SUITE_P(Kinds, PostgresMaintenance,
                         testing::Values(WarehouseKind::plain, WarehouseKind::timescale),
                         test::warehouse_kind_name);

}  // namespace
}  // namespace candlewick::warehouse
