// Joining snapshots and updates, and every way in which they may not fit, one at a time.
#include "pipeline/book_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using exchange::BookRule;
using testing::bitcoin;
using testing::decimal;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::noon;
using Number = std::uint64_t;

BookUpdate snapshot(Number number, std::vector<Level> bids, std::vector<Level> asks) {
  return {.origin = {.instrument = &bitcoin()},
          .kind = BookKind::snapshot,
          .sequence = number,
          .bids = std::move(bids),
          .asks = std::move(asks)};
}

// Ten levels a side around 100; the best bid's size is the number that it is of.
BookUpdate snapshot(Number number) {
  BookUpdate made = snapshot(number, {}, {});
  for (int i = 0; i < 10; ++i) {
    made.bids.push_back(
        {Decimal{100 - i}, Decimal{i == 0 ? static_cast<std::int64_t>(number) : 1}});
    made.asks.push_back({Decimal{101 + i}, Decimal{1}});
  }
  return made;
}

// Sets the best bid's size to its last number; sent at that many ms after noon.
BookUpdate delta(Number first, Number last) {
  return {
      .origin = {.instrument = &bitcoin(), .exchange_time = noon + std::chrono::milliseconds{last}},
      .kind = BookKind::delta,
      .first_sequence = first,
      .sequence = last,
      .bids = {{Decimal{100}, Decimal{static_cast<std::int64_t>(last)}}}};
}
BookUpdate delta(Number number) {
  return delta(number, number);
}
BookUpdate delta(Number number, std::vector<Level> bids, std::vector<Level> asks) {
  BookUpdate made = delta(number);
  made.bids = std::move(bids);
  made.asks = std::move(asks);
  return made;
}
BookUpdate futures(Number before, Number first, Number last) {
  BookUpdate made = delta(first, last);
  made.previous_sequence = before;
  return made;
}

// A book and what it said.
struct Desk {
  explicit Desk(BookRule rule = BookRule::ranges) : Desk(BookSyncOptions{.rule = rule}) {}
  explicit Desk(const BookSyncOptions& options) : sync(options) {}

  BookOutcome say(const BookUpdate& update) {
    Events out;
    const auto outcome = sync.apply(update, out);
    for (const auto& event : out) {
      if (const auto* top = std::get_if<Top>(&event)) {
        told.push_back(fmt::format("top {} {}x{} {}", top->sequence, top->bid.price.to_string(),
                                   top->bid.size.to_string(), top->ask.price.to_string()));
      } else if (const auto* gap = std::get_if<Gap>(&event)) {
        EXPECT_EQ(gap->stream, Stream::book);
        EXPECT_EQ(gap->action, GapAction::resync);
        EXPECT_EQ(gap->origin.instrument, &bitcoin());
        told.push_back(fmt::format("gap {} | {}", gap->expected, gap->got));
      } else {
        ADD_FAILURE() << "neither a top nor a gap";
      }
    }
    return outcome;
  }
  std::vector<std::string> tell() { return std::exchange(told, {}); }
  // In step at that number.
  void start(Number number) {
    say(delta(number));
    say(snapshot(number));
    ASSERT_EQ(sync.state(), BookState::synced);
    tell();
  }

  BookSync sync;
  std::vector<std::string> told;
};

TEST(BookSync, JoinsASnapshotAndTheUpdatesKept) {
  Desk desk;
  EXPECT_EQ(desk.sync.state(), BookState::empty);
  EXPECT_FALSE(desk.sync.wants_snapshot());
  desk.say(delta(8, 9));
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  EXPECT_TRUE(desk.sync.wants_snapshot());
  desk.sync.snapshot_asked();
  EXPECT_FALSE(desk.sync.wants_snapshot());
  desk.say(delta(10, 12));
  desk.say(delta(13));
  EXPECT_THAT(desk.tell(), IsEmpty());
  EXPECT_FALSE(desk.sync.ladder(5));
  EXPECT_EQ(desk.sync.book(), nullptr);
  // Inside the second update: the first is old, the others come on top.
  EXPECT_TRUE(desk.say(snapshot(11)).is_applied);
  EXPECT_THAT(desk.tell(),
              ElementsAre("top 11 100x11 101", "top 12 100x12 101", "top 13 100x13 101"));
  EXPECT_EQ(desk.sync.state(), BookState::synced);
  EXPECT_EQ(desk.sync.sequence(), 13U);
  EXPECT_FALSE(desk.sync.wants_snapshot());
  EXPECT_TRUE(desk.say(delta(14)).is_applied);
  EXPECT_THAT(desk.tell(), ElementsAre("top 14 100x14 101"));
}

