// The source against answers made by hand, on a fake clock.
#include "fundamentals/coingecko.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

namespace candlewick::fundamentals {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Heard final : Handler {
  void on_market(const std::string& asset, const MarketFacts& facts) override {
    markets.push_back(asset + " " +
                      (facts.market_cap ? facts.market_cap->to_string() : std::string("-")));
  }
  void on_asset(const std::string& asset, const AssetFacts& facts) override {
    assets.push_back(asset + " " + facts.name);
  }
  std::vector<std::string> markets;
  std::vector<std::string> assets;
};

std::string market(std::string_view id, int cap, std::string_view updated = "12:00:00") {
  return fmt::format(
      R"({{"id":"{}","name":"The {}","market_cap":{},"last_updated":"2026-01-15T{}Z"}})", id, id,
      cap, updated);
}

Wanted pinned(std::string asset, std::string id, std::optional<Duration> age = {}) {
  return {.asset = std::move(asset), .coingecko_id = std::move(id), .facts_age = age};
}
Wanted unknown(std::string asset) {
  return {.asset = std::move(asset), .coingecko_id = {}, .facts_age = {}};
}

class CoinGeckoSource : public ::testing::Test {
 protected:
  void make(std::vector<Wanted> wanted, CoinGeckoOptions options = {}) {
    source = std::make_unique<CoinGecko>(std::move(options), std::move(wanted), heard, observer);
  }
  // The next request's target, at the first moment that there is one.
  std::string ask() {
    for (int i = 0; i < 1000; ++i) {
      if (auto made = source->next(now)) {
        request = *made;
        constexpr std::string_view base = "https://api.coingecko.com/api/v3";
        return request.url.starts_with(base) ? request.url.substr(base.size()) : request.url;
      }
      const auto wake = source->next_wake();
      if (!wake) return "(nothing)";
      now = std::max(now, *wake);
    }
    return "(idle)";
  }
  void answer(const std::string& body, int status = 200, net::Headers headers = {}) {
    source->on_response({.status = status, .headers = std::move(headers), .body = body}, now);
  }
  Heard heard;
  RecordingObserver observer;
  std::unique_ptr<CoinGecko> source;
  SteadyTime now{1h};
  net::HttpRequest request;
};

constexpr std::string_view of_bitcoin =
    "/coins/markets?vs_currency=usd&per_page=250&page=1&ids=bitcoin";

TEST_F(CoinGeckoSource, AsksForTheMarketAtOnceAndAgainAfterTheInterval) {
  make({pinned("BTC", "bitcoin", 1h)});
  const SteadyTime start = now;
  EXPECT_EQ(ask(), of_bitcoin);
  EXPECT_EQ(now, start);
  EXPECT_FALSE(source->next(now)) << "one at a time";
  answer("[" + market("bitcoin", 100) + "]");
  EXPECT_THAT(heard.markets, ElementsAre("BTC 100"));
  EXPECT_EQ(ask(), of_bitcoin);
  EXPECT_EQ(now, start + 5min);
}

TEST_F(CoinGeckoSource, KeepsThePublicLimitWhateverIsAsked) {
  std::vector<Wanted> wanted;
  for (int i = 0; i < 600; ++i)
    wanted.push_back(pinned(fmt::format("A{}", i), fmt::format("coin-{}", i)));
  const auto most_in_a_minute = [&](CoinGeckoOptions options) {
    make(wanted, std::move(options));
    std::vector<SteadyTime> asked;
    while (asked.size() < 100) {
      EXPECT_NE(ask(), "(idle)");
      asked.push_back(now);
      answer("nonsense", 404);
    }
    std::size_t most = 0;
    for (std::size_t i = 0, j = 0; i < asked.size(); ++i) {
      while (asked[i] - asked[j] >= 60s) ++j;
      most = std::max(most, i - j + 1);
    }
    return most;
  };
  CoinGeckoOptions steady;
  steady.backoff = {.first = 1ns, .cap = 1ns};
  EXPECT_EQ(most_in_a_minute(steady), 5U);
  steady.api_key = Secret("CG-x");
  EXPECT_EQ(most_in_a_minute(steady), 30U);
}

TEST_F(CoinGeckoSource, AsksForAtMost250CoinsAtOnce) {
  std::vector<Wanted> wanted;
  for (int i = 0; i < 251; ++i)
    wanted.push_back(pinned(fmt::format("A{}", i), fmt::format("coin-{:03}", i), 1h));
  make(std::move(wanted));
  EXPECT_THAT(ask(), HasSubstr("coin-249"));
  answer("[]");
  EXPECT_EQ(ask(), "/coins/markets?vs_currency=usd&per_page=250&page=1&ids=coin-250");
}

TEST_F(CoinGeckoSource, SendsTheKeyAsAHeaderAndNowhereElse) {
  make({pinned("BTC", "bitcoin")}, {.api_key = Secret("CG-secret")});
  ask();
  EXPECT_EQ(request.headers.get("x-cg-demo-api-key"), "CG-secret");
  EXPECT_EQ(request.url.find("secret"), std::string::npos);
  answer(R"({"status":{"error_code":10011,"error_message":"Invalid"}})", 401);
  for (const auto& line : observer.lines()) EXPECT_EQ(line.find("CG-secret"), std::string::npos);
  make({pinned("BTC", "bitcoin")},
       {.base_url = "https://pro-api.coingecko.com/api/v3", .api_key = Secret("CG-paid")});
  ask();
  EXPECT_EQ(request.headers.get("x-cg-pro-api-key"), "CG-paid");
  make({pinned("BTC", "bitcoin")});
  ask();
  EXPECT_FALSE(request.headers.has("x-cg-demo-api-key"));
}

TEST_F(CoinGeckoSource, TakesTheLargestOfThoseThatShareATicker) {
  make({pinned("BTC", "bitcoin", 1h), unknown("UNI"), unknown("ONE"), unknown("NIL")});
  EXPECT_EQ(ask(), of_bitcoin);
  answer("[" + market("bitcoin", 100) + "]");
  EXPECT_EQ(ask(), "/coins/list");
  answer(
      R"([{"id":"unicorn","symbol":"uni","name":"U"},{"id":"uniswap","symbol":"UNI","name":"U"},)"
      R"({"id":"fake-bitcoin","symbol":"btc","name":"B"},{"id":"harmony","symbol":"one","name":"O"},)"
      R"({"id":"un/safe","symbol":"uni","name":"U"}])");
  EXPECT_EQ(observer.lines(),
            std::vector<std::string>{
                "fundamentals_coin_missing instrument=NIL error=no coin has this ticker"});
  EXPECT_EQ(ask(), "/coins/markets?vs_currency=usd&per_page=250&page=1&ids=harmony");
  answer("[" + market("harmony", 3) + "]");
  EXPECT_EQ(ask(), "/coins/markets?vs_currency=usd&per_page=250&page=1&ids=unicorn%2Cuniswap");
  answer("[" + market("unicorn", 5) + "," + market("uniswap", 50) + "]");
  EXPECT_EQ(ask(), "/coins/markets?vs_currency=usd&per_page=250&page=1&ids=uniswap");
  answer("[" + market("uniswap", 50) + "]");
  EXPECT_THAT(heard.markets, ElementsAre("BTC 100", "ONE 3", "UNI 50"));
}

TEST_F(CoinGeckoSource, LeavesATickerAloneWhenNoneOfItsCoinsIsWorthAnything) {
  make({unknown("UNI")});
  EXPECT_EQ(ask(), "/coins/list");
  answer(R"([{"id":"a","symbol":"uni"},{"id":"b","symbol":"uni"}])");
  EXPECT_THAT(ask(), HasSubstr("ids=a%2Cb"));
  answer(R"([{"id":"a","name":"A","market_cap":0},{"id":"b","name":"B","market_cap":null}])");
  EXPECT_EQ(observer.count("fundamentals_coin_missing"), 1U);
  const SteadyTime before = now;
  EXPECT_EQ(ask(), "/coins/list");
  EXPECT_GE(now - before, 23h);
}

TEST_F(CoinGeckoSource, FetchesEachCoinOnceAMonthAndThoseThatAreStoredLater) {
  make({pinned("BTC", "bitcoin"), pinned("ETH", "ethereum", 29 * 24h)}, {.refresh_interval = 24h});
  const SteadyTime start = now;
  std::map<std::string, std::vector<Duration>> fetched;
  while (now < start + 40 * 24h) {
    const auto target = ask();
    if (target.starts_with("/coins/markets")) {
      answer("[" + market("bitcoin", 1) + "," + market("ethereum", 1) + "]");
      continue;
    }
    const auto id = target.substr(7, target.find('?') - 7);
    fetched[id].push_back(now - start);
    answer(fmt::format(R"({{"id":"{}","name":"The {}"}})", id, id));
  }
  ASSERT_EQ(fetched["bitcoin"].size(), 2U);
  EXPECT_EQ(fetched["bitcoin"][0], 12s);
  EXPECT_GE(fetched["bitcoin"][1], 30 * 24h);
  ASSERT_EQ(fetched["ethereum"].size(), 2U);
  EXPECT_GE(fetched["ethereum"][0], 24h);
  EXPECT_GE(fetched["ethereum"][1], 31 * 24h);
  EXPECT_THAT(heard.assets, ElementsAre("BTC The bitcoin", "ETH The ethereum", "BTC The bitcoin",
                                        "ETH The ethereum"));
}

TEST_F(CoinGeckoSource, FetchesACoinAgainWhenItIsRenamed) {
  make({pinned("BTC", "bitcoin")});
  ask();
  answer("[" + market("bitcoin", 1) + "]");
  EXPECT_THAT(ask(), HasSubstr("/coins/bitcoin?"));
  answer(R"({"id":"bitcoin","name":"The bitcoin"})");
  ask();
  answer(R"([{"id":"bitcoin","name":"Renamed","market_cap":1}])");
  EXPECT_THAT(ask(), HasSubstr("/coins/bitcoin?"));
  answer(R"({"id":"bitcoin","name":"Renamed"})");
  EXPECT_THAT(heard.assets, ElementsAre("BTC The bitcoin", "BTC Renamed"));
}

TEST_F(CoinGeckoSource, TakesValuesBackThatAreTooOld) {
  make({pinned("BTC", "bitcoin", 1h)});
  ask();
  const SteadyTime told = now;
  answer("[" + market("bitcoin", 1) + "]");
  while (now < told + 15min) {
    ask();
    source->on_error({ErrorKind::transient, "no route"}, now);
  }
  EXPECT_THAT(heard.markets, ElementsAre("BTC 1", "BTC -"));
  EXPECT_LE(now - told, 26min);
}

TEST_F(CoinGeckoSource, DoesNotTellWhatLagsBehindTheRestOfTheMarket) {
  make({pinned("BTC", "bitcoin", 1h), pinned("OLD", "old", 1h)});
  ask();
  answer("[" + market("bitcoin", 1) + "," + market("old", 2, "11:44:59") + "]");
  EXPECT_THAT(heard.markets, ElementsAre("BTC 1"));
}

TEST_F(CoinGeckoSource, TellsOnceThatACoinIsMissingAndGoesOnWithTheRest) {
  make({pinned("BTC", "bitcoin", 1h), pinned("GONE", "gone")});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(ask(), HasSubstr("/coins/markets?"));
    answer("[" + market("bitcoin", i + 1) + "]");
  }
  EXPECT_THAT(heard.markets, ElementsAre("BTC 1", "BTC 2", "BTC 3"));
  EXPECT_EQ(observer.count("fundamentals_coin_missing"), 1U);
}

