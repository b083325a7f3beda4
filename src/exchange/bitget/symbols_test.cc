// Symbols of Bitget, read and spelled.
#include "exchange/bitget/symbols.h"

#include <gtest/gtest.h>

#include "exchange/bitget/testing.h"

namespace candlewick::exchange::bitget {
namespace {

TEST(BitgetSymbols, AreReadAndSpelledByTheNamesOfBoth) {
  for (const auto& [symbol, base, quote] :
       {std::tuple{"BTCUSDT", "BTC", "USDT"}, std::tuple{"BGBUSD1", "BGB", "USD1"},
        std::tuple{"TONCOINUSDT", "TON", "USDT"}, std::tuple{"OMNIUSDT", "omni", "USDT"},
        std::tuple{"APXUSDT", "AstroPepeX", "USDT"}, std::tuple{"DEGENUSDT", "DegenReborn", "USDT"},
        std::tuple{"EVAUSDT", "Evadore", "USDT"},
        std::tuple{"JADEUSDT", "Jade Protocol", "USDT"}}) {
    const auto pair = read_pair(symbol);
    ASSERT_TRUE(pair) << symbol;
    EXPECT_EQ(pair->base, base);
    EXPECT_EQ(pair->quote, quote);
    EXPECT_EQ(symbol_of(base, quote), symbol);
  }
  for (const auto* symbol : {"", "USDT", "BTC-USDT-1", "BTCXYZ"})
    EXPECT_FALSE(read_pair(symbol)) << symbol;
}

TEST(BitgetSymbols, AreTheSameInTheListAndInAStreamThatCameBeforeIt) {
  Decoding decoding;
  const auto* inferred = decoding.catalogue->find_or_infer("TONCOINUSDT");
  const auto events = decoding.reply(
      R"({"code":"00000","msg":"success","requestTime":1,"data":[{"symbol":"TONCOINUSDT","baseCoin":"TONCOIN","quoteCoin":"USDT","status":"online","openTime":"1658376000000"},{"symbol":"OMNIUSDT","baseCoin":"OMNI","quoteCoin":"USDT","status":"online","openTime":""},{"symbol":"EVAUSDT","baseCoin":"EVA","quoteCoin":"USDT","status":"online","openTime":"-1"}]})",
      "spot/public/symbols");
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(decoding.catalogue->find("TONCOINUSDT"), inferred);
  EXPECT_EQ(inferred->symbol, "TON/USDT");
  EXPECT_EQ(inferred->listed_at, time_from_ms(1658376000000));
  EXPECT_EQ(decoding.catalogue->resolve("omni/usdt")->symbol, "omni/USDT");
  EXPECT_FALSE(decoding.catalogue->find("OMNIUSDT")->listed_at);
  EXPECT_FALSE(decoding.catalogue->find("EVAUSDT")->listed_at);
}

}  // namespace
}  // namespace candlewick::exchange::bitget