TEST(BookSync, KeepsToTheRuleOfBinanceSpot) {
  struct Case {
    Number first;
    Number last;
    Number snapshot;
    bool fits;
  };
  for (const auto& [first, last, number, fits] : std::vector<Case>{{10, 12, 8, false},
                                                                   {10, 12, 9, true},
                                                                   {10, 12, 12, true},
                                                                   {10, 12, 13, true},
                                                                   {10, 12, 999, true},
                                                                   {1, 1, 0, true}}) {
    Desk desk;
    desk.say(delta(first, last));
    const auto outcome = desk.say(snapshot(number));
    EXPECT_EQ(desk.sync.state() == BookState::synced, fits) << number;
    EXPECT_EQ(outcome.is_too_old, !fits) << number;
    EXPECT_EQ(desk.sync.wants_snapshot(), !fits) << number;
    EXPECT_EQ(desk.sync.sequence(), fits ? std::max(last, number) : 0) << number;
  }
}

TEST(BookSync, KeepsToTheRuleOfBinanceFutures) {
  struct Case {
    Number snapshot;
    bool fits;
  };
  // Numbers of futures have holes: 91 to 99 are other instruments'.
  for (const auto& [number, fits] : std::vector<Case>{
           {80, false}, {89, false}, {90, true}, {100, true}, {105, true}, {110, true}}) {
    Desk desk(BookRule::linked);
    desk.say(futures(90, 100, 110));
    desk.say(snapshot(number));
    EXPECT_EQ(desk.sync.state() == BookState::synced, fits) << number;
  }
  Desk desk(BookRule::linked);
  desk.say(futures(90, 100, 110));
  desk.say(snapshot(105));
  desk.tell();
  EXPECT_TRUE(desk.say(futures(110, 200, 220)).is_applied);
  EXPECT_THAT(desk.tell(), ElementsAre("top 220 100x220 101"));
  // Its numbers follow, but the update before was another one.
  EXPECT_EQ(desk.say(futures(221, 222, 230)).resync, Resync::gap);
  EXPECT_THAT(desk.tell(), ElementsAre("gap 220 | 221"));
}

TEST(BookSync, AsksForASnapshotAfterAGap) {
  Desk desk;
  desk.start(10);
  EXPECT_FALSE(desk.sync.stale_since());
  const auto outcome = desk.say(delta(12));
  EXPECT_EQ(outcome.resync, Resync::gap);
  EXPECT_FALSE(outcome.is_applied);
  EXPECT_THAT(desk.tell(), ElementsAre("gap 11 | 12"));
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  EXPECT_EQ(desk.sync.stale_since(), noon + 12ms);
  EXPECT_FALSE(desk.sync.ladder(5));
  EXPECT_TRUE(desk.sync.wants_snapshot());
  desk.say(delta(13));
  EXPECT_EQ(desk.sync.stale_since(), noon + 12ms);
  EXPECT_TRUE(desk.say(snapshot(10)).is_too_old);
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  EXPECT_TRUE(desk.say(snapshot(11)).is_applied);
  EXPECT_THAT(desk.tell(),
              ElementsAre("top 11 100x11 101", "top 12 100x12 101", "top 13 100x13 101"));
  EXPECT_FALSE(desk.sync.stale_since());
}

TEST(BookSync, SeesAGapAmongTheUpdatesKept) {
  Desk desk;
  desk.say(delta(10));
  desk.say(delta(11));
  desk.say(delta(14));
  EXPECT_THAT(desk.tell(), ElementsAre("gap 12 | 14"));
  desk.say(snapshot(11));  // 12 and 13 are in neither
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  desk.say(snapshot(13));
  EXPECT_EQ(desk.sync.sequence(), 14U);
}

TEST(BookSync, IgnoresWhatItHasAlready) {
  Desk desk;
  desk.say(delta(9));
  desk.say(delta(10));
  desk.say(delta(9));
  desk.say(delta(10));
  desk.say(snapshot(10));
  desk.tell();
  for (const Number old : {3U, 9U, 10U}) {
    const auto outcome = desk.say(delta(old));
    EXPECT_FALSE(outcome.is_applied);
    EXPECT_FALSE(outcome.resync);
  }
  EXPECT_THAT(desk.tell(), IsEmpty());
  // One that reaches back brings something new all the same.
  EXPECT_TRUE(desk.say(delta(8, 12)).is_applied);
  EXPECT_EQ(desk.sync.sequence(), 12U);
}

