// The protocol of docs/streaming.md, message by message.
#include "stream/client.h"

#include <fmt/format.h>

#include <tuple>

#include "stream/testing.h"

namespace candlewick::stream {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Listening;
using ::testing::SizeIs;
using testing::Told;
using testing::World;

constexpr std::string_view trades = "binance:BTC/USDT@trade";

TEST(Client, IsGreetedWithTheSession) {
  World world;
  Client client(*world.hub, world.clock, {}, [] {});
  EXPECT_EQ(*client.next(), R"({"type":"hello","session":"5f2c9a","time":"2026-01-15T12:00:00Z",)"
                            R"("heartbeat_seconds":15})");
  EXPECT_EQ(client.next(), nullptr);
}

TEST(Client, IsRefusedWithTheCodeAndTheStringAtFault) {
  World world;
  Listening listening(world);
  const std::string long_name(300, 'x');
  const std::vector<std::tuple<std::string, std::string, std::string>> inputs{
      {"", "bad_request", ""},
      {"5", "bad_request", ""},
      {"[]", "bad_request", ""},
      {"{", "bad_request", ""},
      {R"({"id":1})", "bad_request", "method"},
      {R"({"method":7})", "bad_request", "method"},
      {R"({"method":"PING"})", "unknown_method", "PING"},
      {R"({"method":"SUBSCRIBE"})", "bad_request", "params"},
      {R"({"method":"SUBSCRIBE","params":[]})", "bad_request", "params"},
      {R"({"method":"SUBSCRIBE","params":"x"})", "bad_request", "params"},
      {R"({"method":"SUBSCRIBE","params":[7]})", "bad_request", "params"},
      {R"({"method":"SUBSCRIBE","params":["x"],"params":["y"]})", "bad_request", "params"},
      {R"({"method":"SUBSCRIBE","params":["x"],"depth":5})", "bad_request", "depth"},
      {R"({"method":"LIST_SUBSCRIPTIONS","params":[]})", "bad_request", "params"},
      {R"({"method":"LIST_SUBSCRIPTIONS","after":"a:1"})", "bad_request", "after"},
      {R"({"method":"LIST_SUBSCRIPTIONS","id":{}})", "bad_request", "id"},
      {R"({"method":"LIST_SUBSCRIPTIONS","id":true})", "bad_request", "id"},
      {R"({"method":"LIST_SUBSCRIPTIONS","id":")" + long_name + "\"}", "bad_request", "id"},
      {R"({"method":"SUBSCRIBE","params":["btcusdt"]})", "unknown_stream", "btcusdt"},
      {R"({"method":"SUBSCRIBE","params":["BTC@trade:x"]})", "unknown_stream", "BTC@trade:x"},
      {R"({"method":"SUBSCRIBE","params":["mtgox:BTC/USDT@trade"]})", "unknown_exchange",
       "mtgox:BTC/USDT@trade"},
      {R"({"method":"SUBSCRIBE","params":["binance:NO/PE@trade"]})", "unknown_symbol",
       "binance:NO/PE@trade"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@depth"]})", "unknown_channel",
       "binance:BTC/USDT@depth"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@candle_5m"]})", "unknown_timeframe",
       "binance:BTC/USDT@candle_5m"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@candle_"]})", "unknown_timeframe",
       "binance:BTC/USDT@candle_"},
      {R"({"method":"SUBSCRIBE","params":["test:TEST/USDT@coverage"]})", "unknown_channel",
       "test:TEST/USDT@coverage"},
      {R"({"method":"SUBSCRIBE","params":["test:BTC/USDT@trade"]})", "unknown_symbol",
       "test:BTC/USDT@trade"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade","x"]})", "unknown_stream", "x"},
      {R"({"method":"UNSUBSCRIBE","params":["binance:BTC/USDT@trade"]})", "not_subscribed",
       "binance:BTC/USDT@trade"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade","binance:BTC/USDT@quote"],)"
       R"("after":"5f2c9a:1"})",
       "after_needs_one_stream", "after"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade"],"after":7})", "bad_request",
       "after"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade"],"after":"nonsense"})",
       "bad_request", "nonsense"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade"],"after":"5f2c9a:-1"})",
       "bad_request", "5f2c9a:-1"},
      {R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade"],)"
       R"("after":{"binance:ETH/USDT@trade":"5f2c9a:1"}})",
       "bad_request", "binance:ETH/USDT@trade"},
  };
  for (const auto& [input, code, param] : inputs) {
    world.clock.advance(1s);
    const Told told = listening.ask(input);
    EXPECT_EQ(told.code, code) << input;
    EXPECT_EQ(told.param, param) << input;
    EXPECT_FALSE(listening.client->close()) << input;
  }
  // None of them subscribed anything.
  EXPECT_EQ(listening.client->streams(), 0U);
}

