// Which trades become rows, and what is said of minutes in which some were missed.
#include "pipeline/kept_trades.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using exchange::TradeIds;
using testing::bitcoin;
using testing::decimal;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::noon;

Trade trade(std::uint64_t id, Time time = noon) {
  return {.origin = {.instrument = &bitcoin(), .exchange_time = time},
          .id = id,
          .price = decimal("100"),
          .size = decimal("1")};
}

Time second(std::uint64_t count) {
  return noon + std::chrono::seconds{count};
}

TEST(KeptTrades, AreTakenOnceWhereIdsFollowOneAnother) {
  KeptTrades kept(TradeIds::consecutive);
  EXPECT_TRUE(kept.take(trade(5), false));
  EXPECT_TRUE(kept.take(trade(6), false));
  EXPECT_FALSE(kept.take(trade(6), true));
  EXPECT_FALSE(kept.take(trade(5), true));
  EXPECT_FALSE(kept.take(trade(4), true)) << "before the first one nothing is missed";
  EXPECT_FALSE(kept.wanted(noon));
  EXPECT_THAT(kept.take_changes(), IsEmpty());
}

TEST(KeptTrades, AreAskedForByTheIdsThatWereLeftOut) {
  KeptTrades kept(TradeIds::consecutive);
  kept.take(trade(5, second(0)), false);
  kept.take(trade(6, second(61)), false);
  EXPECT_TRUE(kept.take(trade(10, second(130)), false));
  EXPECT_THAT(kept.take_changes(), ElementsAre(Span{noon + 1min, noon + 3min}));
  EXPECT_EQ(kept.word_of(noon + 2min).state, CoverageState::missing);
  EXPECT_EQ(kept.word_of(noon + 2min).cause, cause::sequence_gap);
  EXPECT_EQ(kept.word_of(noon + 3min).state, CoverageState::unknown);
  auto want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->from_id, 7U);
  EXPECT_EQ(want->start, second(61));
  kept.asked(*want);
  EXPECT_FALSE(kept.wanted(noon)) << "one question at a time";
  EXPECT_FALSE(kept.take_missing(trade(6)));
  EXPECT_TRUE(kept.take_missing(trade(7, second(70))));
  EXPECT_FALSE(kept.take_missing(trade(7, second(70))));
  EXPECT_FALSE(kept.take_missing(trade(11))) << "the stream will tell";
  kept.answered(noon);
  want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->from_id, 8U);
  EXPECT_EQ(want->start, second(70));
  EXPECT_THAT(kept.take_changes(), IsEmpty());
  EXPECT_TRUE(kept.take_missing(trade(9)));
  EXPECT_TRUE(kept.take(trade(8), true)) << "late, by the stream";
  EXPECT_THAT(kept.take_changes(), ElementsAre(Span{noon + 1min, noon + 3min}));
  EXPECT_EQ(kept.word_of(noon + 1min).state, CoverageState::backfilled);
  EXPECT_FALSE(kept.wanted(noon));
}

TEST(KeptTrades, AreWholeAfterAnInterruptionThatLeftNoneOut) {
  KeptTrades kept(TradeIds::consecutive);
  kept.interrupted(cause::silence);
  EXPECT_FALSE(kept.is_interrupted()) << "nothing came before it";
  kept.take(trade(5, second(0)), false);
  kept.take(trade(6, second(61)), false);
  kept.interrupted(cause::disconnect);
  kept.interrupted(cause::silence);
  EXPECT_TRUE(kept.is_interrupted());
  kept.take(trade(7, second(125)), false);
  EXPECT_FALSE(kept.is_interrupted());
  EXPECT_FALSE(kept.wanted(noon));
  EXPECT_EQ(kept.word_of(noon + 1min).state, CoverageState::backfilled);
  EXPECT_EQ(kept.word_of(noon + 1min).cause, cause::disconnect) << "the first one";
}

