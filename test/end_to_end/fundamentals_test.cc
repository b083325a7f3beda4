// The whole service with CoinGecko switched on, against the simulator's CoinGecko on real sockets:
// what it tells stands in the ticks and in the dimensions, and when it tells nothing, all else goes
// on.
#include <gtest/gtest.h>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "query/snapshots.h"
#include "test/support/eventually.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"
#include "warehouse/database.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 60;

class FundamentalsService : public testing::Test {
 protected:
  FundamentalsService() {
    config.exchanges = {"binance"};
    config.symbols = {"BTC/USDT", "ETH/BTC"};
    config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
    config.data_dir = folder.path().string();
    config.http.listen.port = 0;
    config.warehouse = "sqlite";
    config.coingecko.enabled = true;
    config.coingecko.base_url = gecko.base_url() + "/api/v3";
    config.coingecko_api_key = Secret("CG-test");
  }
  void run() {
    auto started = app::Service::start(config, clock, observer, metrics);
    ASSERT_TRUE(started) << started.error().message;
    service = std::move(*started);
    auto opened = warehouse::open_sqlite_for_reading(app::warehouse_path(config));
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
  }
  std::vector<schema::Row> ticks(const std::string& symbol) {
    auto found = query::ticks(
        *database, {.exchange = "binance", .symbol = symbol, .start = from, .limit = 1000});
    EXPECT_TRUE(found);
    return found ? std::move(*found) : std::vector<schema::Row>{};
  }
  std::vector<warehouse::Values> select(std::string_view sql,
                                        std::initializer_list<schema::ColumnType> types) {
    auto found = database->select(sql, {}, std::span(types.begin(), types.size()));
    EXPECT_TRUE(found) << sql;
    return found ? std::move(*found) : std::vector<warehouse::Values>{};
  }
  bool has_capitalisation(const std::string& symbol) {
    return std::ranges::any_of(ticks(symbol), [](const schema::Row& row) {
      return !schema::is_null(row.at("market_cap"));
    });
  }

  test::SimulatedVenue venue{"binance", 5, start, speed};
  test::SimulatedVenue gecko{"coingecko", 7, start, speed};
  test::TemporaryFolder folder;
  Config config;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  std::unique_ptr<app::Service> service;
  std::unique_ptr<warehouse::Database> database;
  Time from = start;
};

TEST_F(FundamentalsService, FillsTicksAndNamesAssetsAndAsksForNamesOnce) {
  run();
  using enum schema::ColumnType;
  constexpr std::string_view assets = "SELECT asset, name, coingecko_id FROM assets ORDER BY asset";
  ASSERT_TRUE(test::eventually(
      [&] {
        return has_capitalisation("BTC/USDT") && has_capitalisation("ETH/BTC") &&
               select(assets, {text, text, text}).size() == 2;
      },
      120s));
  using Cells = warehouse::Values;
  EXPECT_EQ(
      select(assets, {text, text, text}),
      (std::vector<Cells>{{std::string("BTC"), std::string("Bitcoin"), std::string("bitcoin")},
                          {std::string("ETH"), std::string("Ethereum"), std::string("ethereum")}}));
  EXPECT_EQ(
      select("SELECT c.name, c.sector, c.launch_date, c.coingecko_id FROM dim_cryptocurrency c "
             "WHERE c.symbol = 'BTC/USDT' AND c.sector = (SELECT sector FROM assets a WHERE "
             "a.asset = 'BTC')",
             {text, text, text, text})
          .size(),
      1U);
  // The capitalisation is in dollars also where the quote is no dollar.
  for (const auto* symbol : {"BTC/USDT", "ETH/BTC"}) {
    const auto rows = ticks(symbol);
    const auto told = std::ranges::find_if(
        rows, [](const schema::Row& row) { return !schema::is_null(row.at("market_cap")); });
    ASSERT_NE(told, rows.end());
    const auto price = Decimal::divide(std::get<Decimal>(told->at("market_cap")),
                                       std::get<Decimal>(told->at("circulating_supply")));
    ASSERT_TRUE(price);
    EXPECT_GT(*price, Decimal{1}) << symbol;
  }

  // A second start knows the names.
  service.reset();
  const auto asked = gecko.requests();
  from = venue.now();
  run();
  ASSERT_TRUE(test::eventually([&] { return ticks("BTC/USDT").size() >= 5; }, 120s));
  EXPECT_TRUE(has_capitalisation("BTC/USDT"));
  EXPECT_EQ(gecko.requests() - asked, 1U) << "one look at the market";
}

TEST_F(FundamentalsService, LeavesTheColumnsNullAndGoesOnWhenTheKeyIsRefused) {
  config.coingecko_api_key = Secret("wrong");
  run();
  ASSERT_TRUE(test::eventually(
      [&] {
        return observer.count("fundamentals_key_refused") == 1 && ticks("BTC/USDT").size() >= 2;
      },
      120s));
  EXPECT_FALSE(has_capitalisation("BTC/USDT"));
}

TEST_F(FundamentalsService, LeavesTheColumnsNullAndGoesOnWhenItIsLimited) {
  gecko.change_faults("429=1,retry=1");
  run();
  ASSERT_TRUE(test::eventually(
      [&] {
        return observer.count("fundamentals_rate_limited") >= 1 && ticks("BTC/USDT").size() >= 2;
      },
      120s));
  EXPECT_FALSE(has_capitalisation("BTC/USDT"));
}

TEST_F(FundamentalsService, AsksNothingWhenItIsOff) {
  config.coingecko.enabled = false;
  run();
  ASSERT_TRUE(test::eventually([&] { return ticks("BTC/USDT").size() >= 2; }, 120s));
  EXPECT_FALSE(has_capitalisation("BTC/USDT"));
  EXPECT_EQ(gecko.requests(), 0U);
}

}  // namespace
}  // namespace candlewick
