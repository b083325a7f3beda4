// What is particular to OKX: two paths, one answer for each channel, linked numbers of the book,
// newest candles and history apart.
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedOkx : public ::testing::Test {
 protected:
  std::vector<std::string> say(SessionId session, std::string_view text) {
    return frames(core.receive(session, text, steady));
  }
  static std::string subscribe(std::string_view channel, std::string_view symbol = "BTC-USDT") {
    return fmt::format(R"({{"id":"7","op":"subscribe","args":[{{"channel":"{}","instId":"{}"}}]}})",
                       channel, symbol);
  }
  VenueCore core{
      VenueSetup{.venue = "okx", .market = small_market(1, "okx"), .start = start, .speed = "1"}};
};

TEST_F(SimulatedOkx, AnswersPingsInItsOwnWords) {
  EXPECT_EQ(say(open(core, "/ws/v5/public"), "ping"), std::vector<std::string>{"pong"});
  const auto refused = core.open(*make_request("GET", "/ws"), steady);
  EXPECT_TRUE(std::holds_alternative<Reply>(refused));
}

TEST_F(SimulatedOkx, HasCandlesAtTheBusinessPathOnly) {
  const auto code = [&](std::string_view path, std::string_view channel) {
    const Flat answer(say(open(core, path), subscribe(channel)).front());
    return answer.has("code") ? answer["code"] : answer["event"];
  };
  EXPECT_EQ(code("/ws/v5/public", "candle1m"), "60018");
  EXPECT_EQ(code("/ws/v5/business", "candle1m"), "subscribe");
  EXPECT_EQ(code("/ws/v5/business", "trades"), "60018");
  EXPECT_EQ(code("/ws/v5/public", "trades"), "subscribe");
  EXPECT_EQ(code("/ws/v5/public", "nonsense"), "60018");
}

TEST_F(SimulatedOkx, OneRefusedChannelLeavesTheOthers) {
  const auto session = open(core, "/ws/v5/public");
  const auto answers = say(
      session,
      R"({"op":"subscribe","args":[{"channel":"trades","instId":"NO-SUCH"},{"channel":"trades","instId":"BTC-USDT"}]})");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(Flat(answers[0])["event"], "error");
  EXPECT_EQ(Flat(answers[1])["event"], "subscribe");
  const auto told = frames(core.advance_to(start + 1min));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(Flat(told.front())["data.0.instId"], "BTC-USDT");
  say(session, R"({"op":"unsubscribe","args":[{"channel":"trades","instId":"BTC-USDT"}]})");
  EXPECT_TRUE(frames(core.advance_to(start + 2min)).empty());
}

TEST_F(SimulatedOkx, LinksABooksFramesFromItsSnapshotOn) {
  core.advance_to(start + 1234ms);
  const auto session = open(core, "/ws/v5/public");
  const auto answers = say(session, subscribe("books"));
  ASSERT_EQ(answers.size(), 2U);
  const Flat snapshot(answers[1]);
  EXPECT_EQ(snapshot["action"], "snapshot");
  EXPECT_EQ(snapshot["data.0.prevSeqId"], "-1");
  EXPECT_EQ(snapshot["data.0.checksum"], "0");
  std::string last = snapshot["data.0.seqId"];
  std::size_t count = 0;
  for (const auto& text : frames(core.advance_to(start + 30s))) {
    const Flat update(text);
    ASSERT_EQ(update["data.0.prevSeqId"], last);
    last = update["data.0.seqId"];
    ++count;
  }
  EXPECT_GT(count, 20U);
  // Another subscription, another snapshot.
  say(session, R"({"op":"unsubscribe","args":[{"channel":"books","instId":"BTC-USDT"}]})");
  EXPECT_EQ(Flat(say(session, subscribe("books"))[1])["action"], "snapshot");
}

TEST_F(SimulatedOkx, AllowsSoManyOperationsAnHour) {
  const auto session = open(core, "/ws/v5/public");
  for (int i = 0; i < 480; ++i)
    EXPECT_EQ(Flat(say(session, subscribe("bbo-tbt")).front())["event"], "subscribe");
  EXPECT_EQ(Flat(say(session, subscribe("trades")).front())["code"], "60014");
}

std::vector<std::string> rows(VenueCore& core, std::string_view path, std::string_view more) {
  const auto reply = get(core, fmt::format("/api/v5/market/{}?instId=BTC-USDT&{}", path, more));
  const Flat body(reply.body);
  std::vector<std::string> all;
  for (std::size_t i = 0; body.has(fmt::format("data.{}.0", i)); ++i)
    all.push_back(body[fmt::format("data.{}.0", i)] + " " + body[fmt::format("data.{}.8", i)]);
  return all;
}

TEST_F(SimulatedOkx, TellsTheRunningCandleInTheNewestButNotInHistory) {
  core.advance_to(start + 90s);
  using Rows = std::vector<std::string>;
  EXPECT_EQ(rows(core, "candles", "limit=2"), (Rows{ms(start + 1min) + " 0", ms(start) + " 1"}));
  EXPECT_EQ(rows(core, "history-candles", "limit=2"),
            (Rows{ms(start) + " 1", ms(start - 1min) + " 1"}));
  // Newer than one and older than another, both exclusive.
  EXPECT_EQ(rows(core, "history-candles",
                 "before=" + ms(start - 3min) + "&after=" + ms(start) + "&bar=1m"),
            (Rows{ms(start - 1min) + " 1", ms(start - 2min) + " 1"}));
  EXPECT_TRUE(rows(core, "candles", "after=" + ms(start - 25h)).empty());
  EXPECT_EQ(rows(core, "history-candles", "after=" + ms(start - 25h)).size(), 100U);
  EXPECT_EQ(rows(core, "candles", "limit=1000").size(), 300U);
}

TEST_F(SimulatedOkx, RefusesWithACodeAndHttp200) {
  const auto code = [&](std::string_view target) {
    const auto reply = get(core, target);
    return fmt::format("{} {}", reply.status, Flat(reply.body)["code"]);
  };
  EXPECT_EQ(code("/api/v5/market/ticker?instId=NO-SUCH"), "200 51001");
  EXPECT_EQ(code("/api/v5/market/ticker"), "400 50014");
  EXPECT_EQ(code("/api/v5/market/candles?instId=BTC-USDT&bar=7m"), "200 51000");
  EXPECT_EQ(code("/api/v5/market/books?instId=BTC-USDT&sz=5"), "200 0");
  EXPECT_EQ(code("/nowhere"), "404 404");
  ASSERT_TRUE(core.change_faults("vanish=BTC-USDT"));
  EXPECT_EQ(code("/api/v5/market/ticker?instId=BTC-USDT"), "200 51001");
}

TEST_F(SimulatedOkx, AnnouncesAServiceUpgradeOnThePublicPath) {
  open(core, "/ws/v5/public");
  open(core, "/ws/v5/business");
  core.announce_shutdown();
  const auto told = frames(core.advance_to(start + 1s));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(Flat(told.front())["code"], "64008");
}

}  // namespace
}  // namespace candlewick::simulator
