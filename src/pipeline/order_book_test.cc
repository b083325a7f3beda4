// Levels in order, what a snapshot does not show, and the limit of levels.
#include "pipeline/order_book.h"

#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using testing::decimal;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

std::vector<Level> levels(const Pairs& pairs) {
  std::vector<Level> made;
  for (const auto& [price, size] : pairs) made.push_back({decimal(price), decimal(size)});
  return made;
}

BookUpdate book(BookKind kind, const Pairs& bids, const Pairs& asks) {
  return {.kind = kind, .bids = levels(bids), .asks = levels(asks)};
}

std::vector<std::string> text(const std::vector<Level>& all) {
  std::vector<std::string> made;
  for (const auto& level : all) {
    made.push_back(level.price.to_string() + "x" + level.size.to_string());
  }
  return made;
}

OrderBook made(const Pairs& bids, const Pairs& asks) {
  OrderBook order_book;
  order_book.assign(book(BookKind::snapshot, bids, asks));
  return order_book;
}

TEST(OrderBook, IsEmptyAtFirst) {
  const OrderBook order_book;
  EXPECT_EQ(order_book.bids().best(), nullptr);
  EXPECT_THAT(order_book.asks().best(5), IsEmpty());
  EXPECT_FALSE(order_book.is_crossed());
  EXPECT_FALSE(order_book.is_exhausted());
}

TEST(OrderBook, HandsOutTheBestFirst) {
  const auto order_book =
      made({{"10", "1"}, {"9.5", "2"}, {"9", "3"}}, {{"10.5", "4"}, {"11", "5"}, {"12", "6"}});
  EXPECT_THAT(text(order_book.bids().best(2)), ElementsAre("10x1", "9.5x2"));
  EXPECT_THAT(text(order_book.asks().best(9)), ElementsAre("10.5x4", "11x5", "12x6"));
  EXPECT_EQ(*order_book.bids().best(), (Level{decimal("10"), decimal("1")}));
}

TEST(OrderBook, SortsASnapshotThatIsNot) {
  const auto order_book =
      made({{"9", "3"}, {"10", "1"}, {"9.5", "2"}}, {{"12", "6"}, {"10.5", "4"}, {"11", "0"}});
  EXPECT_THAT(text(order_book.bids().best(9)), ElementsAre("10x1", "9.5x2", "9x3"));
  EXPECT_THAT(text(order_book.asks().best(9)), ElementsAre("10.5x4", "12x6"));
}

TEST(OrderBook, ChangesInsertsAndRemovesLevels) {
  auto order_book = made({{"10", "1"}, {"9", "3"}}, {{"11", "5"}, {"12", "6"}});
  order_book.apply(book(BookKind::delta, {{"9.5", "2"}, {"10", "0"}, {"9", "7"}},
                        {{"10.5", "1"}, {"11.5", "0"}, {"12", "0.5"}}));
  EXPECT_THAT(text(order_book.bids().best(9)), ElementsAre("9.5x2", "9x7"));
  EXPECT_THAT(text(order_book.asks().best(9)), ElementsAre("10.5x1", "11x5", "12x0.5"));
}

TEST(OrderBook, IsCrossedWhenTheBestPricesMeet) {
  auto order_book = made({{"10", "1"}}, {{"11", "5"}});
  EXPECT_FALSE(order_book.is_crossed());
  order_book.apply(book(BookKind::delta, {{"11", "1"}}, {}));
  EXPECT_TRUE(order_book.is_crossed());
  order_book.apply(book(BookKind::delta, {}, {{"11", "0"}}));
  EXPECT_FALSE(order_book.is_crossed());
}

TEST(OrderBook, ShowsNoLevelBelowWhatTheSnapshotShowed) {
  auto order_book = made({{"10", "1"}, {"9", "1"}}, {{"11", "1"}, {"12", "1"}});
  order_book.apply(book(BookKind::delta, {{"8", "2"}, {"9.5", "3"}}, {{"13", "2"}}));
  // Something at 8.5 that never changed would be missing.
  EXPECT_THAT(text(order_book.bids().best(9)), ElementsAre("10x1", "9.5x3", "9x1"));
  EXPECT_EQ(order_book.bids().size(), 4U);
  EXPECT_EQ(order_book.bids().known(), 3U);
  EXPECT_THAT(text(order_book.asks().best(9)), ElementsAre("11x1", "12x1"));
}

TEST(OrderBook, IsExhaustedBeyondWhatTheSnapshotShowed) {
  auto order_book = made({{"10", "1"}, {"9", "1"}}, {{"11", "1"}, {"12", "1"}});
  order_book.apply(book(BookKind::delta, {{"8", "2"}, {"9", "0"}}, {}));
  EXPECT_FALSE(order_book.is_exhausted());
  order_book.apply(book(BookKind::delta, {{"10", "0"}}, {}));
  EXPECT_TRUE(order_book.is_exhausted());
  EXPECT_THAT(order_book.bids().best(9), IsEmpty());
  EXPECT_EQ(order_book.bids().best()->price, decimal("8"));
  order_book.apply(book(BookKind::delta, {{"9", "1"}}, {}));
  EXPECT_FALSE(order_book.is_exhausted());
}