TEST(KeptTrades, AreMissedFromWhatTheWarehouseHasOn) {
  KeptTrades kept(TradeIds::consecutive);
  kept.remember(5, noon - 1h);
  EXPECT_TRUE(kept.take(trade(8, noon), false));
  EXPECT_EQ(kept.word_of(noon - 1h).state, CoverageState::missing);
  EXPECT_EQ(kept.word_of(noon).cause, cause::process_down);
  const auto want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->from_id, 6U);
}

TEST(KeptTrades, ProveNothingOfMinutesBeforeTheyBegan) {
  KeptTrades kept(TradeIds::consecutive);
  EXPECT_FALSE(kept.has_begun());
  kept.prove_from(noon + 1min);
  kept.take(trade(5, second(30)), false);
  EXPECT_TRUE(kept.has_begun());
  kept.interrupted(cause::disconnect);
  kept.take(trade(6, second(70)), false);
  EXPECT_EQ(kept.word_of(noon).state, CoverageState::unknown);
  EXPECT_EQ(kept.word_of(noon + 1min).state, CoverageState::backfilled);
}

TEST(KeptTrades, AreGivenUpWhenTheVenueRefusesOrHasThemNot) {
  KeptTrades kept(TradeIds::consecutive);
  kept.take(trade(5, second(0)), false);
  kept.take(trade(6, second(60)), false);
  kept.take(trade(9, second(61)), false);
  kept.take_changes();
  auto want = kept.wanted(noon);
  ASSERT_TRUE(want);
  kept.asked(*want);
  kept.refused("HTTP 403");
  EXPECT_EQ(kept.word_of(noon + 1min).state, CoverageState::unrecoverable);
  EXPECT_EQ(kept.word_of(noon + 1min).evidence, "HTTP 403");
  EXPECT_THAT(kept.take_changes(), ElementsAre(Span{noon + 1min, noon + 2min}));
  kept.take(trade(11, second(121)), false);
  std::vector<Time> questions;
  for (Time now = second(130); now < second(330); now += 1s) {
    want = kept.wanted(now);
    if (!want) continue;
    questions.push_back(now);
    kept.asked(*want);
    kept.answered(now);
    EXPECT_FALSE(kept.wanted(now)) << "not at once";
  }
  EXPECT_THAT(questions,
              ElementsAre(second(130), second(132), second(136), second(144), second(160)));
  EXPECT_EQ(kept.word_of(noon + 2min).state, CoverageState::unrecoverable);
  EXPECT_TRUE(kept.take(trade(10), true)) << "better late than never";
  EXPECT_EQ(kept.word_of(noon + 2min).state, CoverageState::backfilled);
  EXPECT_EQ(kept.word_of(noon + 1min).state, CoverageState::unrecoverable);
}

TEST(KeptTrades, AreAskedForFromTheTradeBeforeEachHole) {
  KeptTrades kept(TradeIds::consecutive);
  kept.remember(
      5000, second(600),
      {{.span = {noon, noon + 5min}, .ids = {{11, 13, second(1)}, {3001, 3003, second(240)}}}});
  auto want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->start, second(1));
  kept.asked(*want);
  for (std::uint64_t id = 11; id < 1011; ++id) kept.take_missing(trade(id, second(2)));
  kept.answered(noon);
  want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->from_id, 3001U);
  EXPECT_EQ(want->start, second(240)) << "what lies between is known";
  EXPECT_TRUE(kept.take_missing(trade(3002, second(242))));
  want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->start, second(240)) << "3001 is not before its neighbour's time";
  EXPECT_TRUE(kept.take_missing(trade(3001, second(241))));
  EXPECT_EQ(kept.word_of(noon).state, CoverageState::backfilled);
}

