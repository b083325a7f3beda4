// Documented shapes, cut and bent.
#include "fundamentals/coingecko_reply.h"

#include <array>

#include <gtest/gtest.h>

namespace candlewick::fundamentals {
namespace {

constexpr std::string_view markets =
    R"([{"id":"bitcoin","symbol":"btc","name":"Bitcoin","image":"https://x/1.png?2",)"
    R"("current_price":64671,"market_cap":1297846869995,"market_cap_rank":1,)"
    R"("circulating_supply":20068353.0,"max_supply":21000000.0,"roi":null,)"
    R"("last_updated":"2026-08-10T14:25:20.000Z"},)"
    R"({"id":"quiet","symbol":"q","name":"Quiet \"Q\"","market_cap":0,"circulating_supply":null,)"
    R"("last_updated":null},)"
    R"({"id":"huge","symbol":"h","name":"Huge","market_cap":1.5e+3,)"
    R"("circulating_supply":123456789012345678901234567890}])";

constexpr std::string_view coin =
    R"({"id":"bitcoin","symbol":"btc","name":"Bitcoin","asset_platform_id":null,)"
    R"~("categories":[null,"FTX Holdings","Bitcoin Ecosystem","Smart Contract Platform","Layer 1 (L1)"],)~"
    R"("description":{"en":"…"},"genesis_date":"2009-01-03","last_updated":"2026-08-10T14:25:20Z"})";

TEST(CoinGeckoReply, TellsMarketFactsExactlyAndZerosAsUnknown) {
  const auto read = read_markets(markets);
  ASSERT_TRUE(read) << read.error().message;
  const std::vector<CoinMarket> expected{
      {.id = "bitcoin",
       .name = "Bitcoin",
       .facts = {.market_cap = Decimal{1'297'846'869'995},
                 .circulating_supply = Decimal{20'068'353}},
       .last_updated = parse_rfc3339("2026-08-10T14:25:20Z").value()},
      {.id = "quiet", .name = "Quiet \"Q\"", .facts = {}, .last_updated = {}},
      {.id = "huge", .name = "Huge", .facts = {.market_cap = Decimal{1500}}, .last_updated = {}}};
  EXPECT_EQ(*read, expected);
}

TEST(CoinGeckoReply, TellsWhatACoinIsAndNotWhoHoldsIt) {
  const auto read = read_coin(coin);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, (AssetFacts{.name = "Bitcoin",
                               .sector = "Smart Contract Platform",
                               .launch_date = parse_rfc3339("2009-01-03").value(),
                               .coingecko_id = "bitcoin"}));
  const auto bare = read_coin(R"({"id":"x","name":"X","categories":[],"genesis_date":null})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(*bare, (AssetFacts{.name = "X", .coingecko_id = "x"}));
}

TEST(CoinGeckoReply, ListsCoinsThatHaveATicker) {
  const auto read = read_list(R"([{"id":"bitcoin","symbol":"btc","name":"Bitcoin"},)"
                              R"({"id":"nameless","symbol":"","name":""},)"
                              R"({"id":"odd","symbol":null,"name":"Odd"}])");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, (std::vector<ListedCoin>{{"bitcoin", "btc"}}));
}

TEST(CoinGeckoReply, RefusesEveryTruncation) {
  for (std::size_t length = 0; length < markets.size(); ++length)
    ASSERT_FALSE(read_markets(markets.substr(0, length))) << length;
  for (std::size_t length = 0; length < coin.size(); ++length)
    ASSERT_FALSE(read_coin(coin.substr(0, length))) << length;
}

TEST(CoinGeckoReply, RefusesWhatIsNoAnswer) {
  constexpr std::array bad_markets{R"({"status":{"error_code":429}})",
                                   R"([1])",
                                   R"([{"name":"no id"}])",
                                   R"([{"id":"x","market_cap":"12"}])",
                                   R"([{"id":"x","last_updated":"tomorrow"}])",
                                   R"(<html>)",
                                   R"([{"id":"x","market_cap":{}}])",
                                   R"()"};
  for (const std::string_view body : bad_markets) {
    const auto read = read_markets(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().kind, ErrorKind::malformed) << body;
  }
  constexpr std::array bad_coins{R"([])", R"({"id":"x"})", R"({"name":"X"})",
                                 R"({"id":"x","name":"X","genesis_date":"2009-02-30"})",
                                 R"({"id":"x","name":"X","categories":"DeFi"})"};
  for (const std::string_view body : bad_coins) EXPECT_FALSE(read_coin(body)) << body;
  EXPECT_FALSE(read_list(R"({"error":"no"})"));
}

TEST(CoinGeckoReply, NamesTheReasonOfARefusal) {
  EXPECT_EQ(refusal_reason(R"({"status":{"error_code":10011,"error_message":"Invalid key"}})"),
            "Invalid key");
  EXPECT_EQ(refusal_reason(R"({"error":"coin not found"})"), "coin not found");
  EXPECT_EQ(refusal_reason(R"({"error":7})"), "");
  EXPECT_EQ(refusal_reason("[]"), "");
  EXPECT_EQ(refusal_reason("<html>"), "");
  EXPECT_EQ(refusal_reason(R"({"error":")" + std::string(1000, 'x') + "\"}").size(), 200U);
}

}  // namespace
}  // namespace candlewick::fundamentals