TEST_F(CoinGeckoSource, TakesBackACoinThatLeavesTheMarket) {
  make({pinned("BTC", "bitcoin", 1h)});
  ask();
  answer("[" + market("bitcoin", 1) + "]");
  ask();
  answer("[]");
  EXPECT_THAT(heard.markets, ElementsAre("BTC 1", "BTC -"));
}

TEST_F(CoinGeckoSource, WaitsAsLongAsItIsTold) {
  make({pinned("BTC", "bitcoin", 1h)});
  ask();
  const SteadyTime asked = now;
  answer(R"({"status":{"error_code":429,"error_message":"Slow down"}})", 429,
         {{"Retry-After", "90"}});
  EXPECT_EQ(ask(), of_bitcoin);
  EXPECT_GE(now - asked, 90s);
  const SteadyTime again = now;
  answer("", 429);
  ask();
  EXPECT_GE(now - again, 60s) << "a limit without a time";
  EXPECT_EQ(observer.count("fundamentals_rate_limited"), 2U);
}

TEST_F(CoinGeckoSource, TellsThatTheKeyIsRefusedAndAsksSeldom) {
  make({pinned("BTC", "bitcoin", 1h)}, {.api_key = Secret("wrong-key")});
  ask();
  const SteadyTime asked = now;
  answer(R"({"status":{"error_code":10011,"error_message":"Invalid API Key"}})", 401);
  EXPECT_EQ(observer.lines(),
            std::vector<std::string>{
                "fundamentals_key_refused stage=markets error=status 401: Invalid API Key"});
  ask();
  EXPECT_GE(now - asked, 1h);
  answer("[" + market("bitcoin", 1) + "]");
  EXPECT_THAT(heard.markets, ElementsAre("BTC 1"));
}

