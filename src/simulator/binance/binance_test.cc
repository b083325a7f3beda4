// URLs and control messages.
#include <algorithm>

#include "simulator/binance/binance.h"

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::string say(VenueCore& core, SessionId session, std::string_view text, SteadyTime at) {
  const auto told = core.receive(session, text, at);
  return told.size() == 1 && told[0].text ? *told[0].text : "(none)";
}

TEST(Binance, AnswersControlMessages) {
  struct Row {
    std::string_view message;
    std::string_view answer;
  };
  // One conversation, from a raw connection without streams.
  constexpr std::array<Row, 22> rows{{
      {R"({"method":"LIST_SUBSCRIPTIONS","id":3})", R"({"result":[],"id":3})"},
      {R"({"method":"SUBSCRIBE","params":["btcusdt@aggTrade","btcusdt@depth"],"id":1})",
       R"({"result":null,"id":1})"},
      {R"({"method":"LIST_SUBSCRIPTIONS","id":"a-1"})",
       R"({"result":["btcusdt@aggTrade","btcusdt@depth"],"id":"a-1"})"},
      {R"({"method":"UNSUBSCRIBE","params":["btcusdt@depth"],"id":312})",
       R"({"result":null,"id":312})"},
      {R"({"method":"LIST_SUBSCRIPTIONS","id":null})",
       R"({"result":["btcusdt@aggTrade"],"id":null})"},
      {R"({"method":"SUBSCRIBE","params":["nothing@like_this"],"id":5})",
       R"({"result":null,"id":5})"},
      {R"({"method":"GET_PROPERTY","params":["combined"],"id":2})", R"({"result":false,"id":2})"},
      {R"({"method":"SET_PROPERTY","params":["combined",true],"id":5})",
       R"({"result":null,"id":5})"},
      {R"({"method":"GET_PROPERTY","params":["combined"],"id":2})", R"({"result":true,"id":2})"},
      {R"({"method":"SET_PROPERTY","params":["combined","yes"],"id":5})",
       R"({"code":1,"msg":"Invalid value type: expected Boolean","id":5})"},
      {R"({"method":"SET_PROPERTY","params":["other",true],"id":5})",
       R"({"code":0,"msg":"Unknown property","id":5})"},
      {R"({"method":"GET_PROPERTY","params":["other"],"id":5})",
       R"({"code":0,"msg":"Unknown property","id":5})"},
      {R"({"method":"GET_PROPERTY","params":[7],"id":5})",
       R"({"code":2,"msg":"Invalid request: property name must be a string","id":5})"},
      {R"({"method":"GET_PROPERTY","params":["combined",true],"id":5})",
       R"({"code":2,"msg":"Invalid request: too many parameters","id":5})"},
      {R"({"method":"SUBSCRIBE","params":"btcusdt@trade","id":5})",
       R"({"code":2,"msg":"Invalid request: params must be an array of stream names","id":5})"},
      {R"({"method":"SUBSCRIBE","params":[1],"id":5})",
       R"({"code":2,"msg":"Invalid request: params must be an array of stream names","id":5})"},
      {R"({"params":["btcusdt@trade"],"id":5})",
       R"({"code":2,"msg":"Invalid request: missing field `method`","id":5})"},
      {R"({"method":"DANCE","id":5})",
       R"({"code":2,"msg":"Invalid request: unknown variant `DANCE`, expected one of `SUBSCRIBE`, )"
       R"(`UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`","id":5})"},
      {R"({"method":"LIST_SUBSCRIPTIONS","id":{}})",
       R"({"code":2,"msg":"Invalid request: request ID must be an integer, a string or null"})"},
      {R"({"method":"LIST_SUBSCRIPTIONS","id":1.5})",
       R"({"code":2,"msg":"Invalid request: request ID must be an integer, a string or null"})"},
      {R"({"method":)", R"({"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"})"},
      {R"([1])", R"({"code":2,"msg":"Invalid request: expected an object"})"},
  }};
  auto core = small_core();
  const auto session = open(*core, "/ws");
  SteadyTime at = steady;
  for (const auto& row : rows) {
    EXPECT_EQ(say(*core, session, row.message, at), row.answer) << row.message;
    at += 1s;
  }
}

TEST(Binance, WrapsFramesOfCombinedConnectionsOnly) {
  auto core = small_core();
  open(*core, "/ws/btcusdt@trade");
  open(*core, "/stream?streams=btcusdt@trade");
  const auto told = frames(core->advance_to(start + 1min));
  ASSERT_GE(told.size(), 4U);
  for (std::size_t i = 0; i < told.size(); i += 2) {
    EXPECT_EQ(told[i + 1], R"({"stream":"btcusdt@trade","data":)" + told[i] + "}");
  }
}