TEST(OrderBook, KnowsAllOfTheSideThatHasFewerLevels) {
  auto order_book = made({{"10", "1"}}, {{"11", "1"}, {"12", "1"}});
  order_book.apply(book(BookKind::delta, {{"10", "0"}, {"8", "2"}}, {{"13", "1"}}));
  EXPECT_FALSE(order_book.is_exhausted());
  EXPECT_THAT(text(order_book.bids().best(9)), ElementsAre("8x2"));
  EXPECT_THAT(text(order_book.asks().best(9)), ElementsAre("11x1", "12x1"));
  EXPECT_THAT(text(made({}, {}).bids().best(9)), IsEmpty());
  EXPECT_FALSE(made({}, {}).is_exhausted());
}

TEST(OrderBook, IsThinWhenHalfOfTheSnapshotIsUsedUp) {
  auto order_book = made({{"10", "1"}, {"9", "1"}, {"8", "1"}, {"7", "1"}},
                         {{"11", "1"}, {"12", "1"}, {"13", "1"}, {"14", "1"}});
  EXPECT_FALSE(order_book.is_thin(100));
  order_book.apply(book(BookKind::delta, {{"10", "0"}, {"9", "0"}}, {}));
  EXPECT_FALSE(order_book.is_thin(100));
  order_book.apply(book(BookKind::delta, {{"8", "0"}}, {}));
  EXPECT_TRUE(order_book.is_thin(100));
  EXPECT_FALSE(order_book.is_thin(1));
}

TEST(OrderBook, LosesDepthButNoTruthAtTheLimitOfLevels) {
  constexpr std::size_t limit = 40;
  OrderBook order_book(limit);
  order_book.assign(book(BookKind::snapshot, {{"500", "1"}}, {{"501", "1"}, {"502", "1"}}));
  std::map<Decimal, Decimal, std::greater<>> all{{decimal("500"), decimal("1")}};
  std::mt19937 random(7);  // NOLINT: the same every time
  for (int step = 0; step < 20'000; ++step) {
    const Level level{Decimal{static_cast<std::int64_t>(random() % 500)},
                      Decimal{static_cast<std::int64_t>(random() % 3)}};
    order_book.apply({.kind = BookKind::delta, .bids = {level}});
    if (level.size.is_zero()) {
      all.erase(level.price);
    } else {
      all[level.price] = level.size;
    }
    const auto shown = order_book.bids().best(limit * 2);
    ASSERT_LE(order_book.bids().size(), limit + limit / 4);
    ASSERT_LE(shown.size(), all.size());
    auto truth = all.begin();
    for (const auto& level_shown : shown) {
      ASSERT_EQ(level_shown.price, truth->first) << step;
      ASSERT_EQ(level_shown.size, truth->second) << step;
      ++truth;
    }
  }
}

TEST(OrderBook, ComparesWhereBothAreWhole) {
  const auto order_book =
      made({{"10", "1"}, {"9", "1"}, {"8", "1"}}, {{"11", "1"}, {"12", "1"}, {"13", "1"}});
  struct Case {
    Pairs bids;
    Pairs asks;
    std::string difference;
  };
  const std::vector<Case> cases{
      {{{"10", "1"}, {"9", "1"}, {"8", "1"}}, {{"11", "1"}, {"12", "1"}, {"13", "1"}}, ""},
      {{{"10", "1"}, {"9", "1"}}, {{"11", "1"}, {"12", "1"}}, ""},
      {{{"10", "1"}, {"9", "1"}, {"8", "1"}, {"7", "5"}},
       {{"11", "1"}, {"12", "1"}, {"13", "1"}, {"14", "2"}},
       ""},
      {{{"10", "2"}, {"9", "1"}}, {{"11", "1"}, {"12", "1"}}, "bid 10: 1 and 2"},
      {{{"10", "1"}, {"8", "1"}}, {{"11", "1"}, {"12", "1"}}, "bid 9: 1 and none"},
      {{{"10", "1"}, {"9", "1"}}, {{"10.5", "4"}, {"11", "1"}}, "ask 10.5: none and 4"},
      {{{"10", "1"}, {"9", "1"}}, {{"11", "1"}, {"11.5", "4"}}, "ask 11.5: none and 4"},
      {{{"10", "1"}, {"9", "1"}}, {{"12", "1"}, {"13", "1"}}, "ask 11: 1 and none"},
      // A side that is whole, as it is the shorter one, says that nothing is below.
      {{{"10", "1"}, {"9", "1"}}, {{"11", "1"}, {"12", "1"}, {"13", "1"}}, "bid 8: 1 and none"},
  };
  for (const auto& [bids, asks, difference] : cases) {
    const auto other = made(bids, asks);
    EXPECT_EQ(order_book.difference(other).value_or(""), difference);
    EXPECT_EQ(other.difference(order_book).has_value(), !difference.empty());
  }
}

TEST(OrderBook, TakesTheDeeperOfTwoSides) {
  auto order_book = made({{"10", "1"}, {"9", "1"}}, {{"11", "1"}, {"12", "1"}});
  order_book.deepen(made({{"10", "1"}}, {{"11", "1"}}));
  EXPECT_EQ(order_book.bids().known(), 2U);
  order_book.deepen(
      made({{"10", "1"}, {"9", "1"}, {"8", "4"}}, {{"11", "1"}, {"12", "1"}, {"13", "4"}}));
  EXPECT_THAT(text(order_book.bids().best(9)), ElementsAre("10x1", "9x1", "8x4"));
  EXPECT_THAT(text(order_book.asks().best(9)), ElementsAre("11x1", "12x1", "13x4"));
}

}  // namespace
}  // namespace candlewick::pipeline
