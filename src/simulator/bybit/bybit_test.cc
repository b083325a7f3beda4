// What is particular to Bybit: topics, requests refused whole, consecutive numbers of the book,
// refusals with HTTP status 200.
#include <map>
#include <set>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedBybit : public ::testing::Test {
 protected:
  std::vector<std::string> say(SessionId session, std::string_view text) {
    return frames(core.receive(session, text, steady));
  }
  static std::string subscribe(std::string_view topic) {
    return fmt::format(R"({{"req_id":"{0}","op":"subscribe","args":["{0}"]}})", topic);
  }
  SessionId connect() { return open(core, "/v5/public/spot"); }
  VenueCore core{VenueSetup{
      .venue = "bybit", .market = small_market(1, "bybit"), .start = start, .speed = "1"}};
};

TEST_F(SimulatedBybit, AnswersPingsAndRepeatsTheirId) {
  const Flat pong(say(connect(), R"({"req_id":"9","op":"ping"})").front());
  EXPECT_EQ(pong["ret_msg"], "pong");
  EXPECT_EQ(pong["req_id"], "9");
  EXPECT_EQ(Flat(say(connect(), R"({"op":"dance"})").front())["success"], "false");
  EXPECT_TRUE(
      std::holds_alternative<Reply>(core.open(*make_request("GET", "/v5/public/linear"), steady)));
}

TEST_F(SimulatedBybit, OneWrongTopicRefusesTheRequest) {
  const auto session = connect();
  const Flat refused(
      say(session, R"({"op":"subscribe","args":["publicTrade.BTCUSDT","publicTrade.NOSUCH"]})")
          .front());
  EXPECT_EQ(refused["success"], "false");
  EXPECT_EQ(refused["ret_msg"], "error:handler not found,topic:publicTrade.NOSUCH");
  EXPECT_TRUE(frames(core.advance_to(start + 1min)).empty());
  EXPECT_EQ(Flat(say(session, subscribe("publicTrade.BTCUSDT")).front())["success"], "true");
  EXPECT_FALSE(frames(core.advance_to(start + 2min)).empty());
  EXPECT_EQ(Flat(say(session, subscribe("publicTrade.BTCUSDT")).front())["success"], "false");
}

TEST_F(SimulatedBybit, TakesTenTopicsAMessage) {
  std::string topics = R"("tickers.BTCUSDT")";
  for (int i = 0; i < 10; ++i) topics += R"(,"tickers.BTCUSDT")";
  EXPECT_EQ(
      Flat(say(connect(), R"({"op":"subscribe","args":[)" + topics + "]}").front())["ret_msg"],
      "args size >10");
}

TEST_F(SimulatedBybit, NumbersABooksFramesOneByOne) {
  core.advance_to(start + 777ms);
  const auto first = connect();
  const auto answers = say(first, subscribe("orderbook.200.BTCUSDT"));
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(Flat(answers[1])["type"], "snapshot");
  auto number = Flat(answers[1]).number("data.u");
  for (const auto& text : frames(core.advance_to(start + 20s))) {
    const Flat update(text);
    ASSERT_EQ(update["type"], "delta");
    ASSERT_EQ(update.number("data.u"), ++number);
  }
  EXPECT_GT(number, Flat(answers[1]).number("data.u") + 20);
  // Who comes later is given the book that the stream has got to.
  const auto later = say(connect(), subscribe("orderbook.200.BTCUSDT"));
  EXPECT_EQ(Flat(later[1]).number("data.u"), number);
}

TEST_F(SimulatedBybit, SaysWhichKlineIsConfirmed) {
  say(connect(), subscribe("kline.1.BTCUSDT"));
  std::map<std::string, std::string> newest;
  for (const auto& text : frames(core.advance_to(start + 2min + 1s))) {
    const Flat frame(text);
    newest[frame["data.0.start"]] = frame["data.0.confirm"];
  }
  EXPECT_EQ(newest[ms(start)], "true");
  EXPECT_EQ(newest[ms(start + 1min)], "true");
}

TEST_F(SimulatedBybit, PagesThroughKlines) {
  core.advance_to(start + 30s);
  const auto opens = [&](std::string_view more) {
    const Flat body(
        get(core, fmt::format("/v5/market/kline?category=spot&symbol=BTCUSDT&interval=1&{}", more))
            .body);
    std::vector<std::string> all;
    for (std::size_t i = 0; body.has(fmt::format("result.list.{}.0", i)); ++i)
      all.push_back(body[fmt::format("result.list.{}.0", i)]);
    return all;
  };
  using Opens = std::vector<std::string>;
  EXPECT_EQ(opens("limit=2"), (Opens{ms(start), ms(start - 1min)}));
  EXPECT_EQ(opens("limit=2&start=" + ms(start - 9min)),
            (Opens{ms(start - 8min), ms(start - 9min)}));
  EXPECT_EQ(opens("start=" + ms(start - 2min) + "&end=" + ms(start - 1min)),
            (Opens{ms(start - 1min), ms(start - 2min)}));
  EXPECT_EQ(opens("").size(), 200U);
}

TEST_F(SimulatedBybit, RefusesWithACodeAndHttp200) {
  const auto code = [&](std::string_view target) {
    const auto reply = get(core, target);
    return fmt::format("{} {}", reply.status, Flat(reply.body)["retCode"]);
  };
  EXPECT_EQ(code("/v5/market/kline?category=spot&symbol=NOSUCH&interval=1"), "200 10001");
  EXPECT_EQ(code("/v5/market/kline?category=spot&symbol=BTCUSDT&interval=7"), "200 10001");
  EXPECT_EQ(code("/v5/market/kline?symbol=BTCUSDT&interval=1"), "200 10001");
  EXPECT_EQ(code("/v5/market/tickers?category=spot"), "200 0");
  EXPECT_EQ(get(core, "/v2/public/symbols").status, 404);
  ASSERT_TRUE(core.change_faults("5xx=1"));
  std::set<int> statuses;
  for (int i = 0; i < 30; ++i) statuses.insert(get(core, "/v5/market/time").status);
  EXPECT_EQ(statuses, (std::set<int>{200, 502, 503}));
}

}  // namespace
}  // namespace candlewick::simulator
