// Which streams there are.
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(BinanceStreams, SpeakUnderEveryDocumentedName) {
  std::vector<std::string> names{
      "btcusdt@trade",     "btcusdt@aggTrade",      "btcusdt@bookTicker",
      "btcusdt@depth",     "btcusdt@depth@100ms",   "btcusdt@depth@1000ms",
      "btcusdt@depth5",    "btcusdt@depth10@100ms", "btcusdt@depth20@1000ms",
      "btcusdt@ticker",    "btcusdt@miniTicker",    "btcusdt@avgPrice",
      "btcusdt@ticker_1h", "btcusdt@ticker_4h",     "btcusdt@ticker_1d",
      "!miniTicker@arr",   "!ticker_1h@arr",        "btcusdt@kline_1m@+08:00"};
  for (const auto timeframe : all_timeframes) {
    names.push_back("btcusdt@kline_" + std::string(to_text(timeframe)));
  }
  for (const auto& name : names) {
    auto core = small_core();
    open(*core, "/stream?streams=" + name);
    const auto told = frames(core->advance_to(start + 1min));
    ASSERT_FALSE(told.empty()) << name;
    EXPECT_EQ(Flat(told.front())["stream"], name);
  }
}

TEST(BinanceStreams, KeepTheAllTickersWhereTheVenueStillHasThem) {
  VenueCore core({.venue = "binance-us",
                  .market = small_market(1, "binance-us"),
                  .start = start,
                  .speed = "1"});
  open(core, "/ws/!ticker@arr");
  EXPECT_FALSE(core.advance_to(start + 1min).empty());
}

TEST(BinanceStreams, StaySilentOnStreamsThatDoNotExist) {
  auto core = small_core();
  open(
      *core,
      "/stream?streams=BTCUSDT@trade/nope@trade/btcusdt@kline_7m/btcusdt@depth7/btcusdt@depth@50ms/"
      "btcusdt/btcusdt@TRADE/!ticker@arr/!nope@arr/btcusdt@ticker_2h");
  EXPECT_TRUE(core->advance_to(start + 5min).empty());
}

}  // namespace
}  // namespace candlewick::simulator
