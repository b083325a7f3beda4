// What is particular to KuCoin's simulator: the token, topics, numbers of the book, ranges of
// candles.
#include "simulator/kucoin/kucoin.h"

#include <gtest/gtest.h>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedKucoin : public ::testing::Test {
 protected:
  SessionId connect() {
    const auto session = open(core, "/?token=2neAiuYvAU61ZDXANAGAsiL4-simulated%3D%3D&connectId=1");
    EXPECT_EQ(Flat(frames(core.advance_to(core.now())).front())["type"], "welcome");
    return session;
  }
  std::vector<std::string> say(SessionId session, std::string_view text) {
    return frames(core.receive(session, text, steady));
  }
  static std::string control(std::string_view type, std::string_view topic) {
    return fmt::format(R"({{"id":"7","type":"{}","topic":"{}","response":true}})", type, topic);
  }
  VenueCore core{VenueSetup{
      .venue = "kucoin", .market = small_market(1, "kucoin"), .start = start, .speed = "1"}};
};

TEST_F(SimulatedKucoin, LetsInThoseWithAToken) {
  const auto refused = core.open(*make_request("GET", "/?token=mine"), steady);
  EXPECT_TRUE(std::holds_alternative<Reply>(refused));
  const auto session = connect();
  EXPECT_EQ(say(session, R"({"id":"1","type":"ping"})"),
            std::vector<std::string>{R"({"id":"1","type":"pong"})"});
  auto request = *make_request("POST", "/api/v1/bullet-public");
  request.headers.add("Host", "127.0.0.1:8123");
  const Flat told(core.http(request, steady).body);
  EXPECT_EQ(told["data.instanceServers.0.endpoint"], "ws://127.0.0.1:8123/");
  EXPECT_EQ(told["data.instanceServers.0.pingInterval"], "18000");
  EXPECT_EQ(get(core, "/api/v1/bullet-public").status, 405);
}

TEST_F(SimulatedKucoin, RefusesAMessageWithATopicThatDoesNotExist) {
  const auto session = connect();
  const Flat refused(say(session, control("subscribe", "/market/match:NO-SUCH,BTC-USDT")).front());
  EXPECT_EQ(refused["type"], "error");
  EXPECT_EQ(refused["code"], "404");
  EXPECT_TRUE(frames(core.advance_to(start + 1min)).empty());
  EXPECT_EQ(
      Flat(say(session, control("subscribe", "/market/match:ETH-BTC,BTC-USDT")).front())["type"],
      "ack");
  EXPECT_FALSE(frames(core.advance_to(start + 2min)).empty());
  say(session, control("unsubscribe", "/market/match:ETH-BTC,BTC-USDT"));
  EXPECT_TRUE(frames(core.advance_to(start + 3min)).empty());
}

TEST_F(SimulatedKucoin, StreamsNoCandlesOfFiveMinutes) {
  const auto session = connect();
  const auto type = [&](std::string_view topic) {
    return Flat(say(session, control("subscribe", topic)).front())["type"];
  };
  EXPECT_EQ(type("/market/candles:BTC-USDT_3min"), "ack");
  EXPECT_EQ(type("/market/candles:BTC-USDT_5min"), "error");
  EXPECT_EQ(get(core, "/api/v1/market/candles?symbol=BTC-USDT&type=5min").status, 200);
}

TEST_F(SimulatedKucoin, HasTickersOfAllThatAreListed) {
  const Flat all(get(core, "/api/v1/market/allTickers").body);
  EXPECT_EQ(all["data.time"], ms(start));
  EXPECT_EQ(all["data.ticker.0.symbol"], "BTC-USDT");
  EXPECT_TRUE(all.has("data.ticker.2.symbol"));
  ASSERT_TRUE(core.change_faults("vanish=BTC-USDT"));
  const Flat fewer(get(core, "/api/v1/market/allTickers").body);
  EXPECT_EQ(fewer["data.ticker.0.symbol"], "ETH-BTC");
  EXPECT_FALSE(fewer.has("data.ticker.2.symbol"));
}

