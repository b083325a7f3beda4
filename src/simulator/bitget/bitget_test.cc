// What is particular to Bitget: pings in words, refusals by channel, checksums.
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedBitget : public ::testing::Test {
 protected:
  std::vector<std::string> say(SessionId session, std::string_view text) {
    return frames(core.receive(session, text, steady));
  }
  static std::string subscribe(std::string_view channel, std::string_view symbol = "BTCUSDT") {
    return fmt::format(
        R"({{"op":"subscribe","args":[{{"instType":"SPOT","channel":"{}","instId":"{}"}}]}})",
        channel, symbol);
  }
  SessionId connect() { return open(core, "/v2/ws/public"); }
  VenueCore core{VenueSetup{
      .venue = "bitget", .market = small_market(1, "bitget"), .start = start, .speed = "1"}};
};

TEST_F(SimulatedBitget, AnswersPingsInWords) {
  EXPECT_EQ(say(connect(), "ping").front(), "pong");
  EXPECT_EQ(Flat(say(connect(), R"({"op":"dance"})").front())["code"], "30002");
  EXPECT_TRUE(
      std::holds_alternative<Reply>(core.open(*make_request("GET", "/spot/v1/stream"), steady)));
}

TEST_F(SimulatedBitget, RefusesAChannelAndTakesTheOthersOfItsMessage) {
  const auto answers = say(
      connect(),
      R"({"op":"subscribe","args":[{"instType":"SPOT","channel":"trade","instId":"NOSUCH"},{"instType":"SPOT","channel":"books1","instId":"BTCUSDT"}]})");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(Flat(answers[0])["event"], "error");
  EXPECT_EQ(Flat(answers[0])["arg.instId"], "NOSUCH");
  EXPECT_EQ(Flat(answers[1])["event"], "subscribe");
  EXPECT_FALSE(frames(core.advance_to(start + 10s)).empty());
}

TEST_F(SimulatedBitget, GivesABooksSnapshotThenChangesWithChecksums) {
  core.advance_to(start + 777ms);
  const auto answers = say(connect(), subscribe("books"));
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(Flat(answers[1])["action"], "snapshot");
  EXPECT_EQ(Flat(answers[1])["data.0.pseq"], "0");
  auto number = Flat(answers[1]).number("data.0.seq");
  std::size_t updates = 0;
  for (const auto& text : frames(core.advance_to(start + 20s))) {
    const Flat update(text);
    ASSERT_EQ(update["action"], "update");
    ASSERT_GT(update.number("data.0.seq"), number);
    ASSERT_EQ(update.number("data.0.pseq"), number);
    ASSERT_NE(update["data.0.checksum"], "0");
    number = update.number("data.0.seq");
    ++updates;
  }
  EXPECT_GT(updates, 20U);
}

TEST_F(SimulatedBitget, LimitsSubscriptionsAnHour) {
  const auto session = connect();
  for (int i = 0; i < 120; ++i) {
    say(session, subscribe("books1"));
    say(session, subscribe("books5"));
  }
  EXPECT_EQ(Flat(say(session, subscribe("books15")).front())["code"], "30007");
}

}  // namespace
}  // namespace candlewick::simulator