TEST(KeptTrades, AreAskedForFromTheNewestThatCameInTheMidstOfThem) {
  KeptTrades kept(TradeIds::consecutive);
  kept.take(trade(5, second(0)), false);
  kept.take(trade(100, second(95)), false);
  EXPECT_TRUE(kept.take_missing(trade(50, second(45))));
  for (std::uint64_t id = 6; id < 50; ++id) EXPECT_TRUE(kept.take_missing(trade(id, second(10))));
  const auto want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->from_id, 51U);
  EXPECT_EQ(want->start, second(45));
}

// While a question is under way the stream may tell what it was about.
TEST(KeptTrades, AreNotGivenUpByAnAnswerAboutOthers) {
  KeptTrades kept(TradeIds::consecutive);
  kept.take(trade(5, second(0)), false);
  kept.take(trade(7, second(61)), false);
  kept.take(trade(9, second(121)), false);
  const auto want = kept.wanted(noon);
  ASSERT_TRUE(want);
  EXPECT_EQ(want->from_id, 6U);
  kept.asked(*want);
  EXPECT_TRUE(kept.take(trade(6, second(1)), true));
  kept.refused("HTTP 403");
  EXPECT_EQ(kept.word_of(noon).state, CoverageState::backfilled);
  EXPECT_EQ(kept.word_of(noon + 2min).state, CoverageState::missing);
  const auto next = kept.wanted(noon);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->from_id, 8U);
}

TEST(KeptTrades, AreNotWaitedForAfterAnAnswerAboutOthers) {
  KeptTrades kept(TradeIds::consecutive);
  kept.take(trade(5, second(0)), false);
  kept.take(trade(7, second(61)), false);
  kept.take(trade(9, second(121)), false);
  const auto want = kept.wanted(noon);
  ASSERT_TRUE(want);
  kept.asked(*want);
  EXPECT_TRUE(kept.take_missing(trade(6, second(1))));
  kept.answered(noon);
  auto next = kept.wanted(noon);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->from_id, 8U);
  kept.asked(*next);
  kept.answered(noon);
  EXPECT_FALSE(kept.wanted(noon + 1s));
  kept.lost("9", second(121));
  next = kept.wanted(noon + 1s);
  ASSERT_TRUE(next) << "the others need not wait with it";
  EXPECT_EQ(next->from_id, 9U);
}

TEST(KeptTrades, AreNotAskedForByTheMillion) {
  KeptTrades kept(TradeIds::consecutive);
  kept.remember(5, noon - 24h);
  kept.take(trade(10 + KeptTrades::most_missing, noon), false);
  EXPECT_FALSE(kept.wanted(noon));
  EXPECT_EQ(kept.word_of(noon - 1h).state, CoverageState::unrecoverable);
  EXPECT_FALSE(kept.take(trade(7), true));
}

TEST(KeptTrades, AreMissingAgainWhenTheirRowsWereLost) {
  KeptTrades kept(TradeIds::consecutive);
  kept.remember(1, noon - 1s);
  for (std::uint64_t id = 2; id < 10; ++id) kept.take(trade(id, second(id)), false);
  kept.take_changes();
  EXPECT_FALSE(kept.lost("a4", noon));
  EXPECT_FALSE(kept.lost("10", noon)) << "never taken";
  for (const auto* id : {"4", "5", "6"}) EXPECT_TRUE(kept.lost(id, second(4)));
  EXPECT_EQ(kept.word_of(noon).state, CoverageState::missing);
  EXPECT_EQ(kept.word_of(noon).cause, cause::ingest_paused);
  ASSERT_TRUE(kept.wanted(noon));
  EXPECT_EQ(kept.wanted(noon)->from_id, 4U);
  for (std::uint64_t id = 4; id < 7; ++id) EXPECT_TRUE(kept.take_missing(trade(id)));
  EXPECT_FALSE(kept.wanted(noon));
  EXPECT_EQ(kept.word_of(noon).state, CoverageState::backfilled);
}

