// What USD-M futures have that spot has not: two paths, the book's chain, figures of derivatives.
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class SimulatedUsdm : public ::testing::Test {
 protected:
  std::vector<std::string> hear(std::string_view target, Duration length) {
    open(core, target);
    return frames(core.advance_to(core.now() + length));
  }
  VenueCore core{VenueSetup{.venue = "binance-usdm",
                            .market = small_market(1, "binance-usdm"),
                            .start = start,
                            .speed = "1"}};
};

TEST_F(SimulatedUsdm, ServesAStreamAtOneOfTwoPathsOnly) {
  EXPECT_FALSE(hear("/public/stream?streams=btcusdt@bookTicker", 10s).empty());
  VenueCore other{VenueSetup{.venue = "binance-usdm",
                             .market = small_market(1, "binance-usdm"),
                             .start = start,
                             .speed = "1"}};
  open(other, "/public/ws/btcusdt@markPrice@1s");
  open(other, "/market/stream?streams=btcusdt@depth@100ms");
  EXPECT_TRUE(frames(other.advance_to(start + 10s)).empty());
  open(other, "/market/ws/btcusdt@markPrice@1s");
  EXPECT_EQ(frames(other.advance_to(start + 20s)).size(), 10U);
}

TEST_F(SimulatedUsdm, ChainsTheBookByTheUpdateBefore) {
  const auto told = hear("/public/ws/btcusdt@depth@100ms", 20s);
  ASSERT_GT(told.size(), 20U);
  std::optional<std::uint64_t> last;
  for (const auto& text : told) {
    const Flat update(text);
    if (last) {
      ASSERT_EQ(update.number("pu"), *last);
    }
    ASSERT_TRUE(update.has("T"));
    last = update.number("u");
  }
  const Flat snapshot(get(core, "/fapi/v1/depth?symbol=BTCUSDT&limit=1000").body);
  EXPECT_GE(snapshot.number("lastUpdateId"), *last);
  EXPECT_TRUE(snapshot.has("T"));
  EXPECT_EQ(get(core, "/fapi/v1/depth?symbol=BTCUSDT&limit=7").status, 400);
}

TEST_F(SimulatedUsdm, TellsTheSameFiguresByStreamAndRequest) {
  const Flat told(hear("/market/ws/btcusdt@markPrice@1s", 1s).back());
  const Flat asked(get(core, "/fapi/v1/premiumIndex?symbol=BTCUSDT").body);
  EXPECT_EQ(told["p"], asked["markPrice"]);
  EXPECT_EQ(told["i"], asked["indexPrice"]);
  EXPECT_EQ(told["r"], asked["lastFundingRate"]);
  EXPECT_EQ(told["T"], asked["nextFundingTime"]);
  EXPECT_GT(told.number("T"), static_cast<std::uint64_t>(to_ms(start)));
  const Flat interest(get(core, "/fapi/v1/openInterest?symbol=BTCUSDT").body);
  EXPECT_GT(interest.decimal("openInterest"), Decimal{0});
}

TEST_F(SimulatedUsdm, ListsPerpetualsUnderTheExchangesName) {
  const auto& listed = core.market().listings().front().instrument;
  EXPECT_EQ(listed.exchange, "binance");
  EXPECT_EQ(listed.symbol, listed.base + "/" + listed.quote + ":" + listed.quote);
  const Flat info(get(core, "/fapi/v1/exchangeInfo").body);
  EXPECT_EQ(info["symbols.0.contractType"], "PERPETUAL");
  EXPECT_EQ(info["symbols.0.marginAsset"], listed.quote);
  EXPECT_EQ(info["rateLimits.0.limit"], "2400");
  EXPECT_EQ(get(core, "/api/v3/time").status, 404);
}

TEST_F(SimulatedUsdm, SpeaksOfAShortLadderInTheWordsOfAChange) {
  const auto told = hear("/public/stream?streams=btcusdt@depth5@100ms", 10s);
  ASSERT_FALSE(told.empty());
  const Flat ladder(told.front());
  EXPECT_EQ(ladder["data.e"], "depthUpdate");
  EXPECT_TRUE(ladder.has("data.b.4.0"));
  EXPECT_FALSE(ladder.has("data.b.5.0"));
}

}  // namespace
}  // namespace candlewick::simulator
