// Why a period did not come by its stream, and when the ledger is told.
#include "pipeline/tracked_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::closed_candle;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::KeptOutput;
using testing::ledger_of;
using testing::noon;
using testing::Said;

Time minute(int count) {
  return noon + count * 1min;
}

class TrackedSeriesTest : public ::testing::Test {
 protected:
  std::vector<Said> flush() {
    KeptOutput output;
    ledger.flush(noon, output);
    return ledger_of(output);
  }
  void close(int count) {
    series.candles.apply(closed_candle(minute(count)));
    series.note(ledger, {minute(count), minute(count + 1)}, CoverageState::live, {});
  }

  CoverageLedger ledger;
  TrackedSeries series{CandleSeries(bitcoin(), Timeframe::m1, 100)};
};

TEST_F(TrackedSeriesTest, WhatEndedBeforeItWasFollowedCameBeforeTheStart) {
  EXPECT_EQ(series.cause_at(noon), cause::before_start) << "the venue's clock is not known yet";
  series.followed_from = minute(10);
  EXPECT_EQ(series.cause_at(minute(9)), cause::before_start);
  EXPECT_EQ(series.cause_at(minute(10)), cause::frame_lost);
}

TEST_F(TrackedSeriesTest, WhatEndedSinceTheMemoryIsOfTheTimeWhenTheProcessWasDown) {
  series.remembered_until = minute(3);
  series.followed_from = minute(10);
  EXPECT_EQ(series.cause_at(minute(2)), cause::before_start);
  EXPECT_EQ(series.cause_at(minute(3)), cause::process_down);
  EXPECT_EQ(series.cause_at(minute(9)), cause::process_down);
  EXPECT_EQ(series.cause_at(minute(10)), cause::frame_lost);
}

TEST_F(TrackedSeriesTest, EveryPeriodThatAnInterruptionTouchesHasItsCause) {
  series.followed_from = noon;
  series.went_down(minute(3) + 20s, cause::disconnect);
  EXPECT_TRUE(series.is_down());
  EXPECT_EQ(series.cause_at(minute(2)), cause::frame_lost);
  EXPECT_EQ(series.cause_at(minute(3)), cause::disconnect);
  EXPECT_EQ(series.cause_at(minute(50)), cause::disconnect);
  series.came_back(minute(5) + 10s);
  EXPECT_FALSE(series.is_down());
  EXPECT_EQ(series.cause_at(minute(5)), cause::disconnect);
  EXPECT_EQ(series.cause_at(minute(6)), cause::frame_lost);
  series.went_down(minute(8), cause::silence);
  EXPECT_EQ(series.cause_at(minute(4)), cause::disconnect);
  EXPECT_EQ(series.cause_at(minute(8)), cause::silence);
}

TEST_F(TrackedSeriesTest, AnInterruptionThatTakesTheClosingFrameAwayCountsForThePeriodBefore) {
  series.followed_from = noon;
  series.went_down(minute(3) + 4s, cause::disconnect);
  EXPECT_EQ(series.cause_at(minute(2)), cause::disconnect);
  EXPECT_EQ(series.cause_at(minute(1)), cause::frame_lost);
}

TEST_F(TrackedSeriesTest, ASilenceBeginsWithTheNewestFrameNotWithItsDiscovery) {
  series.followed_from = noon;
  series.newest_frame = minute(2) + 30s;
  series.went_down(minute(4) + 30s, cause::silence);
  EXPECT_EQ(series.cause_at(minute(1)), cause::frame_lost);
  EXPECT_EQ(series.cause_at(minute(2)), cause::silence);
  EXPECT_EQ(series.cause_at(minute(4)), cause::silence);
}

TEST_F(TrackedSeriesTest, WhileItIsDownTheFirstCauseStands) {
  series.followed_from = noon;
  series.went_down(minute(3), cause::silence);
  series.went_down(minute(4), cause::disconnect);
  series.came_back(minute(5));
  series.came_back(minute(9));
  EXPECT_EQ(series.cause_at(minute(4)), cause::silence);
  EXPECT_EQ(series.cause_at(minute(6)), cause::frame_lost);
}

