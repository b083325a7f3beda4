// Ticker streams say what the REST tickers say.
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::string last_of(VenueCore& core, std::string_view stream) {
  open(core, "/ws/" + std::string(stream));
  std::string last;
  // To a whole second at which there is a frame.
  for (int i = 0; i < 60 && last.empty(); ++i) {
    for (const auto& delivery : core.advance_to(core.now() + 1s)) last = *delivery.text;
  }
  return last;
}

TEST(BinanceStatisticsFeeds, AgreeWithTheRestTicker) {
  auto core = small_core();
  const Flat frame(last_of(*core, "btcusdt@ticker"));
  const Flat rest(get(*core, "/api/v3/ticker/24hr?symbol=BTCUSDT").body);
  const std::array<std::pair<const char*, const char*>, 18> pairs{{{"p", "priceChange"},
                                                                   {"P", "priceChangePercent"},
                                                                   {"w", "weightedAvgPrice"},
                                                                   {"x", "prevClosePrice"},
                                                                   {"c", "lastPrice"},
                                                                   {"Q", "lastQty"},
                                                                   {"b", "bidPrice"},
                                                                   {"B", "bidQty"},
                                                                   {"a", "askPrice"},
                                                                   {"o", "openPrice"},
                                                                   {"h", "highPrice"},
                                                                   {"l", "lowPrice"},
                                                                   {"v", "volume"},
                                                                   {"q", "quoteVolume"},
                                                                   {"O", "openTime"},
                                                                   {"C", "closeTime"},
                                                                   {"F", "firstId"},
                                                                   {"n", "count"}}};
  for (const auto& [key, name] : pairs) EXPECT_EQ(frame[key], rest[name]) << name;
}

TEST(BinanceStatisticsFeeds, ShortenIntoMiniTickersAloneAndTogether) {
  auto core = small_core();
  const Flat alone(last_of(*core, "btcusdt@miniTicker"));
  EXPECT_EQ(alone["e"], "24hrMiniTicker");
  const Flat rest(get(*core, "/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI").body);
  EXPECT_EQ(alone["q"], rest["quoteVolume"]);
  auto other = small_core();
  const auto together = elements(last_of(*other, "!miniTicker@arr"));
  ASSERT_FALSE(together.empty());
  EXPECT_EQ(Flat(together[0])["e"], "24hrMiniTicker");
}

TEST(BinanceStatisticsFeeds, BeginRollingWindowsAtWholeMinutes) {
  auto core = small_core();
  const Flat frame(last_of(*core, "btcusdt@ticker_1h"));
  EXPECT_EQ(frame["e"], "1hTicker");
  EXPECT_EQ(frame.number("O") % 60'000, 0U);
  const auto length = frame.number("C") - frame.number("O");
  EXPECT_GE(length, 3'600'000U);
  EXPECT_LT(length, 3'660'000U);
}

TEST(BinanceStatisticsFeeds, AverageThePriceOfFiveMinutes) {
  auto core = small_core();
  const Flat frame(last_of(*core, "btcusdt@avgPrice"));
  const Flat rest(get(*core, "/api/v3/avgPrice?symbol=BTCUSDT").body);
  EXPECT_EQ(frame["i"], "5m");
  EXPECT_EQ(frame["w"], rest["price"]);
}

}  // namespace
}  // namespace candlewick::simulator
