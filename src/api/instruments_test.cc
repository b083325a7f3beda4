// Which instrument a spelling means.
#include "api/instruments.h"

#include <gtest/gtest.h>

namespace candlewick::api {
namespace {

TEST(Instruments, PreferTheUnifiedSymbolThenTheConfiguredOrder) {
  const std::vector<Instrument> listed{
      {.exchange = "okx", .symbol = "BTC/USDT", .exchange_symbol = "BTC-USDT"},
      {.exchange = "odd", .symbol = "WRAPPED/USDT", .exchange_symbol = "BTCUSDT"},
      {.exchange = "binance", .symbol = "BTC/USDT", .exchange_symbol = "BTCUSDT"},
      {.exchange = "swaps",
       .symbol = "BTC/USDT:USDT",
       .exchange_symbol = "BTCUSDT",
       .market = Market::swap},
      {.exchange = "kraken", .symbol = "BTC/EUR", .exchange_symbol = "XBT/EUR"}};
  pipeline::LatestBoard board;
  for (const auto& instrument : listed) board.add(instrument);
  const Instruments instruments(board, {"odd", "binance", "okx", "swaps"});
  EXPECT_EQ(instruments.find("btcusdt"), 2U);
  EXPECT_EQ(instruments.find("btcusdt", "okx"), 0U);
  EXPECT_EQ(instruments.find("btcusdt", "odd"), 1U);
  EXPECT_EQ(instruments.find("BTCUSDT", "swaps"), 3U);
  EXPECT_EQ(instruments.find("BTC/USDT:USDT"), 3U);
  EXPECT_EQ(instruments.find("XBTEUR"), 4U);
  EXPECT_EQ(instruments.find("btc-eur"), 4U);
  EXPECT_EQ(instruments.find("btc-eur", "okx"), std::nullopt);
  EXPECT_EQ(instruments.find(""), std::nullopt);
  EXPECT_TRUE(instruments.has_exchange("kraken"));
  EXPECT_FALSE(instruments.has_exchange("Kraken"));
  EXPECT_EQ(instruments.near("btceru"), std::vector<std::string>{"BTC/EUR"});
}

}  // namespace
}  // namespace candlewick::api
