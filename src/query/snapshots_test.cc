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
    insert(
        "market_ticks (symbol, exchange, exchange_symbol, window_interval, exchange_ts, "
        "last_price, "
        "bid_depth, price_change_pct_1h, ingested_at)",
        {symbol, exchange, exchange_symbol, std::string("1m"), time_from_us(ts), digits(price),
         schema::Json{R"([["1","2"]])"}, 1.5, time_from_us(9)});
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

TEST_P(Snapshots, OfTheLatestMomentOfEachSeries) {
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

TEST_P(Snapshots, InARangeAndOrder) {
  for (int ts = 1; ts <= 5; ++ts) tick("binance", "BTC/USDT", ts, std::to_string(ts));
  EXPECT_EQ(lines(ticks(*database, {.start = time_from_us(2), .end = time_from_us(4)})),
            (Lines{"binance BTC/USDT 2 2", "binance BTC/USDT 3 3"}));
  EXPECT_EQ(lines(ticks(*database, {.limit = 2, .order = Order::descending})),
            (Lines{"binance BTC/USDT 5 5", "binance BTC/USDT 4 4"}));
}

TEST_P(Snapshots, HaveEveryColumnInItsType) {
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

TEST_P(Snapshots, OfIndicatorsAreReadTheSameWay) {
  const std::string columns =
      "technical_indicators (symbol, exchange, exchange_symbol, window_interval, exchange_ts, "
      "rsi_14, "
      "extra, revision, created_at)";
  const auto row = [&](std::int64_t ts, double rsi, const schema::Value& extra) {
    insert(columns, {std::string("BTC/USDT"), std::string("binance"), std::string("BTCUSDT"),
                     std::string("1m"), time_from_us(ts), rsi, extra, ts - 1, time_from_us(ts)});
  };
  row(1, 40.5, schema::Null{});
  row(2, 41.5, schema::Json{R"({"atr_14":2})"});
  const auto all = indicators(*database, {.exchange = "binance"});
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->size(), 2U);
  const auto latest = latest_indicators(*database, {});
  ASSERT_TRUE(latest && latest->size() == 1);
  EXPECT_EQ(std::get<double>(latest->front().at("rsi_14")), 41.5);
}

class CatalogueQuestions : public QueryTest {
 protected:
  void list(std::int64_t exchange, const std::string& exchange_symbol, const std::string& status,
            const schema::Value& tick_size) {
    insert(
        "dim_listing (exchange_id, crypto_id, exchange_symbol, market, status, tick_size, "
        "recorded_at)",
        {exchange, std::int64_t{1}, exchange_symbol, std::string("spot"), status, tick_size,
         time_from_us(1)});
  }
};

TEST_P(CatalogueQuestions, ListExchanges) {
  list(1, "BTCUSDT", "trading", digits("0.01"));
  const auto found = exchanges(*database);
  ASSERT_TRUE(found && found->size() == 2);
  EXPECT_EQ((*found)[0].name, "binance");
  EXPECT_EQ((*found)[0].trading_fees, digits("0.1"));
  EXPECT_EQ((*found)[0].listings, 1);
  EXPECT_FALSE((*found)[1].trading_fees);
}

TEST_P(CatalogueQuestions, FindSymbolsByAnySpelling) {
  list(1, "BTCUSDT", "trading", digits("0.01"));
  list(2, "XBTUSDT", "delisted", schema::Null{});
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

class CoverageQuestions : public QueryTest {};
class CheckpointQuestions : public QueryTest {};

TEST_P(CoverageQuestions, MergeSpansThatMeetAndSayTheSame) {
  insert("coverage_current",
         {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
          std::string("candles"), time_from_us(0), time_from_us(10), std::string("live"),
          schema::Null{}, std::string("a"), time_from_us(1), std::int64_t{1}});
  insert("coverage_current",
         {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
          std::string("candles"), time_from_us(10), time_from_us(20), std::string("live"),
          schema::Null{}, std::string("b"), time_from_us(2), std::int64_t{2}});
  insert("coverage_current",
         {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
          std::string("candles"), time_from_us(20), time_from_us(30), std::string("missing"),
          std::string("socket"), schema::Null{}, time_from_us(3), std::int64_t{3}});
  insert("coverage_current",
         {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
          std::string("candles"), time_from_us(40), time_from_us(50), std::string("missing"),
          std::string("socket"), schema::Null{}, time_from_us(4), std::int64_t{4}});
  insert("coverage_current",
         {std::string("binance"), std::string("ETH/USDT"), std::string("1m"),
          std::string("candles"), time_from_us(50), time_from_us(60), std::string("missing"),
          std::string("socket"), schema::Null{}, time_from_us(5), std::int64_t{5}});
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

TEST_P(CoverageQuestions, TellEveryAssertionInOrder) {
  insert("coverage",
         {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
          std::string("candles"), time_from_us(0), time_from_us(10), std::string("missing"),
          schema::Null{}, schema::Null{}, time_from_us(1), std::int64_t{1}});
  insert("coverage",
         {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
          std::string("candles"), time_from_us(0), time_from_us(10), std::string("backfilled"),
          schema::Null{}, schema::Null{}, time_from_us(2), std::int64_t{2}});
  const auto found = coverage_history(*database, {});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].state, "missing");
  EXPECT_EQ((*found)[1].state, "backfilled");
}

TEST_P(CheckpointQuestions, AnswersACheckpointOrNone) {
  EXPECT_FALSE(checkpoint(*database, "binance", "BTC/USDT", "1m").value());
  insert("indicator_checkpoint",
         {std::string("binance"), std::string("BTC/USDT"), std::string("1m"), time_from_us(5),
          std::string("{\"ema\":1}"), time_from_us(6)});
  const auto found = checkpoint(*database, "binance", "BTC/USDT", "1m");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->state, "{\"ema\":1}");
  EXPECT_EQ((*found)->candle_time, time_from_us(5));
  EXPECT_EQ((*found)->recorded_at, time_from_us(6));
}

INSTANTIATE_TEST_SUITE_P(Kinds, Snapshots, test::all_warehouse_kinds(), test::warehouse_kind_name);
INSTANTIATE_TEST_SUITE_P(Kinds, CatalogueQuestions, test::all_warehouse_kinds(),
                         test::warehouse_kind_name);
INSTANTIATE_TEST_SUITE_P(Kinds, CoverageQuestions, test::all_warehouse_kinds(),
                         test::warehouse_kind_name);
INSTANTIATE_TEST_SUITE_P(Kinds, CheckpointQuestions, test::all_warehouse_kinds(),
                         test::warehouse_kind_name);

}  // namespace
}  // namespace candlewick::query
