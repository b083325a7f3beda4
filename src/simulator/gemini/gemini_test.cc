// What is particular to Gemini's simulator: a heartbeat, one subscription for book and trades,
// candles without ranges.
#include "simulator/gemini/gemini.h"

#include <gtest/gtest.h>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedGemini : public ::testing::Test {
 protected:
  SessionId connect() { return open(core, "/v2/marketdata"); }
  std::vector<std::string> say(SessionId session, std::string_view name,
                               std::string_view symbol = "BTCUSDT",
                               std::string_view type = "subscribe") {
    const auto text =
        fmt::format(R"({{"type":"{}","subscriptions":[{{"name":"{}","symbols":["{}"]}}]}})", type,
                    name, symbol);
    return frames(core.receive(session, text, steady));
  }
  static std::vector<std::string> of_type(const std::vector<std::string>& texts,
                                          std::string_view type) {
    std::vector<std::string> found;
    for (const auto& text : texts) {
      if (Flat(text)["type"] == type) found.push_back(text);
    }
    return found;
  }
  VenueCore core{VenueSetup{
      .venue = "gemini", .market = small_market(1, "gemini"), .start = start, .speed = "1"}};
};

TEST_F(SimulatedGemini, TellsTheTimeEveryFiveSeconds) {
  connect();
  const auto beats = frames(core.advance_to(start + 30s));
  ASSERT_EQ(beats.size(), 6U);
  EXPECT_EQ(Flat(beats.front())["timestamp"], ms(start + 5s));
  EXPECT_TRUE(std::holds_alternative<Reply>(core.open(*make_request("GET", "/v1"), steady)));
}

TEST_F(SimulatedGemini, BeginsWithTheWholeBookAndTheLastTrades) {
  core.advance_to(start + 1234ms);
  const auto session = connect();
  const auto answers = say(session, "l2");
  ASSERT_EQ(answers.size(), 1U);
  const Flat whole(answers.front());
  EXPECT_EQ(whole["changes.0.0"], "buy");
  EXPECT_TRUE(whole.has("trades.49.price"));
  EXPECT_FALSE(whole.has("trades.50.price"));
  EXPECT_GT(whole.number("trades.0.event_id"), whole.number("trades.1.event_id"));
  const auto told = frames(core.advance_to(start + 1min));
  EXPECT_GT(of_type(told, "l2_updates").size(), 20U);
  for (const auto& text : of_type(told, "l2_updates"))
    EXPECT_FALSE(Flat(text).has("trades.0.price"));
  EXPECT_FALSE(of_type(told, "trade").empty());
  say(session, "l2", "BTCUSDT", "unsubscribe");
  EXPECT_EQ(frames(core.advance_to(start + 2min)).size(), 12U) << "heartbeats alone";
  EXPECT_TRUE(Flat(say(session, "l2").front()).has("trades.0.price")) << "another one";
}

TEST_F(SimulatedGemini, SendsTheNewestCandlesThenUpdates) {
  core.advance_to(start + 90s);
  const auto session = connect();
  const auto answers = say(session, "candles_1m");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(Flat(answers[0])["type"], "candles_1m_updates");
  EXPECT_EQ(Flat(answers[0])["changes.0.0"], ms(start + 1min));
  EXPECT_EQ(Flat(answers[0])["changes.1.0"], ms(start));
  EXPECT_FALSE(of_type(frames(core.advance_to(start + 3min)), "candles_1m_updates").empty());
}

TEST_F(SimulatedGemini, RefusesWhatDoesNotExistInWords) {
  const auto session = connect();
  EXPECT_EQ(Flat(say(session, "l2", "NOSUCH").front())["reason"], "InvalidSymbol");
  EXPECT_EQ(Flat(say(session, "candles_7m").front())["reason"], "InvalidSubscription");
  EXPECT_EQ(Flat(say(session, "l2", "BTCUSDT", "nonsense").front())["result"], "error");
}

TEST_F(SimulatedGemini, ServesADayOfMinutesAndNoRange) {
  core.advance_to(start + 90s);
  const auto rows = elements(get(core, "/v2/candles/btcusdt/1m").body);
  ASSERT_EQ(rows.size(), 1440U);
  EXPECT_TRUE(rows.front().starts_with("[" + ms(start + 1min) + ",")) << "the running one";
  EXPECT_EQ(elements(get(core, "/v2/candles/btcusdt/1hr").body).size(), 1440U);
  EXPECT_EQ(get(core, "/v2/candles/btcusdt/1h").status, 400);
}

TEST_F(SimulatedGemini, AnswersByThePath) {
  const auto reason = [&](std::string_view target) {
    const auto reply = get(core, target);
    return fmt::format("{} {}", reply.status, Flat(reply.body)["reason"]);
  };
  EXPECT_EQ(reason("/v1/pubticker/nosuch"), "400 InvalidSymbol");
  EXPECT_EQ(reason("/nowhere"), "404 EndpointNotFound");
  EXPECT_EQ(Flat(get(core, "/v1/symbols").body)["0"], "btcusdt");
  EXPECT_EQ(Flat(get(core, "/v1/symbols/details/BTCUSDT").body)["base_currency"], "BTC");
  const Flat book(get(core, "/v1/book/btcusdt?limit_bids=2&limit_asks=0").body);
  EXPECT_TRUE(book.has("bids.1.price"));
  EXPECT_FALSE(book.has("bids.2.price"));
  EXPECT_TRUE(book.has("asks.60.price")) << "zero: all there are";
  EXPECT_EQ(elements(get(core, "/v1/trades/btcusdt?limit_trades=7").body).size(), 7U);
  ASSERT_TRUE(core.change_faults("vanish=BTCUSDT"));
  EXPECT_EQ(reason("/v1/pubticker/btcusdt"), "400 InvalidSymbol");
}

}  // namespace
}  // namespace candlewick::simulator
