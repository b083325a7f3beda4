// For tests: a warehouse of every kind, filled without a sink.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/decimal.h"
#include "base/time.h"
#include "market/timeframe.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"
#include "test/support/warehouse_kind.h"
#include "warehouse/catalogue.h"
#include "warehouse/database.h"
#include "warehouse/postgres_warehouse.h"
#include "warehouse/sqlite_warehouse.h"

namespace candlewick::query {

inline Decimal digits(std::string_view text) {
  return Decimal::parse(text).value();
}
inline Time at(std::string_view text) {
  return parse_rfc3339(text).value();
}

// Fills a warehouse row by row, whatever it is made of.
class TestWriter {
 public:
  virtual ~TestWriter() = default;
  // SQL that every kind understands.
  virtual void execute(const std::string& sql) = 0;
  // `table`: its name, or "name (column, …)".
  virtual void insert(const std::string& table, const std::vector<schema::Value>& values) = 0;
  virtual Result<std::unique_ptr<warehouse::Database>> open_for_reading() = 0;
};

inline std::string insert_sql(const std::string& table, std::size_t values) {
  std::string places;
  for (std::size_t i = 1; i <= values; ++i) places += fmt::format("{}${}", i > 1 ? ", " : "", i);
  return fmt::format("INSERT INTO {} VALUES ({})", table, places);
}

class SqliteTestWriter final : public TestWriter {
 public:
  explicit SqliteTestWriter(const warehouse::Catalogue& catalogue) {
    auto opened = warehouse::open_sqlite_for_writing({.path = path()}, catalogue, Time{});
    EXPECT_TRUE(opened) << opened.error().message;
    if (opened) writer_ = std::move(*opened);
  }
  void execute(const std::string& sql) override {
    const auto done = writer_->execute(sql);
    EXPECT_TRUE(done) << done.error().message << "\n" << sql;
  }
  void insert(const std::string& table, const std::vector<schema::Value>& values) override {
    auto statement = writer_->prepare(insert_sql(table, values.size()));
    ASSERT_TRUE(statement) << statement.error().message;
    struct Binder {
      sqlite::Statement& statement;
      int parameter;
      void operator()(schema::Null) const { statement.bind_null(parameter); }
      void operator()(bool flag) const { statement.bind(parameter, std::int64_t{flag}); }
      void operator()(std::int64_t number) const { statement.bind(parameter, number); }
      void operator()(double number) const { statement.bind(parameter, number); }
      void operator()(Decimal number) const { statement.bind_copy(parameter, number.to_string()); }
      void operator()(Time moment) const { statement.bind(parameter, to_us(moment)); }
      void operator()(const std::string& text) const { statement.bind(parameter, text); }
      void operator()(const schema::Json& document) const {
        statement.bind(parameter, document.text);
      }
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::visit(Binder{*statement, static_cast<int>(i) + 1}, values[i]);
    }
    const auto done = statement->run();
    EXPECT_TRUE(done) << done.error().message;
  }
  Result<std::unique_ptr<warehouse::Database>> open_for_reading() override {
    return warehouse::open_sqlite_for_reading(path());
  }

 private:
  std::filesystem::path path() const { return folder_ / "warehouse.db"; }

  sqlite::TemporaryFolder folder_;
  std::unique_ptr<sqlite::Database> writer_;
};

class PostgresTestWriter final : public TestWriter {
 public:
  PostgresTestWriter(test::PostgresKind kind, const warehouse::Catalogue& catalogue)
      : database_(kind), location_{.url = Secret(database_.url())} {
    auto opened = warehouse::open_postgres_for_writing(location_, catalogue, Time{});
    EXPECT_TRUE(opened) << opened.error().message;
    if (opened) warehouse_ = std::move(*opened);
  }
  void execute(const std::string& sql) override {
    const auto done = warehouse_.connection->run(sql);
    EXPECT_TRUE(done) << done.error().message << "\n" << sql;
  }
  void insert(const std::string& table, const std::vector<schema::Value>& values) override {
    if (warehouse_.layout == warehouse::Layout::native) make_partitions(table, values);
    const auto done = warehouse_.connection->query(insert_sql(table, values.size()), values);
    EXPECT_TRUE(done) << done.error().message;
  }
  Result<std::unique_ptr<warehouse::Database>> open_for_reading() override {
    return warehouse::open_postgres_for_reading(location_);
  }

 private:
  // One for the month of every time in the row: some are not needed.
  void make_partitions(const std::string& table, const std::vector<schema::Value>& values) {
    const std::string name = table.substr(0, table.find(' '));
    if (name != "fact_ohlcv" && name != "fact_trade" && name != "market_ticks" &&
        name != "technical_indicators") {
      return;
    }
    for (const auto& value : values) {
      const auto* moment = std::get_if<Time>(&value);
      if (moment == nullptr) continue;
      if (!made_.emplace(name, open_of(Timeframe::mo1, *moment)).second) continue;
      const auto made = warehouse::make_partitions(*warehouse_.connection, name, *moment);
      EXPECT_TRUE(made) << made.error().message;
    }
  }

  test::PostgresDatabase database_;
  warehouse::PostgresLocation location_;
  warehouse::PostgresWarehouse warehouse_;
  std::set<std::pair<std::string, Time>> made_;
};

class QueryTest : public testing::TestWithParam<test::WarehouseKind> {
 protected:
  void SetUp() override {
    const auto kind = GetParam();
    if (const auto reason = test::skip_reason(kind); !reason.empty()) GTEST_SKIP() << reason;
    const auto catalogue = warehouse::Catalogue::parse(
        "asset,name,sector,launch_date,coingecko_id\n",
        "name,display_name,region,trading_fees\nbinance,Binance,Global,0.10\nkraken,Kraken,US,\n");
    ASSERT_TRUE(catalogue);
    if (kind == test::WarehouseKind::sqlite) {
      writer = std::make_unique<SqliteTestWriter>(*catalogue);
    } else {
      writer = std::make_unique<PostgresTestWriter>(test::postgres_kind(kind), *catalogue);
    }
    execute(
        "INSERT INTO dim_cryptocurrency VALUES "
        "(1, 'BTC/USDT', 'Bitcoin', 'Payments', '2009-01-03', 'BTC', 'USDT', 'bitcoin'),"
        "(2, 'ETH/USDT', 'Ethereum', NULL, NULL, 'ETH', 'USDT', NULL),"
        "(3, 'WBTC/USDT', 'Wrapped 100%', NULL, NULL, 'WBTC', 'USDT', NULL)");
    auto reading = writer->open_for_reading();
    ASSERT_TRUE(reading) << reading.error().message;
    database = std::move(*reading);
  }
  void execute(const std::string& sql) { writer->execute(sql); }
  void insert(const std::string& table, const std::vector<schema::Value>& values) {
    writer->insert(table, values);
  }

  std::unique_ptr<TestWriter> writer;
  std::unique_ptr<warehouse::Database> database;
};

}  // namespace candlewick::query
