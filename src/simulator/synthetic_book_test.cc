// The made-up book: ordered, never crossed, in step with the trades.
#include "simulator/synthetic_book.h"

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(SyntheticBook, IsOrderedAndNeverCrossed) {
  auto market = small_market();
  for (std::size_t listing = 0; listing < market->listings().size(); ++listing) {
    BookSteps& steps = *market->book_steps(listing);
    const auto first = steps.step_at(start);
    for (std::uint64_t step = first; step < first + 300; ++step) {
      const Book book = steps.book(step, 5000);
      ASSERT_GT(book.bids.size(), 20U);
      ASSERT_GT(book.asks.size(), 20U);
      ASSERT_LT(book.bids.front().price, book.asks.front().price);
      for (std::size_t i = 1; i < book.bids.size(); ++i) {
        ASSERT_GT(book.bids[i - 1].price, book.bids[i].price);
      }
      for (std::size_t i = 1; i < book.asks.size(); ++i) {
        ASSERT_LT(book.asks[i - 1].price, book.asks[i].price);
      }
      ASSERT_GT(book.bids.back().size.count(), 0);
      ASSERT_GT(book.bids.back().price.count(), 0);
    }
  }
}

TEST(SyntheticBook, TradesAtTheBestPriceAndTakesTheSizeAway) {
  auto market = small_market();
  BookSteps& steps = *market->book_steps(0);
  std::map<std::uint64_t, std::vector<MarketTrade>> orders;
  for (const auto& trade : market->trades(0, start, start + 5min, 1000, false)) {
    orders[trade.aggregate_id].push_back(trade);
  }
  ASSERT_GT(orders.size(), 50U);
  for (const auto& [id, trades] : orders) {
    const std::uint64_t quoted = (id - 1) * 6 + 1;
    EXPECT_EQ(steps.time_of(quoted + 1), trades.front().time);
    const Book before = steps.book(quoted, 1);
    const Book after = steps.book(quoted + 1, 1);
    Decimal taken;
    for (const auto& trade : trades) taken = *Decimal::add(taken, trade.size);
    const bool buys = trades.front().taker_is_buyer;
    const Level best = buys ? before.asks[0] : before.bids[0];
    const Level rest = buys ? after.asks[0] : after.bids[0];
    EXPECT_EQ(best.price, trades.front().price);
    EXPECT_EQ(rest.price, best.price);
    EXPECT_EQ(*Decimal::subtract(best.size, rest.size), taken);
  }
}

TEST(SyntheticBook, NumbersStepsInOrderOfTime) {
  auto market = small_market();
  for (std::size_t listing = 0; listing < market->listings().size(); ++listing) {
    BookSteps& steps = *market->book_steps(listing);
    const auto first = steps.step_at(start);
    for (std::uint64_t step = first; step < first + 500; ++step) {
      ASSERT_LE(steps.time_of(step), steps.time_of(step + 1));
      ASSERT_GE(steps.step_at(steps.time_of(step)), step);
    }
    EXPECT_LE(steps.time_of(first), start);
    EXPECT_GT(steps.time_of(first + 1), start);
  }
}

TEST(SyntheticBook, GivesNoMoreLevelsThanAskedFor) {
  auto market = small_market();
  for (const std::size_t levels : {0U, 1U, 5U, 20U, 100U}) {
    const Book book = market->book(0, start, levels);
    EXPECT_EQ(book.bids.size(), levels);
    EXPECT_EQ(book.asks.size(), levels);
  }
}

}  // namespace
}  // namespace candlewick::simulator
