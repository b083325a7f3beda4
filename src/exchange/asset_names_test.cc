// Names of assets, and what each venue's table must say.
#include "exchange/asset_names.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>

#include "exchange/registry.h"

namespace candlewick::exchange {
namespace {

constexpr std::array<AssetName, 2> names{{{"ALT", "APTOSLAUNCHTOKEN"}, {"KALT", "ALT"}}};

// A name that means one thing here and another there is changed once, not twice.
TEST(AssetNames, AreChangedOnce) {
  EXPECT_EQ(unified_asset(names, "ALT"), "APTOSLAUNCHTOKEN");
  EXPECT_EQ(unified_asset(names, "KALT"), "ALT");
  EXPECT_EQ(unified_asset(names, "kalt"), "ALT");
  EXPECT_EQ(asset_of_venue(names, "ALT"), "KALT");
  EXPECT_EQ(asset_of_venue(names, "APTOSLAUNCHTOKEN"), "ALT");
  EXPECT_EQ(asset_of_venue(names, "BTC"), "BTC");
}

TEST(AssetNames, SomeMeanTheSameEverywhere) {
  EXPECT_EQ(unified_asset({}, "XBT"), "BTC");
  EXPECT_EQ(unified_asset({}, "BCHSV"), "BSV");
  EXPECT_EQ(unified_asset({}, "ETH"), "ETH");
  constexpr std::array<AssetName, 1> own{{{"XBT", "XBTOKEN"}}};
  EXPECT_EQ(unified_asset(own, "XBT"), "XBTOKEN") << "the venue's own table counts first";
}

TEST(AssetNames, OfAPairAreThoseAroundItsLastSeparator) {
  const auto text = [](std::string_view symbol) {
    const auto pair = separated_pair(names, symbol, '-');
    return pair ? pair->base + "/" + pair->quote : "";
  };
  EXPECT_EQ(text("KALT-USDT"), "ALT/USDT");
  EXPECT_EQ(text("BTC-KALT"), "BTC/ALT");
  EXPECT_EQ(text("A-B-USDT"), "A-B/USDT");
  EXPECT_EQ(text("-USDT"), "");
  EXPECT_EQ(text("BTC-"), "");
  EXPECT_EQ(text("BTCUSDT"), "");
  EXPECT_EQ(text(std::string(60, 'A') + "-B"), "");
}

// As CCXT 4.5.84 has them.
TEST(AssetNames, OfVenuesAreThoseOfCcxt) {
  using Row = std::tuple<const char*, const char*, const char*>;
  for (const auto& [venue, exchange_symbol, symbol] : {
           Row{"bitstamp", "ustusd", "USTC/USD"},
           Row{"coinbase", "CGLD-USD", "CELO/USD"},
           Row{"gateio", "88MPH_USDT", "MPH/USDT"},
           Row{"gateio", "AXIS_USDT", "AXISDEFI/USDT"},
           Row{"gateio", "BCHSV_USDT", "BSV/USDT"},
           Row{"gateio", "MPH_USDT", "MORPHER/USDT"},
           Row{"gateio", "TRAC_USDT", "TRACO/USDT"},
           Row{"gateio", "VAI_USDT", "VAIOT/USDT"},
           Row{"htx", "fudusdt", "FTX Users Debt/USDT"},
           Row{"htx", "gtcusdt", "GAMECOM/USDT"},
           Row{"htx", "soulusdt", "SOULSAVER/USDT"},
           Row{"kraken", "LUNA/USD", "LUNC/USD"},
           Row{"kraken", "LUNA2/USD", "LUNA/USD"},
           Row{"kraken", "REP/USD", "REPV1/USD"},
           Row{"kraken", "REPV2/USD", "REP/USD"},
           Row{"kraken", "UST/USD", "USTC/USD"},
           Row{"kucoin", "ALT-USDT", "APTOSLAUNCHTOKEN/USDT"},
           Row{"kucoin", "BCHSV-USDT", "BSV/USDT"},
           Row{"kucoin", "BIFI-USDT", "BIFIF/USDT"},
           Row{"kucoin", "FUD-USDT", "FTX Users' Debt/USDT"},
           Row{"kucoin", "KALT-USDT", "ALT/USDT"},
           Row{"kucoin", "VAI-USDT", "VAIOT/USDT"},
           Row{"kucoin", "WAX-USDT", "WAXP/USDT"},
           Row{"okx", "AE-USDT", "AET/USDT"},
       }) {
    const auto* facts = find_venue(venue);
    ASSERT_NE(facts, nullptr) << venue;
    auto catalogue = make_catalogue(*facts);
    const auto* instrument = catalogue->find_or_infer(exchange_symbol);
    ASSERT_NE(instrument, nullptr) << venue << " " << exchange_symbol;
    EXPECT_EQ(instrument->symbol, symbol) << venue << " " << exchange_symbol;
  }
}

}  // namespace
}  // namespace candlewick::exchange