TEST_F(TrackedSeriesTest, OfManyInterruptionsTheNewestAreKept) {
  series.followed_from = noon;
  for (int i = 0; i < 300; ++i) {
    series.went_down(minute(2 * i) + 20s, cause::disconnect);
    series.came_back(minute(2 * i) + 30s);
  }
  EXPECT_EQ(series.cause_at(minute(2 * 299)), cause::disconnect);
  EXPECT_EQ(series.cause_at(minute(2 * 44)), cause::disconnect);
  EXPECT_EQ(series.cause_at(minute(2 * 43)), cause::frame_lost);
}

TEST_F(TrackedSeriesTest, TellsTheLedgerOnlyNews) {
  series.followed_from = noon;
  close(0);
  EXPECT_THAT(flush(), ElementsAre(Said{noon, minute(1), "live", ""}));
  close(0);
  series.note(ledger, {noon, minute(1)}, CoverageState::confirmed_empty, "an answer");
  EXPECT_THAT(flush(), IsEmpty());
  series.note(ledger, {noon, minute(3)}, CoverageState::confirmed_empty, "an answer",
              cause::no_trades);
  EXPECT_THAT(flush(), ElementsAre(Said{minute(1), minute(3), "confirmed_empty", "no_trades"}));
}

TEST_F(TrackedSeriesTest, SplitsASpanWhereTheCauseChanges) {
  series.followed_from = minute(2);
  series.went_down(minute(3) + 30s, cause::silence);
  series.came_back(minute(4) + 30s);
  series.note(ledger, {noon, minute(6)}, CoverageState::missing, {});
  EXPECT_THAT(flush(), ElementsAre(Said{noon, minute(2), "missing", "before_start"},
                                   Said{minute(2), minute(3), "missing", "frame_lost"},
                                   Said{minute(3), minute(5), "missing", "silence"},
                                   Said{minute(5), minute(6), "missing", "frame_lost"}));
}

TEST_F(TrackedSeriesTest, WhatIsWantedOverAndNotThereIsMissingAndThatIsSaidOnce) {
  series.followed_from = noon;
  series.note_missing(ledger, minute(5));
  EXPECT_THAT(flush(), IsEmpty()) << "nothing is wanted";
  series.candles.want_from(noon);
  close(1);
  series.note(ledger, {minute(2), minute(3)}, CoverageState::halted, "an answer", cause::listing);
  flush();
  series.note_missing(ledger, minute(4) + 30s);
  EXPECT_THAT(flush(), ElementsAre(Said{noon, minute(1), "missing", "frame_lost"},
                                   Said{minute(3), minute(4), "missing", "frame_lost"}));
  series.note_missing(ledger, minute(4) + 30s);
  EXPECT_THAT(flush(), IsEmpty());
  // Unless the candle is gone.
  series.candles.forget(minute(1));
  series.note_missing(ledger, minute(4) + 30s);
  EXPECT_THAT(flush(), ElementsAre(Said{minute(1), minute(2), "missing", "frame_lost"}));
}

TEST_F(TrackedSeriesTest, KnowsWhatTheStreamSaidLastOfAPeriod) {
  Candle candle = closed_candle(noon);
  candle.is_closed = false;
  candle.volume = Decimal{1};
  series.told(candle);
  EXPECT_FALSE(series.was_told(closed_candle(noon)));
  series.told(closed_candle(noon));
  EXPECT_TRUE(series.was_told(closed_candle(noon)));
  EXPECT_FALSE(series.was_told(closed_candle(minute(1))));
  for (int count = 1; count < 20; ++count) series.told(closed_candle(minute(count)));
  EXPECT_FALSE(series.was_told(closed_candle(noon))) << "only the newest are kept";
}

}  // namespace
}  // namespace candlewick::pipeline