TEST_F(SimulatedKucoin, HasNoMoreThanThreeHundredTopicsAndTenMessagesASecond) {
  const auto session = connect();
  std::string many = "/spotMarket/level1:BTC-USDT";
  for (int i = 0; i < 300; ++i) many += ",BTC-USDT";
  EXPECT_EQ(Flat(say(session, control("subscribe", many)).front())["code"], "509");
  for (int i = 1; i < 100; ++i) EXPECT_EQ(say(session, R"({"id":"1","type":"ping"})").size(), 1U);
  EXPECT_EQ(Flat(say(session, R"({"id":"1","type":"ping"})").front())["code"], "509");
}

TEST_F(SimulatedKucoin, NumbersABooksChangesOnFromOneAnother) {
  const auto session = connect();
  say(session, control("subscribe", "/market/level2:BTC-USDT"));
  std::optional<std::uint64_t> last;
  std::size_t count = 0;
  for (const auto& text : frames(core.advance_to(start + 30s))) {
    const Flat update(text);
    if (last) {
      ASSERT_EQ(update.number("data.sequenceStart"), *last + 1);
    }
    last = update.number("data.sequenceEnd");
    ++count;
  }
  EXPECT_GT(count, 20U);
  const Flat depth(get(core, "/api/v1/market/orderbook/level2_100?symbol=BTC-USDT").body);
  EXPECT_GE(depth.number("data.sequence"), *last);
  EXPECT_TRUE(depth.has("data.bids.99.0"));
  EXPECT_FALSE(depth.has("data.bids.100.0"));
}

std::vector<std::string> opens(VenueCore& core, std::string_view more) {
  const auto reply =
      get(core, fmt::format("/api/v1/market/candles?symbol=BTC-USDT&type=1min{}", more));
  const Flat body(reply.body);
  std::vector<std::string> all;
  for (std::size_t i = 0; body.has(fmt::format("data.{}.0", i)); ++i)
    all.push_back(body[fmt::format("data.{}.0", i)]);
  return all;
}

TEST_F(SimulatedKucoin, AnswersTheNewestCandlesOfARangeFirst) {
  core.advance_to(start + 90s);
  const auto second = [](Time time) { return std::to_string(to_ms(time) / 1000); };
  EXPECT_EQ(opens(core, "").size(), 100U);
  EXPECT_EQ(opens(core, "").front(), second(start + 1min)) << "the running one";
  EXPECT_EQ(
      opens(core, "&startAt=" + second(start - 3min) + "&endAt=" + second(start - 1min)),
      (std::vector<std::string>{second(start - 1min), second(start - 2min), second(start - 3min)}));
  const auto many = opens(core, "&startAt=" + second(start - 48h));
  ASSERT_EQ(many.size(), 1500U);
  EXPECT_EQ(many.front(), second(start + 1min));
}

TEST_F(SimulatedKucoin, RefusesWithACode) {
  const auto code = [&](std::string_view target) {
    const auto reply = get(core, target);
    return fmt::format("{} {}", reply.status, Flat(reply.body)["code"]);
  };
  EXPECT_EQ(code("/api/v1/market/stats?symbol=NO-SUCH"), "200 400100");
  EXPECT_EQ(code("/api/v1/market/stats"), "200 400100");
  EXPECT_EQ(code("/api/v1/market/candles?symbol=BTC-USDT&type=7min"), "200 400100");
  EXPECT_EQ(code("/api/v2/symbols/NO-SUCH"), "200 900001");
  EXPECT_EQ(code("/api/v2/symbols/BTC-USDT"), "200 200000");
  EXPECT_EQ(code("/nowhere"), "404 404000");
  ASSERT_TRUE(core.change_faults("vanish=BTC-USDT"));
  EXPECT_EQ(code("/api/v1/market/stats?symbol=BTC-USDT"), "200 400100");
}

}  // namespace
}  // namespace candlewick::simulator
