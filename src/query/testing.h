// For tests: a warehouse in a temporary folder, filled without a sink.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/decimal.h"
#include "base/time.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"
#include "warehouse/catalogue.h"
#include "warehouse/database.h"
#include "warehouse/sqlite_warehouse.h"

namespace candlewick::query {

inline Decimal digits(std::string_view text) {
  return Decimal::parse(text).value();
}
inline Time at(std::string_view text) {
  return parse_rfc3339(text).value();
}

class QueryTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto catalogue = warehouse::Catalogue::parse(
        "asset,name,sector,launch_date,coingecko_id\n",
        "name,display_name,region,trading_fees\nbinance,Binance,Global,0.10\nkraken,Kraken,US,\n");
    ASSERT_TRUE(catalogue);
    auto opened =
        warehouse::open_sqlite_for_writing({.path = folder / "warehouse.db"}, *catalogue, Time{});
    ASSERT_TRUE(opened) << opened.error().message;
    writer = std::move(*opened);
    execute(
        "INSERT INTO dim_cryptocurrency VALUES "
        "(1, 'BTC/USDT', 'Bitcoin', 'Payments', '2009-01-03', 'BTC', 'USDT', 'bitcoin'),"
        "(2, 'ETH/USDT', 'Ethereum', NULL, NULL, 'ETH', 'USDT', NULL),"
        "(3, 'WBTC/USDT', 'Wrapped 100%', NULL, NULL, 'WBTC', 'USDT', NULL)");
    auto reading = warehouse::open_sqlite_for_reading(folder / "warehouse.db");
    ASSERT_TRUE(reading) << reading.error().message;
    database = std::move(*reading);
  }
  void execute(const std::string& sql) {
    const auto done = writer->execute(sql);
    ASSERT_TRUE(done) << done.error().message << "\n" << sql;
  }

  sqlite::TemporaryFolder folder;
  std::unique_ptr<sqlite::Database> writer;
  std::unique_ptr<warehouse::Database> database;
};

}  // namespace candlewick::query
