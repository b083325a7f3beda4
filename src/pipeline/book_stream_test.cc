// Books whose snapshots come by the stream: what follows, what does not, and when a new
// subscription is asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/book_sync.h"
#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using exchange::BookRule;
using testing::bitcoin;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::noon;

struct Numbers {
  std::optional<std::uint64_t> sequence;
  std::optional<std::uint64_t> previous = {};
};

BookUpdate update(BookKind kind, Numbers numbers, std::vector<Level> bids, std::vector<Level> asks,
                  Time time = noon) {
  return {.origin = {.instrument = &bitcoin(), .exchange_time = time},
          .kind = kind,
          .sequence = numbers.sequence,
          .previous_sequence = numbers.previous,
          .bids = std::move(bids),
          .asks = std::move(asks)};
}
Level level(std::int64_t price, std::int64_t size) {
  return {Decimal{price}, Decimal{size}};
}
BookUpdate snapshot(Numbers numbers, Time time = noon) {
  return update(BookKind::snapshot, numbers, {level(100, 1), level(99, 1), level(98, 1)},
                {level(101, 1), level(102, 1), level(103, 1)}, time);
}
BookUpdate bid(Numbers numbers, std::int64_t price, std::int64_t size, Time time = noon) {
  return update(BookKind::delta, numbers, {level(price, size)}, {}, time);
}

struct Desk {
  explicit Desk(BookRule rule) : sync({.rule = rule}) {}
  explicit Desk(const BookSyncOptions& options) : sync(options) {}
  BookOutcome say(const BookUpdate& said) {
    Events out;
    const auto outcome = sync.apply(said, out);
    for (const auto& event : out) {
      if (const auto* gap = std::get_if<Gap>(&event))
        gaps.push_back(gap->expected + " | " + gap->got);
    }
    return outcome;
  }
  std::string best_bid() const {
    const auto ladder = sync.ladder(1);
    if (!ladder || ladder->bids.empty()) return "none";
    return ladder->bids[0].price.to_string() + "x" + ladder->bids[0].size.to_string();
  }
  BookSync sync;
  std::vector<std::string> gaps;
};

TEST(BookStream, IsInStepFromItsSnapshotOn) {
  Desk desk(BookRule::stream_consecutive);
  EXPECT_FALSE(desk.sync.wants_snapshot());
  EXPECT_TRUE(desk.say(snapshot({7})).is_applied);
  EXPECT_EQ(desk.sync.state(), BookState::synced);
  EXPECT_TRUE(desk.say(bid({8}, 100, 5)).is_applied);
  EXPECT_EQ(desk.best_bid(), "100x5");
  EXPECT_FALSE(desk.say(bid({8}, 100, 9)).is_applied) << "a repeat";
  EXPECT_FALSE(desk.say(bid({7}, 100, 9)).is_applied) << "an old one";
  EXPECT_EQ(desk.best_bid(), "100x5");
  EXPECT_FALSE(desk.sync.wants_subscription(noon + 1h));
  EXPECT_THAT(desk.gaps, IsEmpty());
}

TEST(BookStream, AHoleInConsecutiveNumbersAsksForASubscription) {
  Desk desk(BookRule::stream_consecutive);
  desk.say(snapshot({7}));
  EXPECT_EQ(desk.say(bid({9}, 100, 5)).resync, Resync::gap);
  EXPECT_THAT(desk.gaps, ElementsAre("8 | 9"));
  EXPECT_EQ(desk.best_bid(), "none");
  EXPECT_TRUE(desk.sync.wants_subscription(noon));
  desk.sync.subscription_asked(noon);
  EXPECT_FALSE(desk.sync.wants_subscription(noon + 1s));
  desk.say(bid({10}, 100, 5));
  EXPECT_EQ(desk.best_bid(), "none");
  EXPECT_TRUE(desk.say(snapshot({20})).is_applied);
  EXPECT_EQ(desk.best_bid(), "100x1");
}

TEST(BookStream, LinksHoldAlsoWhereNumbersStartAnew) {
  Desk desk(BookRule::stream_linked);
  desk.say(snapshot({1000}));
  EXPECT_TRUE(desk.say(bid({1005, 1000}, 100, 2)).is_applied);
  EXPECT_TRUE(desk.say(bid({3, 1005}, 100, 3)).is_applied) << "a reset of the numbers";
  EXPECT_FALSE(desk.say(bid({3, 1005}, 100, 9)).resync) << "a repeat of it";
  EXPECT_TRUE(desk.say(bid({4, 3}, 100, 4)).is_applied);
  EXPECT_EQ(desk.best_bid(), "100x4");
  EXPECT_EQ(desk.say(bid({9, 7}, 100, 5)).resync, Resync::gap);
  EXPECT_THAT(desk.gaps, ElementsAre("4 | 7"));
}

TEST(BookStream, WithoutNumbersUpdatesAreTakenAsTheyCome) {
  Desk desk(BookRule::stream_ascending);
  desk.say(snapshot({}));
  EXPECT_TRUE(desk.say(bid({}, 100, 2)).is_applied);
  EXPECT_TRUE(desk.say(bid({}, 100, 3)).is_applied);
  EXPECT_EQ(desk.best_bid(), "100x3");
  EXPECT_EQ(desk.say(bid({}, 101, 1)).resync, Resync::crossed);
}

