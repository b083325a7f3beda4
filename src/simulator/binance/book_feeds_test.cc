// The local book, built by Binance's documented steps from streams and a snapshot.
#include <algorithm>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

// Levels as their texts; what the documented algorithm needs and no more.
struct LocalBook {
  std::map<Decimal, Decimal> bids;
  std::map<Decimal, Decimal> asks;
  std::uint64_t id = 0;

  static void put(std::map<Decimal, Decimal>& side, const Flat& frame, const std::string& name) {
    for (int i = 0; frame.has(fmt::format("{}.{}.0", name, i)); ++i) {
      const auto price = frame.decimal(fmt::format("{}.{}.0", name, i));
      const auto size = frame.decimal(fmt::format("{}.{}.1", name, i));
      if (size.is_zero()) {
        side.erase(price);
      } else {
        side[price] = size;
      }
    }
  }
};

std::string name_of(const std::string& frame) {
  return Flat(frame)["stream"];
}

TEST(BinanceBookFeeds, RebuildTheBookWithoutGapsAndInStepWithTheTicker) {
  for (const std::string symbol : {"btcusdt", "ethbtc", "farmusdt"}) {
    for (const std::string speed : {"@100ms", ""}) {
      auto core = small_core("", 1, 4.0);
      core->advance_to(start + 1234ms);
      const std::string depth = symbol + "@depth" + speed;
      open(*core, "/stream?streams=" + depth + "/" + symbol + "@bookTicker");
      std::vector<std::string> buffered = frames(core->advance_to(start + 20s));
      std::string upper = symbol;
      std::ranges::transform(upper, upper.begin(),
                             [](char c) { return static_cast<char>(std::toupper(c)); });
      const Flat snapshot(get(*core, "/api/v3/depth?limit=5000&symbol=" + upper).body);
      LocalBook book;
      LocalBook::put(book.bids, snapshot, "bids");
      LocalBook::put(book.asks, snapshot, "asks");
      book.id = snapshot.number("lastUpdateId");
      const auto rest = frames(core->advance_to(start + 5min));
      buffered.insert(buffered.end(), rest.begin(), rest.end());

      std::map<std::uint64_t, Flat> quotes;
      std::uint64_t previous = 0;
      int compared = 0;
      int applied = 0;
      for (const auto& text : buffered) {
        if (name_of(text) != depth) {
          const Flat quote(text);
          quotes.emplace(quote.number("data.u"), quote);
          continue;
        }
        const Flat frame(text);
        const auto first = frame.number("data.U");
        const auto last = frame.number("data.u");
        ASSERT_LE(first, last);
        ASSERT_TRUE(previous == 0 || first == previous + 1);
        previous = last;
        if (last <= book.id) continue;
        ASSERT_LE(first, book.id + 1);
        LocalBook::put(book.bids, frame, "data.b");
        LocalBook::put(book.asks, frame, "data.a");
        book.id = last;
        ++applied;
        ASSERT_LT(book.bids.rbegin()->first, book.asks.begin()->first);
        // The newest quote at or before this id is the top of this book.
        auto quote = quotes.upper_bound(last);
        if (quote == quotes.begin()) continue;
        --quote;
        EXPECT_EQ(quote->second.decimal("data.b"), book.bids.rbegin()->first);
        EXPECT_EQ(quote->second.decimal("data.B"), book.bids.rbegin()->second);
        EXPECT_EQ(quote->second.decimal("data.a"), book.asks.begin()->first);
        EXPECT_EQ(quote->second.decimal("data.A"), book.asks.begin()->second);
        ++compared;
      }
      EXPECT_GT(applied, symbol == "farmusdt" ? 2 : 40);
      EXPECT_GT(compared, 0);
      // And the whole of it is what a new snapshot says.
      const Flat again(get(*core, "/api/v3/depth?limit=5000&symbol=" + upper).body);
      if (again.number("lastUpdateId") == book.id) {
        LocalBook fresh;
        LocalBook::put(fresh.bids, again, "bids");
        LocalBook::put(fresh.asks, again, "asks");
        EXPECT_EQ(fresh.bids, book.bids);
        EXPECT_EQ(fresh.asks, book.asks);
      } else {
        EXPECT_GT(again.number("lastUpdateId"), book.id);
      }
    }
  }
}

TEST(BinanceBookFeeds, SendLaddersOfTheBestLevels) {
  auto core = small_core();
  open(*core, "/stream?streams=btcusdt@depth5@100ms/btcusdt@depth20");
  const auto told = core->advance_to(start + 30s);
  int five = 0;
  for (const auto& delivery : told) {
    const Flat frame(*delivery.text);
    const bool is_five = frame["stream"] == "btcusdt@depth5@100ms";
    five += is_five ? 1 : 0;
    const int levels = is_five ? 5 : 20;
    EXPECT_TRUE(frame.has(fmt::format("data.bids.{}.0", levels - 1)));
    EXPECT_FALSE(frame.has(fmt::format("data.bids.{}.0", levels)));
    EXPECT_TRUE(frame.has(fmt::format("data.asks.{}.1", levels - 1)));
    const Book book = core->market().book(0, delivery.at, 1);
    EXPECT_EQ(frame.number("data.lastUpdateId"), book.sequence);
    EXPECT_EQ(frame.decimal("data.bids.0.0"), book.bids[0].price);
  }
  EXPECT_GT(five, 20);
}

}  // namespace
}  // namespace candlewick::simulator
