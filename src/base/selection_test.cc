// What entries of `symbols` mean, and what those are told that mean nothing.
#include "base/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candlewick {
namespace {

using ::testing::HasSubstr;

TEST(Selection, IsAnInstrumentByNameOrARule) {
  const auto expect = [](std::string_view text, const Selection& wanted, std::string_view shown) {
    const auto read = parse_selection(text);
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(*read, wanted) << text;
    EXPECT_EQ(to_text(*read), shown);
    EXPECT_EQ(parse_selection(to_text(*read)), wanted) << "what is shown means the same";
  };
  expect("btc", {.symbol = "BTC/USDT"}, "BTC/USDT");
  expect("kraken:BTC/EUR", {.venue = "kraken", .symbol = "BTC/EUR"}, "kraken:BTC/EUR");
  expect(" binance-us: eth-usd ", {.venue = "binance-us", .symbol = "ETH/USD"},
         "binance-us:ETH/USD");
  expect("ccxt:mexc:BTC/USDT", {.venue = "ccxt:mexc", .symbol = "BTC/USDT"}, "ccxt:mexc:BTC/USDT");
  expect("BTC/USDT:USDT", {.symbol = "BTC/USDT:USDT"}, "BTC/USDT:USDT");
  expect("quote=usdt", {.quote = "USDT"}, "quote = USDT");
  expect("Top 50 by quote volume", {.top = 50}, "top 50 by quote volume");
  expect("binance: quote = USDT and top 5 by quote volume",
         {.venue = "binance", .quote = "USDT", .top = 5},
         "binance:top 5 by quote volume and quote = USDT");
}

TEST(Selection, SaysWhatIsWrong) {
  const auto told = [](std::string_view text) {
    const auto read = parse_selection(text);
    return read ? "nothing" : read.error().message;
  };
  EXPECT_THAT(told("top ten by quote volume"), HasSubstr("a number from 1 to 10000"));
  EXPECT_THAT(told("top 0 by quote volume"), HasSubstr("a number from 1 to 10000"));
  EXPECT_THAT(told("top 5 by volume"), HasSubstr("\"volume\" is not understood"));
  EXPECT_THAT(told("top 5 by quote volume or"), HasSubstr("\"or\" is not understood"));
  EXPECT_THAT(told("quote = "), HasSubstr("its end is not understood"));
  EXPECT_THAT(told("quote = US/D"), HasSubstr("not an asset"));
  EXPECT_THAT(told("BTC USDT"), HasSubstr("not a symbol such as BTC/USDT"));
  EXPECT_THAT(told(""), HasSubstr("not a symbol"));
}

}  // namespace
}  // namespace candlewick