TEST(BookSync, IgnoresPartialSnapshotsAndVenuesWithoutARule) {
  Desk desk;
  desk.say(delta(10));
  auto partial = snapshot(10);
  partial.is_partial = true;
  EXPECT_FALSE(desk.say(partial).is_applied);
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  Desk none(BookRule::none);
  none.say(delta(10));
  none.say(snapshot(10));
  EXPECT_EQ(none.sync.state(), BookState::empty);
  EXPECT_FALSE(none.sync.wants_snapshot());
}

TEST(BookSync, TakesAnUpdateWithoutANumberForAGap) {
  Desk desk;
  desk.start(10);
  auto nameless = delta(11);
  nameless.first_sequence.reset();
  nameless.sequence.reset();
  EXPECT_EQ(desk.say(nameless).resync, Resync::gap);
  EXPECT_THAT(desk.tell(), ElementsAre("gap 11 | no number"));
  desk.say(nameless);
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  desk.say(delta(13));
  desk.say(snapshot(13));
  EXPECT_EQ(desk.sync.state(), BookState::synced);
}

TEST(BookSync, TrustsASnapshotOnlyOnceAnUpdateGoesOnFromIt) {
  Desk desk;
  desk.say(snapshot(10));
  EXPECT_EQ(desk.sync.state(), BookState::empty);
  EXPECT_FALSE(desk.sync.ladder(1));
  EXPECT_TRUE(desk.say(delta(11)).is_applied);
  EXPECT_THAT(desk.tell(), ElementsAre("top 10 100x10 101", "top 11 100x11 101"));
  Desk late;
  late.say(snapshot(10));
  EXPECT_TRUE(late.say(delta(12)).is_too_old);
  EXPECT_THAT(late.tell(), ElementsAre("gap 11 | 12"));
  EXPECT_TRUE(late.sync.wants_snapshot());
}

TEST(BookSync, IsOutOfStepWhenTheBookIsCrossed) {
  Desk desk;
  desk.start(10);
  EXPECT_EQ(desk.say(delta(11, {{decimal("101"), decimal("2")}}, {})).resync, Resync::crossed);
  EXPECT_THAT(desk.tell(), ElementsAre("gap bid below ask | bid 101, ask 101"));
  EXPECT_EQ(desk.sync.stale_since(), noon + 11ms);
  EXPECT_TRUE(desk.sync.wants_snapshot());
  desk.say(delta(12));
  // The update that crossed it is kept, as it is not to blame.
  desk.say(snapshot(10, {{decimal("100"), decimal("1")}}, {{decimal("102"), decimal("1")}}));
  EXPECT_EQ(desk.sync.sequence(), 12U);
  EXPECT_EQ(desk.sync.ladder(1)->bids.front().price, decimal("101"));
}

TEST(BookSync, RefusesASnapshotThatIsCrossedOrBecomesSo) {
  Desk desk;
  desk.say(delta(10));
  desk.say(snapshot(10, {{decimal("5"), decimal("1")}}, {{decimal("4"), decimal("1")}}));
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  EXPECT_THAT(desk.tell(), ElementsAre("gap bid below ask | bid 5, ask 4"));
  desk.say(delta(11, {{decimal("105"), decimal("1")}}, {}));
  EXPECT_EQ(desk.say(snapshot(10)).resync, Resync::crossed);
  // Nothing of it was told.
  EXPECT_THAT(desk.tell(), ElementsAre("gap bid below ask | bid 105, ask 101"));
  EXPECT_FALSE(desk.sync.ladder(1));
}

TEST(BookSync, StartsAnewAfterALostConnection) {
  Desk desk;
  desk.start(10);
  desk.sync.lost(noon + 5s);
  EXPECT_EQ(desk.sync.state(), BookState::empty);
  EXPECT_EQ(desk.sync.stale_since(), noon + 5s);
  EXPECT_FALSE(desk.sync.ladder(1));
  EXPECT_FALSE(desk.sync.wants_snapshot());
  // Numbers may even begin below those before.
  desk.say(delta(3));
  EXPECT_TRUE(desk.sync.wants_snapshot());
  desk.say(snapshot(3));
  EXPECT_EQ(desk.sync.sequence(), 3U);
  EXPECT_FALSE(desk.sync.stale_since());
  desk.sync.lost(std::nullopt);
  EXPECT_EQ(desk.sync.stale_since(), noon + 10ms);
}

