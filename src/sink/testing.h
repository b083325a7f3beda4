// For tests: rows of the warehouse's tables, and warehouses of every kind behind one interface.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "log/testing.h"
#include "postgres/connection.h"
#include "sink/postgres_warehouse.h"
#include "sink/sqlite_warehouse.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"
#include "test/support/postgres_server.h"
#include "test/support/warehouse_kind.h"

namespace candlewick::sink {

using log::at_minute;
using log::candle_row;
using log::candle_rows;
using log::CandleCells;

struct Assertion {
  std::string symbol = "BTC/USDT";
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string state;
  std::int64_t seq = 0;
};

inline schema::Row coverage_row(const Assertion& assertion) {
  return {
      .table = &schema::coverage,
      .values = {std::string("binance"), assertion.symbol, std::string("1m"),
                 std::string("candles"), at_minute(assertion.from), at_minute(assertion.to),
                 assertion.state, schema::Null{}, schema::Null{}, at_minute(1000), assertion.seq}};
}

inline schema::Row tick_row(const std::string& price) {
  schema::Row row{.table = &schema::market_ticks, .values = {}};
  for (const auto& column : schema::market_ticks.columns) {
    if (column.name == "symbol")
      row.values.emplace_back(std::string("BTC/USDT"));
    else if (column.name == "exchange")
      row.values.emplace_back(std::string("binance"));
    else if (column.name == "exchange_symbol")
      row.values.emplace_back(std::string("BTCUSDT"));
    else if (column.name == "window_interval")
      row.values.emplace_back(std::string("1m"));
    else if (column.name == "exchange_ts")
      row.values.emplace_back(at_minute(1));
    else if (column.name == "ingested_at")
      row.values.emplace_back(at_minute(2));
    else if (column.name == "last_price")
      row.values.emplace_back(log::decimal(price));
    else if (column.name == "bid_depth")
      row.values.emplace_back(schema::Json{R"([["1","2"]])"});
    else
      row.values.emplace_back(schema::Null{});
  }
  return row;
}

inline schema::Row indicator_row(double rsi, std::int64_t revision) {
  schema::Row row{.table = &schema::technical_indicators, .values = {}};
  for (const auto& column : schema::technical_indicators.columns) {
    if (column.name == "rsi_14")
      row.values.emplace_back(rsi);
    else if (column.name == "revision")
      row.values.emplace_back(revision);
    else if (column.name == "exchange_ts" || column.name == "created_at")
      row.values.emplace_back(at_minute(1));
    else if (column.nullable)
      row.values.emplace_back(schema::Null{});
    else
      row.values.emplace_back(std::string("x"));
  }
  return row;
}

struct TradeCells {
  std::string id = "1";
  std::string symbol = "BTC/USDT";
  Time exchange_time = at_minute(1);
  std::string price = "60000.1";
  Time ingested_at = at_minute(2);
};

inline schema::Row trade_row(const TradeCells& cells) {
  return {.table = &schema::fact_trade,
          .values = {std::string("binance"), cells.symbol, cells.exchange_time, cells.id,
                     log::decimal(cells.price), log::decimal("0.5"), schema::Null{},
                     std::string("buy"), cells.ingested_at}};
}

inline schema::Row checkpoint_row(std::int64_t minute, const std::string& state) {
  return {.table = &schema::indicator_checkpoint,
          .values = {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
                     at_minute(minute), state, at_minute(minute)}};
}

// A warehouse that a sink fills and a test looks into.
class TestWarehouse {
 public:
  virtual ~TestWarehouse() = default;
  virtual std::unique_ptr<Sink> make_sink(const Clock& clock,
                                          bool exchange_symbol_style = false) = 0;
  // Each row's cells as text, a space between; null is "-", booleans are 0 and 1.
  virtual std::vector<std::string> lines(const std::string& sql) = 0;
  // A time as lines() shows it, as a literal of SQL, and a column's minutes since at_minute(0).
  virtual std::string moment(Time time) const = 0;
  virtual std::string literal(Time time) const = 0;
  virtual std::string minute_sql(const std::string& column) const = 0;
  // Closes what lines() keeps open, which a child process must not share.
  virtual void disconnect() {}
};

class SqliteTestWarehouse final : public TestWarehouse {
 public:
  std::unique_ptr<Sink> make_sink(const Clock& clock, bool exchange_symbol_style) override {
    return make_sqlite_warehouse({.path = path(), .exchange_symbol_style = exchange_symbol_style},
                                 clock);
  }
  std::vector<std::string> lines(const std::string& sql) override {
    auto database = sqlite::Database::open({.path = path()}).value();
    auto statement = database->prepare(sql);
    EXPECT_TRUE(statement) << statement.error().message;
    std::vector<std::string> result;
    while (statement && statement->step().value()) {
      std::string line;
      for (int i = 0; i < statement->column_count(); ++i) {
        line += (i > 0 ? " " : "") + statement->optional_text(i).value_or("-");
      }
      result.push_back(line);
    }
    return result;
  }
  std::string moment(Time time) const override { return std::to_string(to_us(time)); }
  std::string literal(Time time) const override { return moment(time); }
  std::string minute_sql(const std::string& column) const override {
    return fmt::format("({} - {}) / 60000000", column, to_us(at_minute(0)));
  }
  std::filesystem::path path() const { return folder_ / "warehouse.db"; }

 private:
  sqlite::TemporaryFolder folder_;
};

class PostgresTestWarehouse final : public TestWarehouse {
 public:
  explicit PostgresTestWarehouse(test::PostgresKind kind) : database_(kind) {}

  PostgresWarehouseOptions options() const {
    return {.location = {.url = Secret(database_.url())}};
  }
  std::unique_ptr<Sink> make_sink(const Clock& clock, bool exchange_symbol_style) override {
    auto made = options();
    made.exchange_symbol_style = exchange_symbol_style;
    return make_postgres_warehouse(std::move(made), clock);
  }
  std::unique_ptr<postgres::Connection> connect() const {
    auto opened = postgres::Connection::open({.url = Secret(database_.url())});
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  std::vector<std::string> lines(const std::string& sql) override {
    if (connection_ == nullptr || !connection_->is_usable()) connection_ = connect();
    const auto rows = connection_->query(sql);
    EXPECT_TRUE(rows) << rows.error().message << "\n" << sql;
    std::vector<std::string> result;
    for (std::size_t r = 0; rows && r < rows->size(); ++r) {
      std::string line;
      for (std::size_t c = 0; c < rows->columns(); ++c) {
        line += (c > 0 ? " " : "") + rows->optional_text(r, c).value_or("-");
      }
      result.push_back(line);
    }
    return result;
  }
  std::string moment(Time time) const override { return to_rfc3339(time); }
  std::string literal(Time time) const override { return "'" + to_rfc3339(time) + "'"; }
  std::string minute_sql(const std::string& column) const override {
    return fmt::format("(extract(epoch FROM {})::bigint - {}) / 60", column,
                       to_us(at_minute(0)) / 1'000'000);
  }
  const test::PostgresDatabase& database() const { return database_; }
  void disconnect() override { connection_.reset(); }

 private:
  test::PostgresDatabase database_;
  std::unique_ptr<postgres::Connection> connection_;
};

inline std::unique_ptr<TestWarehouse> make_test_warehouse(test::WarehouseKind kind) {
  if (kind == test::WarehouseKind::sqlite) return std::make_unique<SqliteTestWarehouse>();
  return std::make_unique<PostgresTestWarehouse>(test::postgres_kind(kind));
}

}  // namespace candlewick::sink
