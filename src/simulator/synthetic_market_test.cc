// The made-up market: the same for the same seed, seamless, and its bars are sums of its trades.
#include "simulator/synthetic_market.h"

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

constexpr std::size_t btc = 0;
constexpr std::size_t farm = 2;

TEST(SyntheticMarket, RepeatsItselfForTheSameSeedWhateverWasAskedBefore) {
  auto one = small_market(7);
  auto other = small_market(7);
  one->bar(btc, start - 48h, start);
  const auto a = one->minute_trades(btc, minute_of(start));
  const auto b = other->minute_trades(btc, minute_of(start));
  ASSERT_FALSE(a.empty());
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].id, b[i].id);
    EXPECT_EQ(a[i].time, b[i].time);
    EXPECT_EQ(a[i].price, b[i].price);
    EXPECT_EQ(a[i].size, b[i].size);
  }
}

TEST(SyntheticMarket, DiffersForAnotherSeedOrVenue) {
  const auto price = [](SyntheticMarket& market) {
    return market.bar(btc, start - 1h, start).close;
  };
  const auto first = price(*small_market(1));
  EXPECT_NE(first, price(*small_market(2)));
  EXPECT_NE(first, price(*small_market(1, "binance-us")));
}

TEST(SyntheticMarket, GivesTwoVenuesOfOneSeedNearlyTheSamePrice) {
  const auto one = small_market(1)->bar(btc, start - 1h, start).close.to_double();
  const auto other = small_market(1, "binance-us")->bar(btc, start - 1h, start).close.to_double();
  EXPECT_NEAR(one / other, 1.0, 0.002);
}

TEST(SyntheticMarket, NumbersTradesWithoutAHoleOverDays) {
  auto market = small_market();
  for (const auto listing : {btc, farm}) {
    std::uint64_t next = 0;
    std::uint64_t aggregate = 0;
    Time last{};
    for (std::int64_t minute = minute_of(start) - 2000; minute < minute_of(start) + 1000;
         ++minute) {
      for (const auto& trade : market->minute_trades(listing, minute)) {
        if (next != 0) {
          ASSERT_EQ(trade.id, next);
          ASSERT_TRUE(trade.aggregate_id == aggregate || trade.aggregate_id == aggregate + 1);
        }
        ASSERT_GE(trade.time, last);
        ASSERT_EQ(minute_of(trade.time), minute);
        next = trade.id + 1;
        aggregate = trade.aggregate_id;
        last = trade.time;
      }
    }
    EXPECT_GT(next, 0U);
  }
}

TEST(SyntheticMarket, FindsTheMinuteOfATradeById) {
  auto market = small_market();
  for (std::int64_t minute = minute_of(start) - 300; minute < minute_of(start); minute += 7) {
    const auto found = market->minute_trades(btc, minute);
    const std::vector<MarketTrade> trades(found.begin(), found.end());
    for (const auto& trade : trades) {
      EXPECT_EQ(market->minute_of_trade(btc, trade.id), minute);
      EXPECT_EQ(market->minute_of_aggregate(btc, trade.aggregate_id), minute);
    }
  }
}

TEST(SyntheticMarket, KeepsPricesAndSizesOnTheirGrids) {
  auto market = small_market();
  for (std::size_t listing = 0; listing < market->listings().size(); ++listing) {
    const auto& instrument = market->listings()[listing].instrument;
    for (const auto& trade : market->trades(listing, start - 2h, start, 5000, false)) {
      EXPECT_EQ(trade.price.count() % instrument.tick_size->count(), 0);
      EXPECT_EQ(trade.size.count() % instrument.step_size->count(), 0);
      EXPECT_GT(trade.size.count(), 0);
      EXPECT_EQ(trade.quote_size, Decimal::multiply(trade.price, trade.size));
    }
  }
}

TEST(SyntheticMarket, SumsBarsOfAnyStretchFromItsTrades) {
  auto market = small_market();
  const std::array<std::pair<Time, Time>, 6> stretches{{{start - 1s, start},
                                                        {start - 90s, start + 45s},
                                                        {start - 3h, start},
                                                        {start - 24h - 12h, start - 12h},
                                                        {start - 50h - 7s, start + 1ms},
                                                        {start, start}}};
  for (const auto& [from, to] : stretches) {
    Bar expected;
    for (const auto& trade : market->trades(btc, from, to - 1ns, ~std::size_t{0}, false)) {
      expected.add(trade);
    }
    EXPECT_EQ(market->bar(btc, from, to), expected) << to_rfc3339(from) << " " << to_rfc3339(to);
  }
}

TEST(SyntheticMarket, OpensEachMinuteNearTheCloseBefore) {
  auto market = small_market();
  std::optional<double> close;
  for (Time at = start - 24h; at < start; at += 1min) {
    const Bar bar = market->bar(btc, at, at + 1min);
    if (!bar.any) continue;
    if (close) {
      EXPECT_NEAR(bar.open.to_double() / *close, 1.0, 0.003);
    }
    close = bar.close.to_double();
  }
  EXPECT_TRUE(close.has_value());
}

TEST(SyntheticMarket, HasMinutesWithoutTradesWhereItIsQuietAndKeepsTheClose) {
  auto market = small_market();
  int quiet = 0;
  Decimal close;
  for (const auto& row :
       market->rows(farm, Timeframe::m1, start - 10h, start, start, 1000, false)) {
    if (!row.bar.any) {
      ++quiet;
      EXPECT_TRUE(row.bar.volume.is_zero());
      EXPECT_TRUE(close.is_zero() || row.bar.close == close);
    }
    close = row.bar.close;
  }
  EXPECT_GT(quiet, 300);
}

TEST(SyntheticMarket, KnowsAtLeastSixtyDaysOfHistory) {
  auto market = small_market();
  EXPECT_LE(market->known_from(btc), start - 60 * 24h);
  const auto days = market->rows(farm, Timeframe::d1, Time{}, start, start, 1000, false);
  EXPECT_GE(days.size(), 60U);
}

TEST(SyntheticMarket, KeepsCrossRatesTogether) {
  auto market = SyntheticMarket::make({.exchange = "binance",
                                       .seed = 3,
                                       .start = start,
                                       .symbols = {"ETHUSDT", "BTCUSDT", "ETHBTC"},
                                       .activity = 1.0});
  ASSERT_TRUE(market);
  const auto price = [&](std::size_t listing) {
    return (*market)->price_before(listing, start)->to_double();
  };
  EXPECT_NEAR(price(2) / (price(0) / price(1)), 1.0, 0.003);
}

TEST(SyntheticMarket, RefusesSymbolsThatCannotBeTakenApart) {
  for (const char* symbol : {"BTC", "", "/", "BTC-", "ÄÖUSDT", "USDT"}) {
    const auto market = SyntheticMarket::make(
        {.exchange = "binance", .seed = 1, .start = start, .symbols = {symbol}, .activity = 1.0});
    ASSERT_FALSE(market) << symbol;
    EXPECT_EQ(market.error().kind, ErrorKind::misconfigured);
  }
}

}  // namespace
}  // namespace candlewick::simulator
