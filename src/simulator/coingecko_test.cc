// Replies, and that the service's own decoder reads them.
#include "simulator/coingecko.h"

#include "fundamentals/coingecko_reply.h"
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedCoinGecko : public ::testing::Test {
 protected:
  Reply ask(std::string_view target, std::string key = "") {
    auto request = *make_request("GET", target);
    if (!key.empty()) request.headers.add("x-cg-demo-api-key", std::move(key));
    return core.http(request, steady);
  }
  VenueCore core{VenueSetup{
      .venue = "coingecko", .market = small_market(1, "coingecko"), .start = start, .speed = "1"}};
};

TEST_F(SimulatedCoinGecko, ListsEveryCoinWithALookalike) {
  const auto coins = fundamentals::read_list(ask("/api/v3/coins/list").body);
  ASSERT_TRUE(coins) << coins.error().message;
  EXPECT_EQ(*coins, (std::vector<fundamentals::ListedCoin>{{"bitcoin-lookalike", "btc"},
                                                           {"bitcoin", "btc"},
                                                           {"harvest-finance-lookalike", "farm"},
                                                           {"harvest-finance", "farm"}}));
}

TEST_F(SimulatedCoinGecko, TellsCapitalisationsOfItsMarketsPrices) {
  const auto reply = ask("/api/v3/coins/markets?vs_currency=usd&ids=bitcoin,bitcoin-lookalike");
  const auto coins = fundamentals::read_markets(reply.body);
  ASSERT_TRUE(coins) << coins.error().message;
  ASSERT_EQ(coins->size(), 2U);
  EXPECT_EQ(coins->front().id, "bitcoin");
  EXPECT_EQ(coins->front().name, "Bitcoin");
  EXPECT_EQ(coins->front().last_updated, start);
  const auto price = core.market().price_before(*core.market().find("BTCUSDT"), start);
  ASSERT_TRUE(price);
  EXPECT_EQ(coins->back().facts.market_cap, price) << "there is one of it";
  EXPECT_EQ(coins->front().facts.market_cap,
            Decimal::multiply(*price, *coins->front().facts.circulating_supply));
}

TEST_F(SimulatedCoinGecko, TurnsPagesByRank) {
  const auto page = [&](int number) {
    const auto coins = fundamentals::read_markets(
        ask(fmt::format("/api/v3/coins/markets?vs_currency=usd&per_page=3&page={}", number)).body);
    return coins ? coins->size() : 99;
  };
  EXPECT_EQ(page(1), 3U);
  EXPECT_EQ(page(2), 1U);
  EXPECT_EQ(page(3), 0U);
}

TEST_F(SimulatedCoinGecko, TellsACoinsNameCategoryAndLaunch) {
  const auto coin = fundamentals::read_coin(ask("/api/v3/coins/bitcoin?tickers=false").body);
  ASSERT_TRUE(coin) << coin.error().message;
  EXPECT_EQ(coin->name, "Bitcoin");
  EXPECT_EQ(coin->launch_date, parse_rfc3339("2009-01-03").value());
  EXPECT_TRUE(coin->sector);
}

TEST_F(SimulatedCoinGecko, RefusesWhatCoinGeckoRefuses) {
  EXPECT_EQ(ask("/api/v3/coins/nothing-like-it").status, 404);
  EXPECT_EQ(ask("/api/v3/coins/markets").status, 422);
  EXPECT_EQ(ask("/api/v4/ping").status, 404);
  const auto refused = ask("/api/v3/ping", "wrong");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(fundamentals::refusal_reason(refused.body), "Invalid API Key");
  EXPECT_EQ(ask("/api/v3/ping", "CG-right").status, 200);
  Reply last;
  for (int i = 0; i < 30; ++i) last = ask("/api/v3/ping");
  EXPECT_EQ(last.status, 429);
  EXPECT_TRUE(last.headers.has("Retry-After"));
}

}  // namespace
}  // namespace candlewick::simulator