TEST(Binance, SubscribesWhileConnected) {
  auto core = small_core();
  const auto session = open(*core, "/stream");
  EXPECT_TRUE(core->advance_to(start + 10s).empty());
  core->receive(session, R"({"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1})", steady);
  EXPECT_FALSE(core->advance_to(start + 1min).empty());
  core->receive(session, R"({"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":2})",
                steady + 1s);
  EXPECT_TRUE(core->advance_to(start + 2min).empty());
}

TEST(Binance, DisconnectsWhoSendsMoreThanFiveMessagesASecond) {
  auto core = small_core();
  const auto session = open(*core, "/ws");
  for (int second = 0; second < 3; ++second) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_NE(say(*core, session, R"({"method":"LIST_SUBSCRIPTIONS","id":1})",
                    steady + std::chrono::seconds(second)),
                "(none)");
    }
  }
  const auto told =
      core->receive(session, R"({"method":"LIST_SUBSCRIPTIONS","id":1})", steady + 2500ms);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, Delivery::Kind::close);
  EXPECT_EQ(told[0].close_code, 1008);
  EXPECT_EQ(core->connections(), 0U);
}

TEST(Binance, AllowsAThousandAndTwentyFourStreams) {
  auto core = small_core();
  std::string many = "/stream?streams=";
  for (int i = 0; i < 1024; ++i) many += fmt::format("s{}@trade/", i);
  const auto session = open(*core, many);
  const auto told =
      core->receive(session, R"({"method":"SUBSCRIBE","params":["one@more"],"id":1})", steady);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, Delivery::Kind::close);
  EXPECT_TRUE(
      std::holds_alternative<Reply>(core->open(*make_request("GET", many + "one@more"), steady)));
}

TEST(Binance, TellsTimesInMicrosecondsWhenAsked) {
  auto core = small_core();
  const auto fine = open(*core, "/ws/btcusdt@trade?timeUnit=MICROSECOND");
  open(*core, "/ws/btcusdt@trade");
  std::vector<std::uint64_t> in_us;
  std::vector<std::uint64_t> in_ms;
  for (const auto& delivery : core->advance_to(start + 1min)) {
    const auto time = Flat(*delivery.text).number("T");
    if (delivery.session == fine) {
      in_us.push_back(time);
    } else {
      in_ms.push_back(time * 1000);
    }
  }
  EXPECT_GT(in_us.size(), 2U);
  EXPECT_EQ(in_us, in_ms);
  auto request = *make_request("GET", "/api/v3/time");
  request.headers.set("X-MBX-TIME-UNIT", "MICROSECOND");
  EXPECT_EQ(Flat(core->http(request, steady).body)["serverTime"], ms(start + 1min) + "000");
}

TEST(Binance, RefusesOtherPaths) {
  auto core = small_core();
  const auto opened = core->open(*make_request("GET", "/other"), steady);
  ASSERT_TRUE(std::holds_alternative<Reply>(opened));
  EXPECT_EQ(std::get<Reply>(opened).status, 404);
}

TEST(Binance, RefusesAsToldToWithTheRightHeaders) {
  struct Row {
    std::string_view faults;
    std::vector<int> statuses;
    bool has_retry_after;
  };
  for (const auto& row : {Row{"429=1,retry=7", {429}, true}, Row{"418=1,retry=7", {418}, true},
                          Row{"5xx=1", {500, 502, 503, 504}, false}}) {
    auto core = small_core(row.faults);
    for (int i = 0; i < 20; ++i) {
      const auto reply = get(*core, "/api/v3/ping");
      EXPECT_NE(std::ranges::find(row.statuses, reply.status), row.statuses.end());
      EXPECT_EQ(reply.headers.get("Retry-After"), row.has_retry_after ? "7" : "");
      if (row.has_retry_after) {
        EXPECT_EQ(Flat(reply.body)["code"], "-1003");
      }
    }
  }
}

TEST(Binance, HasOtherLimitsInTheUnitedStates) {
  VenueCore core({.venue = "binance-us",
                  .market = small_market(1, "binance-us"),
                  .start = start,
                  .speed = "1"});
  const Flat info(get(core, "/api/v3/exchangeInfo").body);
  EXPECT_EQ(info["rateLimits.0.limit"], "1200");
  EXPECT_EQ(get(core, "/api/v3/klines?symbol=BTCUSDT&interval=1m").headers.get("X-MBX-USED-WEIGHT"),
            "11");
  EXPECT_EQ(Flat(get(core, "/api/v3/klines?symbol=BTCUSDT&interval=1s").body)["code"], "-1120");
  open(core, "/ws/btcusdt@kline_1s");
  EXPECT_TRUE(core.advance_to(start + 1min).empty());
}

}  // namespace
}  // namespace candlewick::simulator
