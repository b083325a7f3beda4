// The limits of the queue, its end, and many threads at once.
#include "base/queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace candlewick {
namespace {

using Queue = BoundedQueue<std::unique_ptr<int>>;

TEST(BoundedQueue, GivesItemsInTheOrderInWhichTheyCame) {
  BoundedQueue<int> queue({.items = 10, .weight = 10});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.try_push(int{i}), Push::accepted);
  EXPECT_EQ(queue.pop_all(), (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(BoundedQueue, RefusesMoreItemsThanItsLimitAndLeavesTheValueAlone) {
  Queue queue({.items = 1, .weight = 10});
  EXPECT_EQ(queue.try_push(std::make_unique<int>(1)), Push::accepted);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(queue.try_push(std::move(second)), Push::full);
  ASSERT_NE(second, nullptr);
  static_cast<void>(queue.pop_all());
  EXPECT_EQ(queue.try_push(std::move(second)), Push::accepted);
}

TEST(BoundedQueue, RefusesMoreWeightThanItsLimit) {
  BoundedQueue<int> queue({.items = 10, .weight = 10});
  EXPECT_EQ(queue.try_push(1, 6), Push::accepted);
  EXPECT_EQ(queue.try_push(2, 5), Push::full);
  EXPECT_EQ(queue.try_push(3, 4), Push::accepted);
  EXPECT_EQ(queue.weight(), 10U);
}

TEST(BoundedQueue, TakesAnOversizedItemWhenNothingElseWaits) {
  BoundedQueue<int> queue({.items = 10, .weight = 10});
  EXPECT_EQ(queue.try_push(1, 100), Push::accepted);
  EXPECT_EQ(queue.try_push(2, 1), Push::full);
  EXPECT_EQ(queue.pop_all(), std::vector{1});
  EXPECT_EQ(queue.weight(), 0U);
}

TEST(BoundedQueue, PopsWithinLimitsButAtLeastOne) {
  BoundedQueue<int> queue({.items = 10, .weight = 100});
  for (int i = 0; i < 4; ++i) ASSERT_EQ(queue.try_push(int{i}, 20), Push::accepted);
  EXPECT_EQ(queue.pop_all({.items = 10, .weight = 1}), std::vector{0});
  EXPECT_EQ(queue.pop_all({.items = 10, .weight = 40}), (std::vector{1, 2}));
  EXPECT_EQ(queue.weight(), 20U);
}

TEST(BoundedQueue, GivesWhatIsLeftAfterItWasClosed) {
  BoundedQueue<int> queue({.items = 10, .weight = 10});
  ASSERT_EQ(queue.try_push(1), Push::accepted);
  queue.close();
  EXPECT_EQ(queue.try_push(2), Push::closed);
  EXPECT_TRUE(queue.wait());
  EXPECT_EQ(queue.pop_all(), std::vector{1});
  EXPECT_FALSE(queue.wait());
  EXPECT_FALSE(queue.wait_unless_closed(std::chrono::hours{1}));
}

TEST(BoundedQueue, LosesAndDoublesNothingBetweenThreads) {
  constexpr int threads = 4;
  constexpr int each = 5'000;
  BoundedQueue<int> queue({.items = 64, .weight = 64});
  std::vector<std::thread> producers;
  for (int t = 0; t < threads; ++t) {
    producers.emplace_back([&queue, t] {
      for (int i = 0; i < each; ++i) {
        while (queue.try_push(t * each + i) == Push::full) std::this_thread::yield();
      }
    });
  }
  std::vector<int> seen;
  while (seen.size() < threads * each && queue.wait()) {
    for (const int value : queue.pop_all()) seen.push_back(value);
  }
  for (auto& producer : producers) producer.join();
  std::vector<int> last(threads, -1);
  for (const int value : seen) {  // in order for each producer
    EXPECT_GT(value % each, last[static_cast<std::size_t>(value / each)]);
    last[static_cast<std::size_t>(value / each)] = value % each;
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(threads * each));
}

}  // namespace
}  // namespace candlewick