TEST(BookSync, DoesNotTakeASnapshotOfBeforeTheLossForTheBook) {
  Desk desk;
  desk.say(delta(10));
  desk.sync.snapshot_asked();
  desk.sync.lost(noon);
  desk.say(snapshot(10));
  EXPECT_EQ(desk.sync.state(), BookState::empty);
  EXPECT_TRUE(desk.say(delta(20)).is_too_old);
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
}

TEST(BookSync, ForgetsASnapshotThatWaitedWhenTheConnectionIsLost) {
  Desk desk;
  desk.start(10);
  desk.say(snapshot(15));
  desk.sync.lost(noon);
  desk.say(delta(16));  // perhaps of numbers that began anew
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  EXPECT_TRUE(desk.sync.wants_snapshot());
}

TEST(BookSync, AsksLessOftenWhenSnapshotsNeverFit) {
  Desk desk;
  desk.say(delta(1000));
  std::vector<int> asked;
  int updates = 0;
  for (int round = 0; round < 12; ++round) {
    while (!desk.sync.wants_snapshot()) {
      desk.say(delta(1001 + static_cast<Number>(updates)));
      ++updates;
    }
    desk.sync.snapshot_asked();
    asked.push_back(updates);
    ASSERT_TRUE(desk.say(snapshot(5)).is_too_old);
  }
  EXPECT_THAT(asked, ElementsAre(0, 0, 1, 4, 11, 26, 57, 120, 247, 374, 501, 628));
}

TEST(BookSync, ARefusedRequestIsMadeAgain) {
  Desk desk;
  desk.say(delta(10));
  desk.sync.snapshot_asked();
  desk.sync.snapshot_refused();
  EXPECT_TRUE(desk.sync.wants_snapshot());
}

TEST(BookSync, LetsTheOldestUpdatesGoAtTheBound) {
  Desk desk(BookSyncOptions{.rule = BookRule::ranges, .max_buffered_levels = 20});
  for (Number number = 1; number <= 11; ++number) desk.say(delta(number));
  EXPECT_EQ(desk.sync.dropped_updates(), 4U);
  EXPECT_TRUE(desk.say(snapshot(2)).is_too_old);
  EXPECT_EQ(desk.sync.state(), BookState::buffering);
  desk.say(snapshot(4));
  EXPECT_EQ(desk.sync.sequence(), 11U);
  EXPECT_EQ(desk.sync.state(), BookState::synced);
}

TEST(BookSync, ComparesALaterSnapshotWithTheBookOfItsMoment) {
  // By when the snapshot was taken: before, between and after the updates that came meanwhile.
  for (const Number taken : {10U, 11U, 12U, 13U, 15U}) {
    for (const bool is_same : {true, false}) {
      Desk desk;
      desk.start(10);
      desk.sync.snapshot_asked();
      desk.say(delta(11));
      desk.say(delta(12, 13));
      desk.tell();
      auto check = snapshot(taken);
      if (!is_same) check.asks[3].size = decimal("7");
      auto outcome = desk.say(check);
      if (taken > 13) {
        EXPECT_FALSE(outcome.check);
        EXPECT_EQ(desk.sync.state(), BookState::synced);
        outcome = desk.say(delta(14, 16));
        EXPECT_EQ(desk.tell().front(), "top 16 100x16 101");
      }
      EXPECT_EQ(outcome.check, is_same) << taken;
      EXPECT_EQ(desk.sync.state() == BookState::synced, is_same);
      EXPECT_EQ(desk.sync.wants_snapshot(), !is_same);
      if (is_same) continue;
      EXPECT_EQ(outcome.resync, Resync::mismatch);
      EXPECT_EQ(desk.told.size() + (taken > 13 ? 1U : 0U), 1U);
    }
  }
}

TEST(BookSync, SaysHowASnapshotDiffers) {
  Desk desk;
  desk.start(10);
  auto check = snapshot(10);
  check.asks.front().size = decimal("0.5");
  EXPECT_EQ(desk.say(check).resync, Resync::mismatch);
  EXPECT_THAT(desk.tell(), ElementsAre("gap the book of snapshot 10 | ask 101: 1 and 0.5"));
  EXPECT_EQ(desk.sync.stale_since(), noon + 10ms);
}

