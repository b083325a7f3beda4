// Bitget's REST: two paths of candles, refusals with a code and HTTP 400.
#include <set>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

class BitgetRest : public ::testing::Test {
 protected:
  VenueCore core{VenueSetup{
      .venue = "bitget", .market = small_market(1, "bitget"), .start = start, .speed = "1"}};
};

TEST_F(BitgetRest, ServesCandlesAtTwoPaths) {
  core.advance_to(start + 30s);
  const auto opens = [&](std::string_view target) {
    const Flat body(
        get(core, fmt::format("/api/v2/spot/market/{}&symbol=BTCUSDT&granularity=1min", target))
            .body);
    std::vector<std::string> all;
    for (std::size_t i = 0; body.has(fmt::format("data.{}.0", i)); ++i)
      all.push_back(body[fmt::format("data.{}.0", i)]);
    return all;
  };
  using Opens = std::vector<std::string>;
  EXPECT_EQ(opens("candles?limit=2"), (Opens{ms(start - 1min), ms(start)}));
  EXPECT_EQ(opens("candles?limit=9&startTime=" + ms(start - 3min) + "&endTime=" + ms(start - 1min)),
            (Opens{ms(start - 3min), ms(start - 2min)}));
  EXPECT_EQ(opens("history-candles?limit=2&endTime=" + ms(start)),
            (Opens{ms(start - 2min), ms(start - 1min)}));
  EXPECT_EQ(opens("history-candles?limit=1000&endTime=" + ms(start)).size(), 200U);
  EXPECT_TRUE(opens("history-candles?limit=2").empty());
}

TEST_F(BitgetRest, ListsSinceWhenItHasCandles) {
  const Flat listed(get(core, "/api/v2/spot/public/symbols?symbol=BTCUSDT").body);
  const Flat first(get(core, fmt::format("/api/v2/spot/market/history-candles?symbol=BTCUSDT"
                                         "&granularity=1min&limit=1&endTime={}",
                                         to_ms(core.market().known_from(0) + 1min)))
                       .body);
  EXPECT_EQ(listed["data.0.openTime"], first["data.0.0"]);
}

TEST_F(BitgetRest, RefusesWithACodeAndHttp400) {
  const auto code = [&](std::string_view target) {
    const auto reply = get(core, target);
    return fmt::format("{} {}", reply.status, Flat(reply.body)["code"]);
  };
  EXPECT_EQ(code("/api/v2/spot/market/orderbook?symbol=NOSUCH"), "400 40034");
  EXPECT_EQ(code("/api/v2/spot/market/candles?symbol=BTCUSDT&granularity=7m"), "400 400171");
  EXPECT_EQ(code("/api/v2/spot/market/tickers"), "200 00000");
  EXPECT_EQ(code("/api/spot/v1/market/ticker"), "404 40404");
  ASSERT_TRUE(core.change_faults("5xx=1"));
  std::set<int> statuses;
  for (int i = 0; i < 30; ++i) statuses.insert(get(core, "/api/v2/public/time").status);
  EXPECT_EQ(statuses, (std::set<int>{400, 500, 502, 503}));
}

}  // namespace
}  // namespace candlewick::simulator
