// Migrating: once, twice, from a newer program, after a file was changed; and that the warehouse
// has every column of the schema.
#include "warehouse/migration.h"

#include <gtest/gtest.h>

#include <set>

#include "schema/table.h"
#include "sqlite/testing.h"
#include "warehouse/sqlite_warehouse.h"

namespace candlewick::warehouse {
namespace {

using sqlite::TemporaryFolder;

std::set<std::string> strings(sqlite::Database& database, const std::string& sql) {
  auto statement = database.prepare(sql);
  EXPECT_TRUE(statement) << statement.error().message;
  std::set<std::string> result;
  while (statement->step().value()) result.emplace(statement->text(0));
  return result;
}

class Migrating : public testing::Test {
 protected:
  std::unique_ptr<sqlite::Database> open(const std::string& name = "warehouse.db") {
    auto opened = sqlite::Database::open({.path = folder / name});
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
  TemporaryFolder folder;
  const std::vector<Migration> known = migrations_in("warehouse/sqlite");
};

TEST_F(Migrating, AppliesEachMigrationOnce) {
  auto database = open();
  EXPECT_EQ(migrate(*database, known, Time{}).value(), static_cast<int>(known.size()));
  EXPECT_EQ(migrate(*database, known, Time{}).value(), 0);
  EXPECT_EQ(migrate(*open(), known, Time{}).value(), 0);
  EXPECT_EQ(database->integer("SELECT count(*) FROM schema_migration").value(),
            static_cast<std::int64_t>(known.size()));
}

TEST_F(Migrating, GivesTheSameSchemaInOneStepOrInMany) {
  auto at_once = open("at_once.db");
  ASSERT_TRUE(migrate(*at_once, known, Time{}));
  auto stepwise = open("stepwise.db");
  for (std::size_t i = 1; i <= known.size(); ++i) {
    ASSERT_EQ(
        migrate(*stepwise, {known.begin(), known.begin() + static_cast<std::ptrdiff_t>(i)}, Time{})
            .value(),
        1);
  }
  const std::string all = "SELECT type || name || coalesce(sql, '') FROM sqlite_schema";
  EXPECT_EQ(strings(*at_once, all), strings(*stepwise, all));
}

TEST_F(Migrating, LeavesNothingOfAMigrationThatFails) {
  auto database = open();
  const std::vector<Migration> broken{
      {1, "0001_broken.sql", "CREATE TABLE a (x); CREATE TABLE b (x); NONSENSE;", "c"}};
  ASSERT_FALSE(migrate(*database, broken, Time{}));
  EXPECT_EQ(strings(*database, "SELECT name FROM sqlite_schema"),
            std::set<std::string>{"schema_migration"});
}

TEST_F(Migrating, RefusesADatabaseThatIsNewerThanTheProgram) {
  auto database = open();
  auto newer = known;
  newer.push_back(
      {static_cast<int>(known.size()) + 1, "9999_later.sql", "CREATE TABLE later (x)", "c"});
  ASSERT_TRUE(migrate(*database, newer, Time{}));
  const auto outcome = migrate(*database, known, Time{});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(outcome.error().message.find("newer than this program"), std::string::npos);
  EXPECT_FALSE(check_migrated(*database, known));
}

TEST_F(Migrating, RefusesAnAppliedMigrationThatWasChanged) {
  auto database = open();
  ASSERT_TRUE(migrate(*database, known, Time{}));
  auto changed = known;
  changed[0].checksum = checksum_of("something else");
  const auto outcome = migrate(*database, changed, Time{});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured);
}

TEST_F(Migrating, TellsAReaderToMigrateFirst) {
  auto database = open();
  EXPECT_FALSE(check_migrated(*database, known)) << "an empty file is no warehouse";
  ASSERT_TRUE(migrate(*database, {known.begin(), known.begin() + 1}, Time{}));
  const auto outcome = check_migrated(*database, known);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("candlewick migrate"), std::string::npos);
  ASSERT_TRUE(migrate(*database, known, Time{}));
  EXPECT_TRUE(check_migrated(*database, known));
}

// Fails when a column is added to the schema and not to a migration.
TEST_F(Migrating, MakesEveryTableAndColumnOfTheSchema) {
  auto database = open();
  ASSERT_TRUE(migrate(*database, known, Time{}));
  for (const auto* table : schema::all_tables()) {
    const auto columns =
        strings(*database, fmt::format("SELECT name FROM pragma_table_info('{}')", table->name));
    ASSERT_FALSE(columns.empty()) << table->name;
    const bool has_ids = columns.contains("exchange_id");
    for (const auto& column : table->columns) {
      const std::string name = has_ids && column.name == "exchange" ? "exchange_id"
                               : has_ids && column.name == "symbol" ? "crypto_id"
                                                                    : std::string(column.name);
      EXPECT_TRUE(columns.contains(name)) << table->name << "." << name;
    }
  }
}

TEST_F(Migrating, KeepsTradesWhoseIdsWereNumbers) {
  auto database = open();
  ASSERT_TRUE(migrate(*database, {known.begin(), known.begin() + 6}, Time{}));
  ASSERT_TRUE(database->execute(
      "INSERT INTO dim_exchange (exchange_id, name) VALUES (1, 'binance');"
      "INSERT INTO dim_cryptocurrency (crypto_id, symbol, base, quote) VALUES (2, 'BTC/USDT', "
      "'BTC', 'USDT');"
      "INSERT INTO fact_trade (exchange_id, crypto_id, trade_id, exchange_time, price, size, "
      "taker_side, ingested_at) VALUES (1, 2, 77, 5, '1.5', '2', 'buy', 6)"));
  ASSERT_TRUE(migrate(*database, known, Time{}));
  EXPECT_EQ(strings(*database,
                    "SELECT typeof(trade_id) || ' ' || trade_id || ' ' || exchange_time || ' ' || "
                    "price || ' ' || size || ' ' || taker_side || ' ' || ingested_at FROM "
                    "fact_trade"),
            std::set<std::string>{"text 77 5 1.5 2 buy 6"});
}

TEST_F(Migrating, AllowsNullsExactlyWhereTheSchemaDoes) {
  auto database = open();
  ASSERT_TRUE(migrate(*database, known, Time{}));
  for (const auto* table : schema::all_tables()) {
    if (table == &schema::instruments) continue;  // a view here
    const auto required = strings(
        *database,
        fmt::format("SELECT name FROM pragma_table_info('{}') WHERE \"notnull\"", table->name));
    for (const auto& column : table->columns) {
      if (required.contains("exchange_id") &&
          (column.name == "exchange" || column.name == "symbol"))
        continue;
      EXPECT_EQ(required.contains(std::string(column.name)), !column.nullable)
          << table->name << "." << column.name;
    }
  }
}

TEST_F(Migrating, FillsTheDimensionsWithoutOverwritingThem) {
  const auto catalogue = Catalogue::parse(
      "asset,name,sector,launch_date,coingecko_id\nNEW,\"New, Coin\",,2024-01-02,new-coin\n",
      "name,display_name,region,trading_fees\nbinance,Binance,Global,0.1\n");
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  auto opened =
      open_sqlite_for_writing({.path = folder / "deep" / "warehouse.db"}, *catalogue, Time{});
  ASSERT_TRUE(opened) << opened.error().message;
  auto& database = **opened;
  ASSERT_TRUE(
      database.execute("INSERT INTO dim_cryptocurrency (symbol, base, quote, sector) VALUES "
                       "('NEW/USDT', 'NEW', 'USDT', 'Mine');"
                       "UPDATE dim_exchange SET region = 'Here'"));
  ASSERT_TRUE(seed(database, *catalogue));
  EXPECT_EQ(strings(database,
                    "SELECT name || sector || launch_date || coingecko_id FROM dim_cryptocurrency"),
            std::set<std::string>{"New, CoinMine2024-01-02new-coin"});
  EXPECT_EQ(
      strings(database, "SELECT name || display_name || region || trading_fees FROM dim_exchange"),
      std::set<std::string>{"binanceBinanceHere0.1"});
}

TEST(BuiltInCatalogue, KnowsTheDefaultSymbolsAndExchange) {
  const auto catalogue = Catalogue::built_in();
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  for (const auto& [asset, name] : {std::pair{"BTC", "Bitcoin"}, std::pair{"ETH", "Ethereum"},
                                    std::pair{"SOL", "Solana"}, std::pair{"BNB", "BNB"}}) {
    const auto* found = catalogue->find_asset(asset);
    ASSERT_NE(found, nullptr) << asset;
    EXPECT_EQ(found->name, name);
    EXPECT_TRUE(found->coingecko_id) << asset;
  }
  EXPECT_EQ(catalogue->find_asset("NO SUCH ASSET"), nullptr);
  std::set<std::string> exchanges;
  for (const auto& exchange : catalogue->exchanges()) exchanges.insert(exchange.name);
  EXPECT_TRUE(exchanges.contains("binance"));
}

TEST(BuiltInCatalogue, NamesEachAssetOnce) {
  const auto catalogue = Catalogue::built_in();
  ASSERT_TRUE(catalogue);
  std::set<std::string> seen;
  for (const auto& asset : catalogue->assets())
    EXPECT_TRUE(seen.insert(asset.asset).second) << asset.asset;
}

TEST(CatalogueText, IsReadWithQuotesAndRefusedWhenItIsBroken) {
  constexpr std::array<std::string_view, 2> header{"a", "b"};
  const auto read = parse_csv("a,b\r\n1,\"x \"\"y\"\", z\"\r\n\n\"two\nlines\",\n", header);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read,
            (std::vector<std::vector<std::string>>{{"1", "x \"y\", z"}, {"two\nlines", ""}}));
  for (const auto* broken : {"a,c\n", "a,b\n1\n", "a,b\n1,2,3\n", "a,b\n\"1,2\n"}) {
    EXPECT_FALSE(parse_csv(broken, header)) << broken;
  }
}

TEST(SymbolParts, AreBaseAndQuote) {
  EXPECT_EQ(parts_of("BTC/USDT").base, "BTC");
  EXPECT_EQ(parts_of("BTC/USDT").quote, "USDT");
  EXPECT_EQ(parts_of("BTC/USDT:USDT").quote, "USDT");
  EXPECT_EQ(parts_of("BTC").base, "BTC");
  EXPECT_EQ(parts_of("BTC").quote, "");
}

}  // namespace
}  // namespace candlewick::warehouse
