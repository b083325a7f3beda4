// Ticks, indicators, the catalogue, coverage and checkpoints from a filled warehouse.
#include "query/snapshots.h"

#include "query/catalogue.h"
#include "query/checkpoint.h"
#include "query/coverage.h"
#include "query/testing.h"

namespace candlewick::query {
namespace {

class Snapshots : public QueryTest {
 protected:
  void tick(const std::string& exchange, const std::string& symbol, int ts,
            const std::string& price) {
    std::string exchange_symbol = symbol;
    std::erase(exchange_symbol, '/');
    execute(
        fmt::format("INSERT INTO market_ticks (symbol, exchange, exchange_symbol, window_interval, "
                    "exchange_ts, "
                    "last_price, bid_depth, price_change_pct_1h, ingested_at) VALUES ('{}', '{}', "
                    "'{}', '1m', {}, "
                    "'{}', '[[\"1\",\"2\"]]', 1.5, 9)",
                    symbol, exchange, exchange_symbol, ts, price));
  }
  static std::vector<std::string> lines(const Result<std::vector<schema::Row>>& rows) {
    std::vector<std::string> result;
    if (!rows) return {rows.error().message};
    for (const auto& row : *rows) {
      result.push_back(fmt::format("{} {} {} {}", std::get<std::string>(row.at("exchange")),
                                   std::get<std::string>(row.at("symbol")),
                                   to_us(std::get<Time>(row.at("exchange_ts"))),
                                   std::get<Decimal>(row.at("last_price")).to_string()));
    }
    return result;
  }
  using Lines = std::vector<std::string>;
};

TEST_F(Snapshots, OfTheLatestMomentOfEachSeries) {
  EXPECT_EQ(lines(latest_ticks(*database, {})), Lines{});
  for (int ts = 1; ts <= 3; ++ts) {
    tick("binance", "BTC/USDT", ts, std::to_string(100 + ts));
    tick("kraken", "BTC/USDT", ts * 10, std::to_string(200 + ts));
  }
  tick("binance", "ETH/USDT", 2, "7.10");
  EXPECT_EQ(lines(latest_ticks(*database, {})),
            (Lines{"binance BTC/USDT 3 103", "binance ETH/USDT 2 7.1", "kraken BTC/USDT 30 203"}));
  EXPECT_EQ(lines(latest_ticks(*database, {.symbol = "BTCUSDT"})),
            (Lines{"binance BTC/USDT 3 103", "kraken BTC/USDT 30 203"}));
  EXPECT_EQ(lines(latest_ticks(*database, {.exchange = "kraken", .symbol = "BTC/USDT"})),
            Lines{"kraken BTC/USDT 30 203"});
  EXPECT_EQ(lines(latest_ticks(*database, {.limit = 1})), Lines{"binance BTC/USDT 3 103"});
  EXPECT_EQ(lines(latest_ticks(*database, {.window_interval = "5m"})), Lines{});
}

TEST_F(Snapshots, InARangeAndOrder) {
  for (int ts = 1; ts <= 5; ++ts) tick("binance", "BTC/USDT", ts, std::to_string(ts));
  EXPECT_EQ(lines(ticks(*database, {.start = time_from_us(2), .end = time_from_us(4)})),
            (Lines{"binance BTC/USDT 2 2", "binance BTC/USDT 3 3"}));
  EXPECT_EQ(lines(ticks(*database, {.limit = 2, .order = Order::descending})),
            (Lines{"binance BTC/USDT 5 5", "binance BTC/USDT 4 4"}));
}

TEST_F(Snapshots, HaveEveryColumnInItsType) {
  tick("binance", "BTC/USDT", 1, "1");
  const auto rows = ticks(*database, {});
  ASSERT_TRUE(rows && rows->size() == 1);
  const auto& row = rows->front();
  ASSERT_EQ(row.values.size(), schema::market_ticks.columns.size());
  EXPECT_EQ(std::get<double>(row.at("price_change_pct_1h")), 1.5);
  EXPECT_EQ(std::get<schema::Json>(row.at("bid_depth")).text, R"([["1","2"]])");
  EXPECT_TRUE(schema::is_null(row.at("market_cap")));
  schema::RowReader reader;
  EXPECT_EQ(reader.read(schema::to_json(row)).value(), row);
}

TEST_F(Snapshots, OfIndicatorsAreReadTheSameWay) {
  execute(
      "INSERT INTO technical_indicators (symbol, exchange, exchange_symbol, window_interval, "
      "exchange_ts, "
      "rsi_14, extra, revision, created_at) VALUES ('BTC/USDT', 'binance', 'BTCUSDT', '1m', 1, "
      "40.5, NULL, 0, 1),"
      "('BTC/USDT', 'binance', 'BTCUSDT', '1m', 2, 41.5, '{\"atr_14\":2}', 1, 2)");
  const auto all = indicators(*database, {.exchange = "binance"});
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->size(), 2U);
  const auto latest = latest_indicators(*database, {});
  ASSERT_TRUE(latest && latest->size() == 1);
  EXPECT_EQ(std::get<double>(latest->front().at("rsi_14")), 41.5);
}

using CatalogueQuestions = QueryTest;

TEST_F(CatalogueQuestions, ListExchanges) {
  execute(
      "INSERT INTO dim_listing (exchange_id, crypto_id, exchange_symbol, market, status, "
      "recorded_at) "
      "VALUES (1, 1, 'BTCUSDT', 'spot', 'trading', 1)");
  const auto found = exchanges(*database);
  ASSERT_TRUE(found && found->size() == 2);
  EXPECT_EQ((*found)[0].name, "binance");
  EXPECT_EQ((*found)[0].trading_fees, digits("0.1"));
  EXPECT_EQ((*found)[0].listings, 1);
  EXPECT_FALSE((*found)[1].trading_fees);
}

TEST_F(CatalogueQuestions, FindSymbolsByAnySpelling) {
  execute(
      "INSERT INTO dim_listing (exchange_id, crypto_id, exchange_symbol, market, status, "
      "tick_size, recorded_at) "
      "VALUES (1, 1, 'BTCUSDT', 'spot', 'trading', '0.01', 1), (2, 1, 'XBTUSDT', 'spot', "
      "'delisted', NULL, 1)");
  const auto found = [&](const SymbolQuery& query) {
    std::vector<std::string> result;
    const auto rows = symbols(*database, query);
    EXPECT_TRUE(rows) << rows.error().message;
    for (const auto& row : *rows) result.push_back(row.symbol + " " + row.exchange.value_or("-"));
    return result;
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(found({}), (Lines{"BTC/USDT binance", "BTC/USDT kraken", "ETH/USDT -", "WBTC/USDT -"}));
  EXPECT_EQ(found({.exchange = "kraken"}), Lines{"BTC/USDT kraken"});
  EXPECT_EQ(found({.exchange = "kraken", .listed_only = true}), Lines{});
  for (const auto* typed : {"btcusdt", "btc-usdt", "BTC/USDT", "BtC_usdt"}) {
    EXPECT_EQ(found({.search = typed}),
              (Lines{"BTC/USDT binance", "BTC/USDT kraken", "WBTC/USDT -"}))
        << typed;
  }
  EXPECT_EQ(found({.search = "xbt"}), Lines{"BTC/USDT kraken"});
  EXPECT_EQ(found({.search = "ethereum"}), Lines{"ETH/USDT -"});
  EXPECT_EQ(found({.search = "100%"}), Lines{"WBTC/USDT -"}) << "taken literally";
  EXPECT_EQ(found({.search = "' OR 1=1 --"}), Lines{});
  EXPECT_EQ(found({.limit = 1, .offset = 2}), Lines{"ETH/USDT -"});
}

using CoverageQuestions = QueryTest;

TEST_F(CoverageQuestions, MergeSpansThatMeetAndSayTheSame) {
  execute(
      "INSERT INTO coverage_current VALUES "
      "('binance','BTC/USDT','1m','candles',0,10,'live',NULL,'a',1,1),"
      "('binance','BTC/USDT','1m','candles',10,20,'live',NULL,'b',2,2),"
      "('binance','BTC/USDT','1m','candles',20,30,'missing','socket',NULL,3,3),"
      "('binance','BTC/USDT','1m','candles',40,50,'missing','socket',NULL,4,4),"
      "('binance','ETH/USDT','1m','candles',50,60,'missing','socket',NULL,5,5)");
  const auto found = coverage(*database, {});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 4U);
  EXPECT_EQ((*found)[0].from, time_from_us(0));
  EXPECT_EQ((*found)[0].to, time_from_us(20));
  EXPECT_EQ((*found)[0].seq, 2);
  EXPECT_EQ((*found)[0].evidence, "b");
  EXPECT_EQ(coverage(*database, {.symbol = "ETH/USDT"})->size(), 1U);
  EXPECT_EQ(coverage(*database, {.start = time_from_us(30), .end = time_from_us(41)})->size(), 1U);
  EXPECT_EQ(coverage(*database, {.limit = 2})->size(), 2U);
}

TEST_F(CoverageQuestions, TellEveryAssertionInOrder) {
  execute(
      "INSERT INTO coverage VALUES "
      "('binance','BTC/USDT','1m','candles',0,10,'missing',NULL,NULL,1,1),"
      "('binance','BTC/USDT','1m','candles',0,10,'backfilled',NULL,NULL,2,2)");
  const auto found = coverage_history(*database, {});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].state, "missing");
  EXPECT_EQ((*found)[1].state, "backfilled");
}

TEST_F(QueryTest, AnswersACheckpointOrNone) {
  EXPECT_FALSE(checkpoint(*database, "binance", "BTC/USDT", "1m").value());
  execute("INSERT INTO indicator_checkpoint VALUES ('binance','BTC/USDT','1m',5,'{\"ema\":1}',6)");
  const auto found = checkpoint(*database, "binance", "BTC/USDT", "1m");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->state, "{\"ema\":1}");
  EXPECT_EQ((*found)->candle_time, time_from_us(5));
  EXPECT_EQ((*found)->recorded_at, time_from_us(6));
}

}  // namespace
}  // namespace candlewick::query
