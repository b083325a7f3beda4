// What is particular to Gate.io's simulator: channels with payloads, both books, limits of candles.
#include "simulator/gateio/gateio.h"

#include <gtest/gtest.h>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedGateio : public ::testing::Test {
 protected:
  SessionId connect() { return open(core, "/ws/v4/"); }
  std::vector<std::string> say(SessionId session, std::string_view channel,
                               std::string_view payload, std::string_view event = "subscribe") {
    const auto text = fmt::format(R"({{"id":7,"channel":"{}","event":"{}","payload":[{}]}})",
                                  channel, event, payload);
    return frames(core.receive(session, text, steady));
  }
  VenueCore core{VenueSetup{
      .venue = "gateio", .market = small_market(1, "gateio"), .start = start, .speed = "1"}};
};

TEST_F(SimulatedGateio, AnswersPingsAndKnowsOnePath) {
  const Flat pong(say(connect(), "spot.ping", "", "").front());
  EXPECT_EQ(pong["channel"], "spot.pong");
  EXPECT_EQ(pong["id"], "7");
  EXPECT_TRUE(std::holds_alternative<Reply>(core.open(*make_request("GET", "/ws"), steady)));
}

TEST_F(SimulatedGateio, RefusesAMessageWithAnUnknownPairWhole) {
  const auto session = connect();
  const Flat refused(say(session, "spot.trades", R"("BTC_USDT","NO_SUCH")").front());
  EXPECT_EQ(refused["error.code"], "2");
  EXPECT_EQ(refused["error.message"], "unknown currency pair NO_SUCH");
  EXPECT_TRUE(frames(core.advance_to(start + 1min)).empty());
  EXPECT_EQ(Flat(say(session, "spot.trades", R"("BTC_USDT","ETH_BTC")").front())["result.status"],
            "success");
  EXPECT_FALSE(frames(core.advance_to(start + 2min)).empty());
  say(session, "spot.trades", R"("BTC_USDT","ETH_BTC")", "unsubscribe");
  EXPECT_TRUE(frames(core.advance_to(start + 3min)).empty());
  for (const auto& [channel, payload] : std::vector<std::pair<const char*, const char*>>{
           {"spot.nonsense", R"("BTC_USDT")"},
           {"spot.candlesticks", R"("7m","BTC_USDT")"},
           {"spot.order_book_update", R"("BTC_USDT","1ms")"},
           {"spot.order_book", R"("BTC_USDT","7","100ms")"}}) {
    EXPECT_EQ(Flat(say(session, channel, payload).front())["error.code"], "2") << channel;
  }
}

TEST_F(SimulatedGateio, NumbersABooksChangesOnFromOneAnother) {
  const auto session = connect();
  say(session, "spot.order_book_update", R"("BTC_USDT","100ms")");
  std::optional<std::uint64_t> last;
  std::size_t count = 0;
  for (const auto& text : frames(core.advance_to(start + 30s))) {
    const Flat update(text);
    if (last) {
      ASSERT_EQ(update.number("result.U"), *last + 1);
    }
    last = update.number("result.u");
    ++count;
  }
  EXPECT_GT(count, 20U);
  const auto book = [&](std::string_view more) {
    return Flat(
        get(core, fmt::format("/api/v4/spot/order_book?currency_pair=BTC_USDT{}", more)).body);
  };
  EXPECT_FALSE(book("").has("id"));
  EXPECT_FALSE(book("").has("bids.10.0"));
  EXPECT_GE(book("&with_id=true&limit=100").number("id"), *last);
  EXPECT_TRUE(book("&with_id=true&limit=100").has("bids.99.0"));
}

TEST_F(SimulatedGateio, BeginsTheNewerBookWithAllOfIt) {
  core.advance_to(start + 1234ms);
  const auto session = connect();
  const auto answers = say(session, "spot.obu", R"("ob.BTC_USDT.50")");
  ASSERT_EQ(answers.size(), 2U);
  const Flat whole(answers[1]);
  EXPECT_EQ(whole["result.full"], "true");
  EXPECT_TRUE(whole.has("result.b.49.0"));
  EXPECT_FALSE(whole.has("result.b.50.0"));
  auto last = whole.number("result.u");
  for (const auto& text : frames(core.advance_to(start + 10s))) {
    const Flat update(text);
    ASSERT_EQ(update.number("result.U"), last + 1);
    last = update.number("result.u");
  }
  EXPECT_EQ(Flat(say(session, "spot.obu", R"("ob.BTC_USDT.50")").front())["error.message"],
            "Alert sub ob.BTC_USDT.50");
}

TEST_F(SimulatedGateio, SaysWhenACandlesWindowIsClosed) {
  const auto session = connect();
  say(session, "spot.candlesticks", R"("1m","BTC_USDT")");
  std::size_t closed = 0;
  for (const auto& text : frames(core.advance_to(start + 3min + 1s))) {
    const Flat candle(text);
    EXPECT_EQ(candle["result.n"], "1m_BTC_USDT");
    closed += candle["result.w"] == "true" ? 1 : 0;
  }
  EXPECT_EQ(closed, 3U);
}

TEST_F(SimulatedGateio, ServesAThousandCandlesOfTheNewestTenThousand) {
  core.advance_to(start + 90s);
  const auto second = [](Time time) { return std::to_string(to_ms(time) / 1000); };
  const auto ask = [&](std::string_view more) {
    return get(core,
               fmt::format("/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1m{}", more));
  };
  EXPECT_EQ(elements(ask("").body).size(), 100U);
  const Flat some(ask("&from=" + second(start - 2min) + "&to=" + second(start + 1h)).body);
  EXPECT_EQ(some["0.0"], second(start - 2min));
  EXPECT_EQ(some["2.7"], "true");
  EXPECT_EQ(some["3.7"], "false") << "the running one";
  EXPECT_FALSE(some.has("4.0"));
  EXPECT_EQ(ask("&from=" + second(start - 24h) + "&to=" + second(start)).status, 400);
  EXPECT_EQ(ask("&from=" + second(start - 167h) + "&to=" + second(start - 167h)).status, 400);
  EXPECT_EQ(ask("&from=" + second(start) + "&limit=5").status, 400);
  EXPECT_EQ(elements(ask("&limit=5000").body).size(), 1000U);
}

TEST_F(SimulatedGateio, RefusesWithALabel) {
  const auto label = [&](std::string_view target) {
    const auto reply = get(core, target);
    return fmt::format("{} {}", reply.status, Flat(reply.body)["label"]);
  };
  EXPECT_EQ(label("/api/v4/spot/tickers?currency_pair=NO_SUCH"), "400 INVALID_CURRENCY_PAIR");
  EXPECT_EQ(label("/api/v4/spot/trades"), "400 MISSING_REQUIRED_PARAM");
  EXPECT_EQ(label("/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=7m"),
            "400 INVALID_PARAM_VALUE");
  EXPECT_EQ(label("/nowhere"), "404 NOT_FOUND");
  EXPECT_EQ(get(core, "/api/v4/spot/currency_pairs/BTC_USDT").status, 200);
  ASSERT_TRUE(core.change_faults("vanish=BTC_USDT"));
  EXPECT_EQ(label("/api/v4/spot/currency_pairs/BTC_USDT"), "400 INVALID_CURRENCY_PAIR");
}

}  // namespace
}  // namespace candlewick::simulator