TEST(KeptTrades, AreTakenUnlessJustSeenWhereIdsProveNothing) {
  KeptTrades kept(TradeIds::ascending);
  EXPECT_TRUE(kept.take(trade(50), false));
  EXPECT_TRUE(kept.take(trade(90), false));
  EXPECT_FALSE(kept.take(trade(50), true));
  EXPECT_TRUE(kept.take(trade(70), true)) << "late";
  EXPECT_FALSE(kept.take(trade(70), true));
  EXPECT_FALSE(kept.wanted(noon));
  EXPECT_FALSE(kept.lost("50", noon)) << "there is no asking for it";
  Trade named = trade(0);
  named.text_id = "6085c09769bc506996295e36";
  EXPECT_TRUE(kept.take(named, true));
  EXPECT_TRUE(kept.take(named, true)) << "the warehouse has its key";
}

// Whatever is dropped, doubled or reordered on the way: nothing twice, and with what the venue
// answers nothing is missing from the first trade to the last.
RC_GTEST_PROP(KeptTradesProperties, EachIsTakenOnceAndNoneIsMissing, ()) {
  const auto count = *rc::gen::inRange<std::uint64_t>(2, 60);
  std::vector<std::uint64_t> told;
  for (std::uint64_t id = 1; id <= count; ++id) {
    const auto copies = id == 1 || id == count ? 1 : *rc::gen::inRange(0, 3);
    for (int i = 0; i < copies; ++i) told.push_back(id);
  }
  // Some come late, but for the first and the last.
  for (std::size_t i = 1; i + 2 < told.size(); ++i) {
    if (*rc::gen::arbitrary<bool>()) std::swap(told[i], told[i + 1]);
  }
  KeptTrades kept(TradeIds::consecutive);
  std::vector<std::uint64_t> taken;
  std::uint64_t newest = 0;
  for (const auto id : told) {
    if (*rc::gen::inRange(0, 8) == 0) kept.interrupted(cause::disconnect);
    if (kept.take(trade(id, second(id)), id <= newest)) taken.push_back(id);
    newest = std::max(newest, id);
    if (const auto want = kept.wanted(noon); want && *rc::gen::arbitrary<bool>()) {
      kept.asked(*want);
      const auto most = *rc::gen::inRange<std::uint64_t>(1, 5);
      for (auto at = want->from_id; at < want->from_id + most && at <= count; ++at) {
        if (kept.take_missing(trade(at, second(at)))) taken.push_back(at);
      }
      kept.answered(noon);
    }
  }
  while (const auto want = kept.wanted(noon)) {
    kept.asked(*want);
    RC_ASSERT(kept.take_missing(trade(want->from_id, second(want->from_id))));
    taken.push_back(want->from_id);
    kept.answered(noon);
  }
  std::ranges::sort(taken);
  std::vector<std::uint64_t> all(count);
  std::iota(all.begin(), all.end(), 1);
  RC_ASSERT(taken == all);
}

TEST(MadeTradeIds, AreTheSameWhenATradeIsToldAgain) {
  MadeTradeIds ids;
  const Trade one = trade(0, second(1));
  Trade other = one;
  other.price = decimal("101");
  ids.begin_frame();
  EXPECT_EQ(ids.make(one, second(1)), "@1714564801000000-100-1-buy-0");
  EXPECT_EQ(ids.make(one, second(1)), "@1714564801000000-100-1-buy-1") << "two alike in one frame";
  EXPECT_EQ(ids.make(other, second(1)), "@1714564801000000-101-1-buy-0");
  ids.begin_frame();
  EXPECT_EQ(ids.make(one, second(1)), "@1714564801000000-100-1-buy-0");
}

TEST(VenueTradeIds, AreAsTheVenueWritesThem) {
  EXPECT_EQ(venue_trade_id(trade(7)), "7");
  EXPECT_EQ(venue_trade_id(trade(0)), "");
  Trade named = trade(0);
  named.text_id = "100523573486102542049163";
  EXPECT_EQ(venue_trade_id(named), "100523573486102542049163");
}

}  // namespace
}  // namespace candlewick::pipeline
