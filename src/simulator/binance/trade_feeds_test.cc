// Trades on the stream: consecutive, complete, and the same as REST's.
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(BinanceTradeFeeds, SendEveryTradeOnceInOrder) {
  auto core = small_core();
  open(*core, "/ws/btcusdt@trade");
  const auto told = frames(core->advance_to(start + 20min));
  const auto rest = elements(get(*core, "/api/v3/trades?symbol=BTCUSDT&limit=1000").body);
  ASSERT_GT(told.size(), 500U);
  const std::size_t count = std::min(told.size(), rest.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Flat frame(told[told.size() - count + i]);
    const Flat row(rest[rest.size() - count + i]);
    EXPECT_EQ(frame["t"], row["id"]);
    EXPECT_EQ(frame["p"], row["price"]);
    EXPECT_EQ(frame["q"], row["qty"]);
    EXPECT_EQ(frame["T"], row["time"]);
    EXPECT_EQ(frame["m"], row["isBuyerMaker"]);
  }
  for (std::size_t i = 1; i < told.size(); ++i) {
    EXPECT_EQ(Flat(told[i]).number("t"), Flat(told[i - 1]).number("t") + 1);
  }
}

TEST(BinanceTradeFeeds, SumTheTradesOfAnOrder) {
  auto core = small_core();
  open(*core, "/stream?streams=btcusdt@trade/btcusdt@aggTrade");
  Decimal single;
  Decimal joined;
  std::uint64_t last = 0;
  std::uint64_t aggregate = 0;
  for (const auto& text : frames(core->advance_to(start + 10min))) {
    const Flat frame(text);
    if (frame["data.e"] == "trade") {
      single = *Decimal::add(single, frame.decimal("data.q"));
      continue;
    }
    joined = *Decimal::add(joined, frame.decimal("data.q"));
    if (last != 0) {
      EXPECT_EQ(frame.number("data.f"), last + 1);
      EXPECT_EQ(frame.number("data.a"), aggregate + 1);
    }
    last = frame.number("data.l");
    aggregate = frame.number("data.a");
  }
  EXPECT_EQ(single, joined);
  EXPECT_FALSE(single.is_zero());
}

}  // namespace
}  // namespace candlewick::simulator