TEST(BookSync, CannotCompareASnapshotOfBeforeItWasAsked) {
  Desk desk;
  desk.start(10);
  desk.say(delta(11));
  desk.sync.snapshot_asked();
  desk.say(delta(12));
  auto outcome = desk.say(snapshot(10));  // the venue's REST side lags
  EXPECT_TRUE(outcome.is_too_old);
  EXPECT_FALSE(outcome.check);
  EXPECT_EQ(desk.sync.state(), BookState::synced);
  // What was kept serves the next one.
  desk.say(delta(13));
  desk.sync.snapshot_asked();
  outcome = desk.say(snapshot(11));
  EXPECT_EQ(outcome.check, true);
}

TEST(BookSync, FindsASnapshotWithOlderLevelsThanItSaysByTheNextOne) {
  Desk desk;
  desk.say(delta(9));
  desk.say(delta(10));
  auto wrong = snapshot(10);
  wrong.bids[1].size = decimal("55");  // as it was long before
  desk.say(wrong);
  EXPECT_EQ(desk.sync.state(), BookState::synced);  // nothing can tell yet
  desk.sync.snapshot_asked();
  desk.say(delta(11));
  EXPECT_EQ(desk.say(snapshot(11)).resync, Resync::mismatch);
  EXPECT_TRUE(desk.sync.wants_snapshot());
  desk.say(snapshot(11));
  EXPECT_EQ(desk.sync.state(), BookState::synced);
  EXPECT_EQ(desk.sync.ladder(2)->bids[1].size, decimal("1"));
}

TEST(BookSync, WantsAFreshSnapshotBeforeTheOldOneIsUsedUp) {
  Desk desk;
  desk.start(10);
  Number number = 10;
  const auto remove_best_bid = [&] {
    ++number;
    desk.say(delta(number, {{desk.sync.book()->bids().best()->price, Decimal{}}}, {}));
  };
  for (int i = 0; i < 5; ++i) remove_best_bid();
  EXPECT_FALSE(desk.sync.wants_snapshot());
  remove_best_bid();
  EXPECT_EQ(desk.sync.state(), BookState::synced);
  EXPECT_TRUE(desk.sync.wants_snapshot());
  EXPECT_TRUE(desk.sync.ladder(20));
  desk.sync.snapshot_asked();
  auto fresh = snapshot(number);
  for (int i = 0; i < 6; ++i) fresh.bids.erase(fresh.bids.begin());
  for (int i = 0; i < 6; ++i) fresh.bids.push_back({Decimal{90 - i}, Decimal{1}});
  const auto outcome = desk.say(fresh);
  EXPECT_EQ(outcome.check, true);
  EXPECT_TRUE(outcome.is_applied);
  EXPECT_FALSE(desk.sync.wants_snapshot());
  EXPECT_EQ(desk.sync.ladder(20)->bids.size(), 10U);
}

TEST(BookSync, ShowsNoLadderBeyondWhatTheSnapshotShowed) {
  Desk desk;
  desk.say(delta(10));
  desk.say(snapshot(10, {{decimal("100"), decimal("1")}}, {{decimal("101"), decimal("1")}}));
  desk.say(delta(11, {{decimal("98"), decimal("2")}}, {}));
  ASSERT_TRUE(desk.sync.ladder(20));
  EXPECT_EQ(desk.sync.ladder(20)->bids.size(), 1U);
  EXPECT_EQ(desk.sync.ladder(20)->sequence, 11U);
  EXPECT_EQ(desk.sync.ladder(20)->origin.exchange_time, noon + 11ms);
  desk.tell();
  desk.say(delta(12, {{decimal("100"), decimal("0")}}, {}));
  // The stream has no hole, so its tops go on; whether 99 is empty nobody knows.
  EXPECT_EQ(desk.sync.state(), BookState::synced);
  EXPECT_THAT(desk.tell(), ElementsAre("top 12 98x2 101"));
  EXPECT_FALSE(desk.sync.ladder(20));
  EXPECT_EQ(desk.sync.stale_since(), noon + 12ms);
  const auto outcome =
      desk.say(snapshot(12, {{decimal("99"), decimal("3")}, {decimal("98"), decimal("2")}},
                        {{decimal("101"), decimal("1")}, {decimal("102"), decimal("1")}}));
  EXPECT_EQ(outcome.check, true);
  EXPECT_FALSE(desk.sync.stale_since());
  EXPECT_EQ(desk.sync.ladder(20)->bids.size(), 2U);
}

}  // namespace
}  // namespace candlewick::pipeline
