// Numbers as Binance writes them.
#include "simulator/binance/binance.h"
#include "simulator/testing.h"

namespace candlewick::simulator::binance {
namespace {

using namespace testing;

TEST(BinanceText, PadsDecimalsToEightDigits) {
  for (const auto& [value, expected] :
       {std::pair{"0", "0.00000000"}, std::pair{"1", "1.00000000"},
        std::pair{"65000.1", "65000.10000000"}, std::pair{"0.00000001", "0.00000001"},
        std::pair{"-12.5", "-12.50000000"},
        std::pair{"123456789012.12345678", "123456789012.12345678"},
        std::pair{"0.123456789", "0.12345679"},
        std::pair{"99999999999999999999", "99999999999999999999.00000000"}}) {
    std::string out;
    append_fixed(out, *Decimal::parse(value));
    EXPECT_EQ(out, '"' + std::string(expected) + '"');
  }
}

TEST(BinanceText, EndsCandlesOneUnitBeforeTheNext) {
  std::string ms;
  std::string us;
  append_last_instant(ms, start, false);
  append_last_instant(us, start, true);
  EXPECT_EQ(ms, "1768478399999");
  EXPECT_EQ(us, "1768478399999999");
}

TEST(BinanceText, JoinsTradesOfOneOrder) {
  auto market = small_market();
  const auto trades = market->trades(0, start, start + 10min, 1000, false);
  const auto joined = aggregates(trades);
  ASSERT_LT(joined.size(), trades.size());
  std::uint64_t next = trades.front().id;
  for (const auto& one : joined) {
    EXPECT_EQ(one.first.id, next);
    next = one.last_id + 1;
  }
  EXPECT_EQ(next, trades.back().id + 1);
}

TEST(BinanceText, ComputesWindowFiguresFromTheTradesInThem) {
  auto market = small_market();
  const Window day = window(*market, 0, start - 24h, start);
  EXPECT_EQ(day.bar, market->bar(0, start - 24h, start + 1ns));
  EXPECT_EQ(day.change(), *Decimal::subtract(day.bar.close, day.bar.open));
  EXPECT_EQ(day.price_before, market->trades(0, Time{}, start - 24h - 1ms, 1, true).front().price);
  EXPECT_EQ(day.last_size, market->trades(0, Time{}, start, 1, true).front().size);
  EXPECT_NEAR(day.change_percent().to_double(),
              100 * (day.bar.close.to_double() / day.bar.open.to_double() - 1), 1e-9);
}

}  // namespace
}  // namespace candlewick::simulator::binance
