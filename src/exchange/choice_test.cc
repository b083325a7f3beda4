// What rules find in a small list.
#include "exchange/choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candlewick::exchange {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Choice : public testing::Test {
 protected:
  const Instrument& list(std::string_view base, std::string_view quote, double last, double volume,
                         ListingStatus status = ListingStatus::trading) {
    Instrument instrument;
    instrument.exchange = "venue";
    instrument.exchange_symbol = std::string(base) + std::string(quote);
    instrument.symbol = std::string(base) + "/" + std::string(quote);
    instrument.base = base;
    instrument.quote = quote;
    instrument.listed = true;
    instrument.status = status;
    const auto& known = catalogue.put(std::move(instrument));
    volumes[&known] = {.last = last, .quote_volume = volume};
    return known;
  }
  std::vector<std::string> found(std::string_view rule) {
    const auto read = parse_selection(rule);
    EXPECT_TRUE(read) << read.error().message;
    std::vector<std::string> symbols;
    for (const auto* instrument : instruments_of_rule(*read, catalogue, volumes))
      symbols.push_back(instrument->symbol);
    return symbols;
  }

  static constexpr std::array<std::string_view, 3> quotes{"USDT", "BTC", "EUR"};
  Catalogue catalogue{"venue", Market::spot, quotes};
  DayVolumes volumes;
};

TEST_F(Choice, ByQuoteAssetTakesAllThatTrade) {
  list("ETH", "USDT", 3000, 5);
  list("BTC", "USDT", 100'000, 7);
  list("ETH", "BTC", 0.03, 9);
  list("LUNA", "USDT", 1, 9e9, ListingStatus::delisted);
  list("SOL", "USDT", 150, 1, ListingStatus::unknown);  // not every venue tells
  catalogue.find_or_infer("NEWUSDT");                   // typed by somebody, on no list
  EXPECT_THAT(found("quote = USDT"), ElementsAre("BTC/USDT", "ETH/USDT", "SOL/USDT"));
  EXPECT_THAT(found("quote = EUR"), IsEmpty());
}

TEST_F(Choice, ByVolumeComparesDifferentQuoteAssetsInDollars) {
  list("BTC", "USDT", 100'000, 1e6);
  list("ETH", "BTC", 0.03, 20);  // 2 million dollars
  list("SOL", "USDT", 150, 1.5e6);
  list("ADA", "EUR", 0.5, 1e5);       // 120,000 dollars, by USDT/EUR
  list("USDT", "EUR", 1 / 1.2, 1e3);  // 1,200 dollars
  list("XRP", "TRY", 80, 1e12);       // nobody tells what a lira is worth
  EXPECT_THAT(found("top 3 by quote volume"), ElementsAre("ETH/BTC", "SOL/USDT", "BTC/USDT"));
  EXPECT_THAT(found("top 9 by quote volume"),
              ElementsAre("ETH/BTC", "SOL/USDT", "BTC/USDT", "ADA/EUR", "USDT/EUR"));
  EXPECT_THAT(found("top 1 by quote volume and quote = USDT"), ElementsAre("SOL/USDT"));
  EXPECT_THAT(found("top 1 by quote volume and quote = TRY"), ElementsAre("XRP/TRY"));
}

TEST_F(Choice, ATickerWithoutQuoteVolumeIsValuedByItsLastPrice) {
  Ticker ticker;
  EXPECT_FALSE(day_volume_of(ticker));
  ticker.last = Decimal::parse("2.5").value();
  EXPECT_FALSE(day_volume_of(ticker));
  ticker.volume_24h = Decimal::parse("4").value();
  EXPECT_DOUBLE_EQ(day_volume_of(ticker)->quote_volume, 10);
  ticker.quote_volume_24h = Decimal::parse("9").value();
  EXPECT_DOUBLE_EQ(day_volume_of(ticker)->quote_volume, 9);
}

}  // namespace
}  // namespace candlewick::exchange