TEST_F(CoinGeckoSource, BacksOffAfterNonsenseAndTakesNothingOfIt) {
  make({pinned("BTC", "bitcoin", 1h)});
  std::vector<SteadyTime> asked;
  for (int i = 0; i < 8; ++i) {
    ask();
    asked.push_back(now);
    answer("[" + market("bitcoin", 1) + ",{");
  }
  EXPECT_THAT(heard.markets, IsEmpty());
  EXPECT_EQ(observer.count("fundamentals_request_failed"), 8U);
  for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_GE(asked[i] - asked[i - 1], 12s);
  EXPECT_GE(asked[7] - asked[6], 5min);
  EXPECT_LE(asked[7] - asked[6], 10min);
}

TEST_F(CoinGeckoSource, DoesNotLetOneCoinHoldUpTheMarket) {
  make({pinned("BTC", "bitcoin")});
  std::string order;
  for (int i = 0; i < 10; ++i) {
    const bool is_market = ask().starts_with("/coins/markets");
    order += is_market ? 'm' : 'c';
    answer(is_market ? "[" + market("bitcoin", 1) + "]" : R"({"id":"another","name":"X"})");
  }
  EXPECT_EQ(order, "mcmmmmmmmm") << "a coin that is answered wrongly waits for an hour";
}

}  // namespace
}  // namespace candlewick::fundamentals