TEST(BookStream, AnUpdateThatNamesTheOneBeforeProvesItWhereNotAllDo) {
  Desk desk(BookRule::stream_ascending);
  desk.say(snapshot({5}));
  EXPECT_TRUE(desk.say(bid({7, 5}, 100, 2)).is_applied);
  EXPECT_TRUE(desk.say(bid({9}, 100, 3)).is_applied) << "it names none";
  EXPECT_FALSE(desk.say(bid({9, 7}, 100, 8)).is_applied) << "a repeat";
  EXPECT_EQ(desk.best_bid(), "100x3");
  EXPECT_TRUE(desk.say(bid({10, 8}, 100, 4)).is_applied) << "it reaches back over what is known";
  EXPECT_TRUE(desk.say(bid({2, 10}, 100, 5)).is_applied) << "a reset of the numbers";
  EXPECT_EQ(desk.say(bid({7, 4}, 100, 6)).resync, Resync::gap);
  EXPECT_THAT(desk.gaps, ElementsAre("2 | 4"));
  EXPECT_EQ(desk.best_bid(), "none");
  EXPECT_TRUE(desk.sync.wants_subscription(noon));
}

TEST(BookStream, AWrongChecksumEndsTheBook) {
  const auto sizes = [](std::span<const Level> bids, std::span<const Level> asks, int, int) {
    std::uint32_t sum = 0;
    for (const auto& one : bids) sum += static_cast<std::uint32_t>(one.size.to_double());
    return sum * 10 + static_cast<std::uint32_t>(asks.size());
  };
  Desk desk(
      {.rule = BookRule::stream_ascending, .depth = 3, .checksum = sizes, .checksum_levels = 2});
  auto first = snapshot({});
  first.checksum = 22;
  EXPECT_TRUE(desk.say(first).is_applied);
  auto second = bid({}, 100, 5);
  second.checksum = 62;
  EXPECT_TRUE(desk.say(second).is_applied);
  auto third = bid({}, 99, 7);
  third.checksum = 62;
  EXPECT_EQ(desk.say(third).resync, Resync::mismatch);
  EXPECT_THAT(desk.gaps, ElementsAre("checksum 62 | checksum 122"));
  EXPECT_TRUE(desk.sync.wants_subscription(noon));
}

TEST(BookStream, LevelsThatFallOutOfTheDepthAreForgotten) {
  Desk desk({.rule = BookRule::stream_ascending, .depth = 3});
  desk.say(snapshot({}));
  desk.say(update(BookKind::delta, {}, {}, {level(100, 0)}));
  desk.say(bid({}, 97, 4));  // deeper than three
  EXPECT_EQ(desk.sync.ladder(10)->bids.size(), 3U);
  desk.say(bid({}, 100, 0));
  const auto ladder = desk.sync.ladder(10);
  ASSERT_EQ(ladder->bids.size(), 2U) << "97 was forgotten";
  EXPECT_EQ(ladder->bids[1], level(98, 1));
}

TEST(BookStream, UpdatesWithoutASnapshotAskForOne) {
  Desk desk(BookRule::stream_linked);
  EXPECT_FALSE(desk.sync.wants_subscription(noon));
  desk.say(bid({5, 4}, 100, 1));
  EXPECT_TRUE(desk.sync.wants_subscription(noon));
  desk.sync.subscription_asked(noon);
  EXPECT_FALSE(desk.sync.wants_subscription(noon + 9s));
  EXPECT_TRUE(desk.sync.wants_subscription(noon + 10s)) << "no snapshot came";
}

TEST(BookStream, ALostConnectionBringsItsOwnSnapshotOrIsAskedForIt) {
  Desk desk(BookRule::stream_consecutive);
  desk.say(snapshot({7}));
  desk.sync.lost(noon);
  EXPECT_EQ(desk.best_bid(), "none");
  EXPECT_FALSE(desk.sync.wants_subscription(noon + 9s));
  EXPECT_TRUE(desk.sync.wants_subscription(noon + 10s));
}

TEST(BookStream, OfTwoConnectionsTheOneOfTheNewestSnapshotCounts) {
  Desk desk(BookRule::stream_consecutive);
  auto first = snapshot({7});
  first.connection = 1;
  auto second = snapshot({9});
  second.connection = 2;
  const auto from = [](BookUpdate said, std::uint64_t connection) {
    said.connection = connection;
    return said;
  };
  desk.say(first);
  desk.say(from(bid({8}, 100, 8), 1));
  EXPECT_FALSE(desk.say(from(bid({9}, 100, 9), 2)).resync) << "its snapshot has not come";
  EXPECT_EQ(desk.best_bid(), "100x8");
  desk.say(second);
  EXPECT_FALSE(desk.say(from(bid({10}, 100, 77), 1)).is_applied);
  EXPECT_TRUE(desk.say(from(bid({10}, 100, 10), 2)).is_applied);
  EXPECT_EQ(desk.best_bid(), "100x10");
  // When the newer one dies before it is in charge, the older one cannot go on with its book.
  EXPECT_FALSE(desk.say(from(bid({11}, 100, 1, noon + 9s), 1)).resync);
  EXPECT_EQ(desk.say(from(bid({12}, 100, 1, noon + 10s), 1)).resync, Resync::gap);
}

TEST(BookStream, RepeatedFailuresAreAskedForMoreSeldom) {
  Desk desk(BookRule::stream_consecutive);
  Time now = noon;
  std::vector<Duration> pauses;
  for (std::uint64_t round = 0; round < 4; ++round) {
    desk.say(snapshot({7}, now));
    desk.say(bid({9}, 100, 1, now));
    ASSERT_TRUE(desk.sync.wants_subscription(now));
    desk.sync.subscription_asked(now);
    Duration pause{};
    while (!desk.sync.wants_subscription(now + pause)) pause += 1s;
    pauses.push_back(pause);
    now += pause;
  }
  EXPECT_THAT(pauses, ElementsAre(20s, 40s, 80s, 160s));
}

}  // namespace
}  // namespace candlewick::pipeline
