// The SQL that people are given is the SQL that the sink means; cells hold exact digits.
#include "sink/snowflake_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sink/snowflake_rows.h"
#include "sink/testing.h"
#include "warehouse/embedded.h"

namespace candlewick::sink::snowflake {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string embedded(std::string_view path) {
  for (const auto& file : warehouse::embedded_files()) {
    if (file.path == path) return std::string(file.text);
  }
  return {};
}

const SetupNames names{
    .database = "CANDLEWICK", .schema = "PUBLIC", .role = "CANDLEWICK", .warehouse = "CANDLEWICK"};

// If right, write what is expected here into the file.
TEST(SnowflakeTables, AreTheScriptsOfSqlSnowflake) {
  EXPECT_EQ(embedded("snowflake/session.sql"), setup_script(names, true, false));
  EXPECT_EQ(embedded("snowflake/streaming.sql"), setup_script(names, true, true));
}

TEST(SnowflakeTables, HaveEveryColumnOfTheSchemaInItsOrder) {
  for (const auto& target : targets(true)) {
    if (target.name != "MARKET_TICKS" && target.name != "TECHNICAL_INDICATORS") continue;
    const auto& table =
        target.name == "MARKET_TICKS" ? schema::market_ticks : schema::technical_indicators;
    ASSERT_EQ(target.columns.size(), table.columns.size());
    EXPECT_EQ(target.time_column, "EXCHANGE_TS");
  }
  EXPECT_EQ(targets(false).size(), 2U);
  EXPECT_EQ(targets(true).back().name, "MARKET_TICKS");
}

TEST(SnowflakeTables, GuardRowsByWhatGrows) {
  std::map<std::string, std::string> merges;
  for (const auto& target : targets(true)) merges[target.name] = merge_sql(target, std::nullopt);
  EXPECT_THAT(merges["MARKET_TICKS"], Not(HasSubstr("WHEN MATCHED")));
  EXPECT_THAT(merges["MARKET_TICKS"], HasSubstr(R"(PARSE_JSON("BID_DEPTH") AS "BID_DEPTH")"));
  EXPECT_THAT(merges["TECHNICAL_INDICATORS"],
              HasSubstr(R"(WHEN MATCHED AND (S."REVISION" > COALESCE(T."REVISION", -1)))"));
  EXPECT_THAT(merges["FACT_OHLCV"], HasSubstr(R"(S."IS_CLOSED" AND NOT T."IS_CLOSED")"));
  EXPECT_THAT(merges["DIM_LISTING"], HasSubstr(R"(S."RECORDED_AT" >= T."RECORDED_AT")"));
}

class SnowflakeRows : public ::testing::Test {
 protected:
  std::vector<TargetRow> map(const schema::Row& row, bool exchange_style = false) {
    RowMapper mapper(targets(true), catalogue, exchange_style);
    std::vector<TargetRow> rows;
    EXPECT_TRUE(mapper.append({.sequence = 1, .row = row}, rows));
    return rows;
  }
  std::string name_of(const TargetRow& row) { return targets(true)[row.target].name; }
  warehouse::Catalogue catalogue = warehouse::Catalogue::built_in().value();
};

TEST_F(SnowflakeRows, KeepDigitsAndSpellSymbolsAsTold) {
  const auto row = tick_row("12345678901234567890.123456789012345678");
  const auto unified = map(row);
  ASSERT_EQ(unified.size(), 1U);
  EXPECT_EQ(unified[0].cells[0], "BTC/USDT");
  EXPECT_EQ(unified[0].cells[9], "12345678901234567890.123456789012345678");
  EXPECT_EQ(unified[0].cells[4], "2023-03-28 10:41:00");
  EXPECT_EQ(map(row, true)[0].cells[0], "BTCUSDT");
}

TEST_F(SnowflakeRows, NameTheDimensionsOfACandleOnce) {
  RowMapper mapper(targets(true), catalogue, false);
  std::vector<TargetRow> rows;
  ASSERT_TRUE(mapper.append({.sequence = 1, .row = log::candle_row({})}, rows));
  ASSERT_TRUE(mapper.append({.sequence = 2, .row = log::candle_row({})}, rows));
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(name_of(rows[0]), "DIM_EXCHANGE");
  EXPECT_EQ(name_of(rows[1]), "DIM_CRYPTOCURRENCY");
  EXPECT_EQ(rows[1].cells[2], "Bitcoin");
  EXPECT_EQ(rows[2].cells[0], rows[0].cells[0]);
  EXPECT_EQ(rows[2].cells[1], rows[1].cells[0]);
}

TEST_F(SnowflakeRows, HaveIdsThatDependOnNamesAlone) {
  EXPECT_EQ(id_of("BTC/USDT"), 1'363'302'866'872'080);
  EXPECT_NE(id_of("BTC/USDT"), id_of("ETH/USDT"));
  EXPECT_LT(id_of("binance"), std::int64_t{1} << 53);
}

TEST_F(SnowflakeRows, OfOtherTablesAreNotWritten) {
  EXPECT_TRUE(map(coverage_row({.state = "live"})).empty());
}

TEST_F(SnowflakeRows, WithAValueOfTheWrongTypeAreRefused) {
  RowMapper mapper(targets(true), catalogue, false);
  std::vector<TargetRow> rows;
  auto row = tick_row("1");
  row.values[schema::market_ticks.index_of("last_price")] = std::string("much");
  EXPECT_EQ(mapper.append({.sequence = 1, .row = row}, rows).error().kind, ErrorKind::malformed);
  row.values[schema::market_ticks.index_of("last_price")] = schema::Null{};
  row.values[schema::market_ticks.index_of("symbol")] = schema::Null{};
  EXPECT_EQ(mapper.append({.sequence = 1, .row = row}, rows).error().kind, ErrorKind::malformed);
  EXPECT_TRUE(rows.empty());
}

}  // namespace
}  // namespace candlewick::sink::snowflake
