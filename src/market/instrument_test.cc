// The catalogue: spellings, symbols that no listing explains, and suggestions.
#include "market/instrument.h"

#include <gtest/gtest.h>

#include <array>

namespace candlewick {
namespace {

constexpr std::array<std::string_view, 4> quotes{"FDUSD", "USDT", "USD", "BTC"};

Instrument listed(std::string exchange_symbol, std::string base, std::string quote,
                  std::string settle = "") {
  Instrument instrument;
  instrument.symbol = base + "/" + quote + (settle.empty() ? "" : ":" + settle);
  instrument.exchange_symbol = std::move(exchange_symbol);
  instrument.base = std::move(base);
  instrument.quote = std::move(quote);
  instrument.status = ListingStatus::trading;
  instrument.listed = true;
  return instrument;
}

TEST(Catalogue, FindsASymbolByAnySpelling) {
  Catalogue catalogue("binance", Market::spot, quotes);
  const Instrument& stored = catalogue.put(listed("BTCUSDT", "BTC", "USDT"));
  EXPECT_EQ(stored.exchange, "binance");
  for (const std::string_view typed :
       {"BTC/USDT", "btc/usdt", "BTCUSDT", "btcusdt", "BTC-USDT", "btc_usdt"}) {
    EXPECT_EQ(catalogue.resolve(typed), &stored) << typed;
  }
  for (const std::string_view typed : {"", "BTC", "USDT", "BTC/USD", "BTCUSDTX"}) {
    EXPECT_EQ(catalogue.resolve(typed), nullptr) << typed;
  }
  EXPECT_EQ(catalogue.find("BTCUSDT"), &stored);
  EXPECT_EQ(catalogue.find("btcusdt"), nullptr) << "find knows the venue's own spelling only";
}

TEST(Catalogue, FindsVenueSpellingsWithSeparators) {
  Catalogue catalogue("coinbase", Market::spot, quotes, "-");
  const Instrument& stored = catalogue.put(listed("BTC-USD", "BTC", "USD"));
  for (const std::string_view typed : {"BTC-USD", "BTC/USD", "BTCUSD", "btc-usd"}) {
    EXPECT_EQ(catalogue.resolve(typed), &stored) << typed;
  }
}

TEST(Catalogue, FindsSwapsWithAndWithoutTheirSettlement) {
  Catalogue catalogue("binance-futures", Market::swap, quotes);
  const Instrument& stored = catalogue.put(listed("BTCUSDT", "BTC", "USDT", "USDT"));
  for (const std::string_view typed :
       {"BTC/USDT:USDT", "btc/usdt:usdt", "BTC/USDT", "BTCUSDT", "btc-usdt"}) {
    EXPECT_EQ(catalogue.resolve(typed), &stored) << typed;
  }
}

TEST(Catalogue, TakesUnlistedSymbolsApartByTheirQuote) {
  Catalogue catalogue("binance", Market::spot, quotes);
  const Instrument* inferred = catalogue.find_or_infer("DOGEFDUSD");
  ASSERT_NE(inferred, nullptr);
  EXPECT_EQ(inferred->symbol, "DOGE/FDUSD");
  EXPECT_EQ(inferred->exchange_symbol, "DOGEFDUSD");
  EXPECT_EQ(inferred->status, ListingStatus::unknown);
  EXPECT_FALSE(inferred->listed);
  EXPECT_EQ(catalogue.find_or_infer("DOGEFDUSD"), inferred) << "the second time it is known";
  EXPECT_EQ(catalogue.find_or_infer("ETHBTC")->symbol, "ETH/BTC");
  EXPECT_EQ(catalogue.find_or_infer("USDT"), nullptr) << "a quote alone has no base";
  EXPECT_EQ(catalogue.find_or_infer("BTCXYZ"), nullptr);
  EXPECT_EQ(catalogue.find_or_infer(""), nullptr);
  EXPECT_EQ(catalogue.find_or_infer(std::string(100, 'A') + "USDT"), nullptr)
      << "no venue has such names";
  EXPECT_EQ(catalogue.size(), 2U);
}

TEST(Catalogue, InfersWithSeparatorsAndSettlements) {
  Catalogue coinbase("coinbase", Market::spot, quotes, "-");
  EXPECT_EQ(coinbase.find_or_infer("BTC-USD")->symbol, "BTC/USD");
  EXPECT_EQ(coinbase.find_or_infer("BTCUSD"), nullptr);
  Catalogue futures("binance-futures", Market::swap, quotes);
  EXPECT_EQ(futures.find_or_infer("BTCUSDT")->symbol, "BTC/USDT:USDT");
}

TEST(Catalogue, InfersAsTheVenueReadsWhereItSpellsInAWayOfItsOwn) {
  Catalogue catalogue("peculiar", Market::spot, quotes, "",
                      [](std::string_view symbol) -> std::optional<Pair> {
                        if (symbol != "tXBTUSD") return std::nullopt;
                        return Pair{"BTC", "USD"};
                      });
  const auto* bitcoin = catalogue.find_or_infer("tXBTUSD");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_EQ(bitcoin->symbol, "BTC/USD");
  EXPECT_EQ(bitcoin->exchange_symbol, "tXBTUSD");
  EXPECT_EQ(catalogue.resolve("btc-usd"), bitcoin);
  EXPECT_EQ(catalogue.find_or_infer("BTCUSD"), nullptr) << "the quotes count no more";
}

TEST(Catalogue, AListingCorrectsWhatWasInferred) {
  Catalogue catalogue("binance", Market::spot, quotes);
  const Instrument* inferred = catalogue.find_or_infer("ABCUSD");
  ASSERT_NE(inferred, nullptr);
  const Instrument& corrected = catalogue.put(listed("ABCUSD", "AB", "CUSD"));
  EXPECT_EQ(inferred->symbol, "ABC/USD") << "other threads may be reading its names";
  EXPECT_EQ(corrected.symbol, "AB/CUSD");
  EXPECT_TRUE(corrected.listed);
  EXPECT_EQ(catalogue.resolve("AB/CUSD"), &corrected);
  EXPECT_EQ(catalogue.find("ABCUSD"), &corrected);
  EXPECT_EQ(catalogue.resolve("ABC/USD"), &corrected) << "the venue's spelling, folded";
}

TEST(Catalogue, AListingConfirmsWhatWasInferred) {
  Catalogue catalogue("binance", Market::spot, quotes);
  const Instrument* inferred = catalogue.find_or_infer("BTCUSDT");
  ASSERT_NE(inferred, nullptr);
  EXPECT_EQ(&catalogue.put(listed("BTCUSDT", "BTC", "USDT")), inferred) << "events point at it";
  EXPECT_TRUE(inferred->listed);
}

TEST(Catalogue, ALaterListingChangesTheStatusButNotTheNames) {
  Catalogue catalogue("binance", Market::spot, quotes);
  const Instrument& stored = catalogue.put(listed("LUNAUSDT", "LUNA", "USDT"));
  auto delisted = listed("LUNAUSDT", "LUNC", "USDT");
  delisted.status = ListingStatus::delisted;
  delisted.tick_size = *Decimal::parse("0.01");
  catalogue.put(delisted);
  EXPECT_EQ(stored.symbol, "LUNA/USDT");
  EXPECT_EQ(stored.status, ListingStatus::delisted);
  EXPECT_EQ(stored.tick_size, *Decimal::parse("0.01"));
  EXPECT_EQ(catalogue.size(), 1U);
}

TEST(Catalogue, NeverMovesAnInstrument) {
  Catalogue catalogue("binance", Market::spot, quotes);
  const Instrument& first = catalogue.put(listed("BTCUSDT", "BTC", "USDT"));
  for (int i = 0; i < 5000; ++i) {
    const auto base = "C" + std::to_string(i);
    catalogue.put(listed(base + "USDT", base, "USDT"));
  }
  EXPECT_EQ(catalogue.find("BTCUSDT"), &first);
  EXPECT_EQ(first.symbol, "BTC/USDT");
  std::size_t seen = 0;
  catalogue.each([&](const Instrument&) { ++seen; });
  EXPECT_EQ(seen, 5001U);
}

TEST(Catalogue, SuggestsWhatLooksLikeIt) {
  Catalogue catalogue("binance", Market::spot, quotes);
  for (const auto* base : {"BTC", "BCH", "ETH", "DOGE", "SHIB"})
    catalogue.put(listed(std::string(base) + "USDT", base, "USDT"));
  EXPECT_EQ(catalogue.near_matches("BTC/USTD", 1), (std::vector<std::string>{"BTC/USDT"}));
  EXPECT_EQ(catalogue.near_matches("doge", 5), (std::vector<std::string>{"DOGE/USDT"}));
  EXPECT_LE(catalogue.near_matches("BTCUSDT", 2).size(), 2U);
  EXPECT_TRUE(catalogue.near_matches("XXXXXXXXXXXX").empty());
}

TEST(Market, NamesAreReadAsTheyAreWritten) {
  for (const auto market : {Market::spot, Market::swap, Market::future})
    EXPECT_EQ(parse_market(to_text(market)), market);
  for (const auto status : {ListingStatus::trading, ListingStatus::halted, ListingStatus::delisted,
                            ListingStatus::unknown}) {
    EXPECT_EQ(parse_listing_status(to_text(status)), status);
  }
  EXPECT_FALSE(parse_market("options"));
  EXPECT_FALSE(parse_listing_status("TRADING"));
}

}  // namespace
}  // namespace candlewick
