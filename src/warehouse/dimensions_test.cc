// Ids, and the lives of a listing.
#include "warehouse/dimensions.h"

#include <gtest/gtest.h>

#include "log/testing.h"
#include "sqlite/testing.h"
#include "warehouse/database.h"
#include "warehouse/sqlite_warehouse.h"

namespace candlewick::warehouse {
namespace {

using log::at_minute;

struct Listing {
  std::string symbol = "LUNA/USDT";
  std::string exchange_symbol = "LUNAUSDT";
  std::string base = "LUNA";
  std::string status = "trading";
  std::string tick_size = "0.010";
  Time recorded_at = at_minute(0);
  std::string market = "spot";
};

schema::Row instrument_row(const Listing& listing) {
  return {
      .table = &schema::instruments,
      .values = {std::string("binance"), listing.symbol, listing.exchange_symbol, listing.market,
                 listing.base, std::string("USDT"), listing.status, log::decimal(listing.tick_size),
                 log::decimal("1"), schema::Null{}, listing.recorded_at}};
}

class DimensionRows : public testing::Test {
 protected:
  void SetUp() override {
    catalogue = Catalogue::parse(
                    "asset,name,sector,launch_date,coingecko_id\nBTC,Bitcoin,Store of "
                    "value,2009-01-03,bitcoin\n",
                    "name,display_name,region,trading_fees\n")
                    .value();
    database =
        open_sqlite_for_writing({.path = folder / "warehouse.db"}, catalogue, Time{}).value();
    dimensions = std::make_unique<Dimensions>(*database, catalogue);
  }
  std::vector<std::string> lines(const std::string& sql) {
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
  std::vector<std::string> lives() {
    return lines(
        "SELECT c.symbol, l.status, l.delisted_at IS NOT NULL FROM dim_listing l "
        "JOIN dim_cryptocurrency c USING (crypto_id) ORDER BY listing_id");
  }
  sqlite::TemporaryFolder folder;
  Catalogue catalogue;
  std::unique_ptr<sqlite::Database> database;
  std::unique_ptr<Dimensions> dimensions;
};

TEST_F(DimensionRows, NameWhatIsKnownAndLeaveTheRestNull) {
  const auto bitcoin = dimensions->crypto_id("BTC/USDT");
  const auto swap = dimensions->crypto_id("BTC/USDT:USDT");
  const auto other = dimensions->crypto_id("XYZ/EUR");
  ASSERT_TRUE(bitcoin && swap && other);
  EXPECT_NE(*bitcoin, *swap);
  dimensions->forget();
  EXPECT_EQ(dimensions->crypto_id("BTC/USDT").value(), *bitcoin);
  EXPECT_EQ(
      lines("SELECT symbol, name, sector, launch_date, base, quote, coingecko_id "
            "FROM dim_cryptocurrency ORDER BY crypto_id"),
      (std::vector<std::string>{"BTC/USDT Bitcoin Store of value 2009-01-03 BTC USDT bitcoin",
                                "BTC/USDT:USDT Bitcoin Store of value 2009-01-03 BTC USDT bitcoin",
                                "XYZ/EUR - - - XYZ EUR -"}));
}

TEST_F(DimensionRows, UpdateAListingInPlace) {
  ASSERT_TRUE(dimensions->apply_instrument(instrument_row({})));
  ASSERT_TRUE(dimensions->apply_instrument(
      instrument_row({.status = "halted", .tick_size = "0.0001", .recorded_at = at_minute(5)})));
  EXPECT_EQ(lines("SELECT status, tick_size, price_precision, size_precision FROM dim_listing"),
            std::vector<std::string>{"halted 0.0001 4 0"});
  EXPECT_EQ(
      lines("SELECT exchange, symbol, market, base, quote, status, step_size FROM instruments"),
      std::vector<std::string>{"binance LUNA/USDT spot LUNA USDT halted 1"});
}

TEST_F(DimensionRows, KeepADelistedListingAndBeginANewLifeWhenTheTickerIsUsedAgain) {
  ASSERT_TRUE(dimensions->apply_instrument(instrument_row({})));
  ASSERT_TRUE(dimensions->apply_instrument(
      instrument_row({.status = "delisted", .recorded_at = at_minute(5)})));
  ASSERT_TRUE(dimensions->apply_instrument(
      instrument_row({.status = "delisted", .recorded_at = at_minute(6)})));
  EXPECT_EQ(lines("SELECT delisted_at FROM dim_listing"),
            std::vector<std::string>{std::to_string(to_us(at_minute(5)))});
  ASSERT_TRUE(dimensions->apply_instrument(instrument_row({.recorded_at = at_minute(9)})));
  EXPECT_EQ(lives(), (std::vector<std::string>{"LUNA/USDT delisted 1", "LUNA/USDT trading 0"}));
}

TEST_F(DimensionRows, EndTheOldLifeWhenATickerMeansAnotherSymbol) {
  ASSERT_TRUE(dimensions->apply_instrument(instrument_row({})));
  ASSERT_TRUE(dimensions->apply_instrument(
      instrument_row({.symbol = "LUNC/USDT", .base = "LUNC", .recorded_at = at_minute(5)})));
  EXPECT_EQ(lives(), (std::vector<std::string>{"LUNA/USDT delisted 1", "LUNC/USDT trading 0"}));
  EXPECT_EQ(lines("SELECT symbol FROM instruments"), std::vector<std::string>{"LUNC/USDT"});
}

TEST_F(DimensionRows, KeepMarketsApartThatAnExchangeSpellsAlike) {
  ASSERT_TRUE(dimensions->apply_instrument(instrument_row({})));
  ASSERT_TRUE(dimensions->apply_instrument(
      instrument_row({.symbol = "LUNA/USDT:USDT", .recorded_at = at_minute(5), .market = "swap"})));
  ASSERT_TRUE(dimensions->apply_instrument(
      instrument_row({.status = "halted", .recorded_at = at_minute(6)})));
  EXPECT_EQ(lives(), (std::vector<std::string>{"LUNA/USDT halted 0", "LUNA/USDT:USDT trading 0"}));
  EXPECT_EQ(lines("SELECT symbol, market FROM instruments ORDER BY symbol"),
            (std::vector<std::string>{"LUNA/USDT spot", "LUNA/USDT:USDT swap"}));
}

TEST_F(DimensionRows, DoNotChangeWhenOldNewsComesAgain) {
  const std::vector<schema::Row> history{
      instrument_row({}), instrument_row({.status = "delisted", .recorded_at = at_minute(5)}),
      instrument_row({.recorded_at = at_minute(9)})};
  for (const auto& row : history) ASSERT_TRUE(dimensions->apply_instrument(row));
  const auto before = lines("SELECT * FROM dim_listing");
  for (const auto& row : history) ASSERT_TRUE(dimensions->apply_instrument(row));
  EXPECT_EQ(lines("SELECT * FROM dim_listing"), before);
}

TEST_F(DimensionRows, AreReadByNumberedParametersInAnyOrder) {
  ASSERT_TRUE(dimensions->crypto_id("BTC/USDT"));
  auto reader = open_sqlite_for_reading(folder / "warehouse.db");
  ASSERT_TRUE(reader) << reader.error().message;
  using enum schema::ColumnType;
  const std::array<schema::Value, 3> parameters{std::string("b"), std::int64_t{2},
                                                log::decimal("0.50")};
  const std::array types{integer, text, decimal, text, time, boolean, json, real};
  const auto rows =
      (*reader)->select("SELECT $2, $1, $3, NULL, 1500000, 1, '[1]', 0.5", parameters, types);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->front(),
            (Values{std::int64_t{2}, std::string("b"), log::decimal("0.5"), schema::Null{},
                    time_from_us(1'500'000), true, schema::Json{"[1]"}, 0.5}));
}

}  // namespace
}  // namespace candlewick::warehouse
