// What is the embedded warehouse's own; warehouse_contract_test.cc has what all of them owe.
#include "sink/sqlite_warehouse.h"

#include <gtest/gtest.h>

#include <thread>

#include "sink/testing.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"
#include "warehouse/database.h"

namespace candlewick::sink {
namespace {

class SqliteWarehouseSink : public testing::Test {
 protected:
  void SetUp() override {
    sink = make_sqlite_warehouse({.path = folder / "warehouse.db"}, clock);
    const auto opened = sink->open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  Result<void> write(std::vector<schema::Row> rows) {
    std::vector<log::Entry> entries;
    for (auto& row : rows) entries.push_back({++sequence, std::move(row)});
    return sink->write(Batch("log", std::move(entries)));
  }
  std::vector<std::string> lines(const std::string& sql) {
    auto database = sqlite::Database::open({.path = folder / "warehouse.db"}).value();
    auto statement = database->prepare(sql);
    EXPECT_TRUE(statement) << statement.error().message;
    std::vector<std::string> result;
    while (statement->step().value()) {
      std::string line;
      for (int i = 0; i < statement->column_count(); ++i) {
        line += (i > 0 ? " " : "") + statement->optional_text(i).value_or("-");
      }
      result.push_back(line);
    }
    return result;
  }
  std::vector<std::string> stored() {
    return lines("SELECT close, is_closed, revision FROM fact_ohlcv ORDER BY timestamp");
  }
  using Lines = std::vector<std::string>;

  sqlite::TemporaryFolder folder;
  FakeClock clock{at_minute(100)};
  std::unique_ptr<Sink> sink;
  log::Sequence sequence = 0;
};

TEST_F(SqliteWarehouseSink, StoresExactDigits) {
  ASSERT_TRUE(write({candle_row(
      {.close = "99999999999999999999.999999999999999999", .volume = "0.000000000000000001"})}));
  EXPECT_EQ(lines("SELECT close, volume FROM fact_ohlcv"),
            Lines{"99999999999999999999.999999999999999999 0.000000000000000001"});
  EXPECT_EQ(lines("SELECT exchange, symbol, timeframe, quote_volume, typeof(close) FROM ohlcv"),
            Lines{"binance BTC/USDT 1m 7.0 real"});
}

TEST_F(SqliteWarehouseSink, SaysThatTheDiskIsFullAndLosesNothing) {
  sink = make_sqlite_warehouse({.path = folder / "warehouse.db", .max_pages = 60}, clock);
  ASSERT_TRUE(sink->open());
  Result<void> outcome;
  std::int64_t batches = 0;
  for (; batches < 100 && outcome; ++batches) outcome = write(candle_rows(batches * 100, 100));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::transient);
  EXPECT_NE(outcome.error().message.find("the disk is full"), std::string::npos);
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv"), Lines{std::to_string((batches - 1) * 100)});
  EXPECT_EQ(sink->position("log")->value(), (batches - 1) * 100);
}

TEST_F(SqliteWarehouseSink, LetsReadersSeeWholeBatchesWhileItWrites) {
  std::thread writer([this] {
    for (std::int64_t i = 0; i < 40; ++i) {
      if (!write(candle_rows(i * 25, 25))) return;
    }
  });
  auto reader = warehouse::open_sqlite_for_reading(folder / "warehouse.db");
  ASSERT_TRUE(reader);
  constexpr std::array types{schema::ColumnType::integer, schema::ColumnType::integer};
  std::int64_t seen = 0;
  while (seen < 1000) {
    const auto rows = (*reader)->select(
        "SELECT (SELECT count(*) FROM fact_ohlcv), (SELECT coalesce(max(sequence), 0) FROM "
        "log_position)",
        {}, types);
    ASSERT_TRUE(rows) << rows.error().message;
    seen = std::get<std::int64_t>(rows->front()[0]);
    ASSERT_EQ(seen % 25, 0);
    ASSERT_EQ(seen, std::get<std::int64_t>(rows->front()[1]));
  }
  writer.join();
}

}  // namespace
}  // namespace candlewick::sink