TEST(Client, GetsItsIdBackAsItWasSent) {
  World world;
  Listening listening(world);
  for (const std::string_view id : {"1", "-2.50", "\"a\\u0041\"", "null", "12345678901234567890"}) {
    world.clock.advance(1s);
    const std::string request = fmt::format(R"({{"id":{},"method":"LIST_SUBSCRIPTIONS"}})", id);
    EXPECT_EQ(listening.ask(request).id, id);
    EXPECT_EQ(listening.ask(fmt::format(R"({{"method":"NO","id":{}}})", id)).id, id);
  }
  EXPECT_EQ(listening.ask(R"({"method":"LIST_SUBSCRIPTIONS"})").id, "null");
}

TEST(Client, SubscribesInEverySpellingOnce) {
  World world;
  Listening listening(world);
  listening.say(
      R"({"method":"SUBSCRIBE","params":["binance:btc-usdt@trade","binance:BTCUSDT@trade"],"id":1})");
  auto told = listening.take();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0].result, "null");
  EXPECT_EQ(told[1].type, "snapshot");
  EXPECT_EQ(told[1].stream, trades);
  EXPECT_EQ(told[1].data, "null");
  // No second snapshot.
  listening.subscribe("binance:btc_usdt@trade");
  told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].result, "null");
  EXPECT_EQ(listening.ask(R"({"method":"LIST_SUBSCRIPTIONS","id":2})").result,
            R"(["binance:BTC/USDT@trade"])");
  EXPECT_EQ(
      listening.ask(R"({"method":"UNSUBSCRIBE","params":["binance:BTCUSDT@trade"],"id":3})").result,
      "null");
  EXPECT_EQ(listening.ask(R"({"method":"LIST_SUBSCRIPTIONS","id":4})").result, "[]");
  world.trade(1);
  world.pump();
  EXPECT_THAT(listening.take(), IsEmpty());
}

TEST(Client, MayLeaveWhatIsFollowedNoMore) {
  World world;
  Listening listening(world);
  listening.subscribe(trades);
  listening.take();
  world.board.retire(world.bitcoin_of_binance);
  EXPECT_EQ(listening.ask(R"({"method":"UNSUBSCRIBE","params":["binance:BTC/USDT@quote"]})").code,
            "unknown_symbol");
  EXPECT_EQ(listening.ask(R"({"method":"UNSUBSCRIBE","params":["binance:BTC/USDT@trade"]})").result,
            "null");
  EXPECT_EQ(listening.client->streams(), 0U);
}

TEST(Client, ChangesNothingWhenOneOfSeveralNamesIsBad) {
  World world;
  Listening listening(world);
  listening.subscribe(trades);
  listening.take();
  EXPECT_EQ(listening
                .ask(R"({"method":"UNSUBSCRIBE",)"
                     R"("params":["binance:BTC/USDT@trade","binance:BTC/USDT@quote"]})")
                .code,
            "not_subscribed");
  EXPECT_EQ(listening.ask(R"({"method":"LIST_SUBSCRIPTIONS"})").result,
            R"(["binance:BTC/USDT@trade"])");
}

TEST(Client, HoldsALimitedNumberOfStreams) {
  World world;
  Listening listening(world, {.streams = 2});
  const Told told = listening.ask(
      R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade","binance:BTC/USDT@quote",)"
      R"("binance:BTC/USDT@book"]})");
  EXPECT_EQ(told.code, "too_many_streams");
  EXPECT_EQ(told.param, "binance:BTC/USDT@book");
  EXPECT_EQ(listening.client->streams(), 0U);
}

