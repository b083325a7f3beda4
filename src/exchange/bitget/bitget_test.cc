// What is asked of Bitget, and how.
#include <gtest/gtest.h>

#include "exchange/bitget/testing.h"

namespace candlewick::exchange::bitget {
namespace {

TEST(BitgetRequests, ComputeTheEndOfAPageOfCandles) {
  const auto catalogue = make_catalogue(bitget);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSDT");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    return bitget.request(query)->target;
  };
  const Time start = time_from_ms(1'700'000'040'000);
  const std::string root = "/api/v2/spot/market/";
  EXPECT_EQ(target({.kind = RestKind::candles}),
            root + "candles?symbol=BTCUSDT&granularity=1min&limit=200");
  EXPECT_EQ(
      target({.kind = RestKind::candles, .start = start}),
      root + "history-candles?symbol=BTCUSDT&granularity=1min&endTime=1700012040000&limit=200");
  EXPECT_EQ(
      target({.kind = RestKind::candles, .start = start, .now = start + std::chrono::hours{1}}),
      root + "candles?symbol=BTCUSDT&granularity=1min&endTime=1700003700000&limit=61");
  EXPECT_EQ(
      target({.kind = RestKind::candles,
              .timeframe = Timeframe::d1,
              .start = start,
              .end = start + std::chrono::hours{30}}),
      root + "history-candles?symbol=BTCUSDT&granularity=1Dutc&endTime=1700108040000&limit=2");
  EXPECT_FALSE(bitget.request(
      {.kind = RestKind::candles, .instrument = bitcoin, .timeframe = Timeframe::h8}));
}

TEST(BitgetSubscriptions, HaveNoCandlesOfThreeMinutes) {
  const auto catalogue = make_catalogue(bitget);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSDT");
  std::vector<Timeframe> streamed;
  for (const auto& channel : usual_channels(bitget, *bitcoin, bitget.timeframes, false)) {
    if (channel.kind == ChannelKind::candles) streamed.push_back(channel.timeframe);
  }
  EXPECT_EQ(streamed.size(), bitget.timeframes.size() - 1);
  EXPECT_EQ(std::ranges::find(streamed, Timeframe::m3), streamed.end());
  EXPECT_TRUE(bitget.request(
      {.kind = RestKind::candles, .instrument = bitcoin, .timeframe = Timeframe::m3}));
}

TEST(BitgetSubscriptions, GoOneAMessage) {
  const auto catalogue = make_catalogue(bitget);
  const auto channels =
      usual_channels(bitget, *catalogue->find_or_infer("BTCUSDT"), {{Timeframe::m1}}, false);
  EXPECT_EQ(bitget.stream_url("wss://host/", channels), "wss://host/v2/ws/public");
  const auto messages = bitget.subscribe(channels, 1);
  ASSERT_EQ(messages.size(), channels.size());
  EXPECT_EQ(
      messages.front(),
      R"({"op":"subscribe","args":[{"instType":"SPOT","channel":"candle1m","instId":"BTCUSDT"}]})");
}

}  // namespace
}  // namespace candlewick::exchange::bitget