TEST(Client, GoesOnBehindTheEventThatItHadLast) {
  World world;
  Listening first(world);
  first.subscribe(trades);
  for (std::uint64_t id = 1; id <= 5; ++id) world.trade(id);
  world.pump();
  EXPECT_EQ(first.take().back().seq, 5U);
  const auto resume = [&](std::string_view after) {
    Listening again(world);
    again.say(fmt::format(R"({{"method":"SUBSCRIBE","params":["{}"],"after":{},"id":4}})", trades,
                          after));
    auto told = again.take();
    EXPECT_EQ(told.front().result, "null");
    told.erase(told.begin());
    return told;
  };
  for (const std::string_view after :
       {R"("5f2c9a:3")", R"({"binance:BTCUSDT@trade":"5f2c9a:3"})"}) {
    const auto told = resume(after);
    ASSERT_THAT(told, SizeIs(2)) << after;
    EXPECT_EQ(told[0].type, "update");
    EXPECT_EQ(told[0].seq, 4U);
    EXPECT_EQ(told[1].seq, 5U);
  }
  EXPECT_THAT(resume(R"("5f2c9a:5")"), IsEmpty());
  // Another run of the server, a number that it never gave, one that it forgot.
  for (const std::string_view after : {R"("000000:3")", R"("5f2c9a:6")"}) {
    const auto told = resume(after);
    ASSERT_THAT(told, SizeIs(1)) << after;
    EXPECT_EQ(told[0].type, "snapshot");
    EXPECT_EQ(told[0].seq, 5U);
  }
  for (std::uint64_t id = 6; id <= 2000; ++id) world.trade(id);
  world.pump();
  const auto told = resume(R"("5f2c9a:3")");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].type, "snapshot");
  EXPECT_EQ(told[0].seq, 2000U);
  EXPECT_THAT(resume(R"("5f2c9a:1000")"), SizeIs(1000));
}

TEST(Client, HearsAHeartbeatOnlyInSilence) {
  World world;
  Listening listening(world);
  listening.subscribe(trades);
  listening.take();
  world.clock.advance(14s);
  listening.client->tick();
  EXPECT_THAT(listening.take(), IsEmpty());
  world.trade(1);
  world.pump();
  EXPECT_THAT(listening.take(), SizeIs(1));
  world.clock.advance(14s);
  listening.client->tick();
  EXPECT_THAT(listening.take(), IsEmpty());
  world.clock.advance(1s);
  listening.client->tick();
  const auto told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].type, "heartbeat");
  world.clock.advance(14s);
  listening.client->tick();
  EXPECT_THAT(listening.take(), IsEmpty());
}

TEST(Client, IsClosedWhenItSpeaksTooMuchOrInBytes) {
  World world;
  Listening listening(world);
  for (int i = 0; i < 20; ++i) listening.say("{}");
  EXPECT_FALSE(listening.client->close());
  world.clock.advance(999ms);
  listening.say("{}");
  ASSERT_TRUE(listening.client->close());
  EXPECT_EQ(listening.client->close()->code, 1008);
  Listening slower(world);
  for (int i = 0; i < 200; ++i) {
    world.clock.advance(50ms);
    slower.ask("{}");
  }
  EXPECT_FALSE(slower.client->close());
  slower.client->receive("x", true);
  ASSERT_TRUE(slower.client->close());
  EXPECT_EQ(slower.client->close()->code, 1003);
  EXPECT_EQ(slower.client->next(), nullptr);
}

TEST(Client, IsClosedWhenAMessageIsTooLong) {
  World world;
  Listening listening(world);
  listening.say(std::string(64U << 10U, ' '));
  EXPECT_FALSE(listening.client->close());
  listening.say(std::string((64U << 10U) + 1, ' '));
  ASSERT_TRUE(listening.client->close());
  EXPECT_EQ(listening.client->close()->code, 1009);
}

TEST(Client, IsClosedWhenItDoesNotReadItsReplies) {
  World world;
  Listening listening(world);
  for (int i = 0; i < 65; ++i) {
    EXPECT_FALSE(listening.client->close()) << i;
    world.clock.advance(100ms);
    listening.say(R"({"method":"LIST_SUBSCRIPTIONS"})");
  }
  ASSERT_TRUE(listening.client->close());
  EXPECT_EQ(listening.client->close()->code, 1008);
}

TEST(Client, WakesWhoeverSendsOnlyWhenNothingWaitedBefore) {
  World world;
  Listening listening(world);
  listening.subscribe(trades);
  EXPECT_EQ(listening.woken, 0);
  listening.take();
  world.trade(1);
  world.trade(2);
  world.pump();
  EXPECT_EQ(listening.woken, 1);
  EXPECT_THAT(listening.take(), SizeIs(2));
}

TEST(Client, LeavesItsStreamsWhenItGoes) {
  World world;
  auto listening = std::make_unique<Listening>(world);
  listening->subscribe(trades);
  EXPECT_EQ(world.hub->active_streams(), 1U);
  listening.reset();
  world.trade(1);
  world.pump();
  EXPECT_EQ(world.hub->active_streams(), 1U);
  world.pass(61s);
  EXPECT_EQ(world.hub->active_streams(), 0U);
}

}  // namespace
}  // namespace candlewick::stream
