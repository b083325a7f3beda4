// When holes are asked for, and what an answer proves. A venue's answers are made by hand.
#include "pipeline/backfill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using exchange::QuietPeriods;
using testing::Asked;
using testing::bitcoin;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::KeptOutput;
using testing::ledger_of;
using testing::noon;
using testing::rest_candle;
using testing::Said;
using testing::said_of;
using ::testing::SizeIs;

Time minute(int count) {
  return noon + count * 1min;
}

class BackfillTest : public ::testing::Test, public Backfill::Listener {
 protected:
  void start(BackfillOptions options = {}) {
    backfill.emplace(options, ledger, *this);
    backfill->connect([this](const exchange::RestQuery& query,
                             feed::Priority priority) -> std::optional<feed::RequestId> {
      if (!has_requests) return std::nullopt;
      asked.push_back({next_request, query, priority});
      return next_request++;
    });
  }
  // Wanted and followed from that minute on.
  TrackedSeries& add(int from, bool is_history_read = true,
                     const Instrument& instrument = bitcoin()) {
    auto& made = *all.emplace_back(
        std::make_unique<TrackedSeries>(CandleSeries(instrument, Timeframe::m1, 3000)));
    made.candles.want_from(minute(from));
    made.followed_from = minute(from);
    made.was_complete = is_history_read;
    backfill->add(made);
    return made;
  }
  void plan(Time now) {
    backfill->plan(now);
    flush(now);
  }
  void flush(Time now) { ledger.flush(now, output); }
  // Rows that open so many minutes after noon.
  void reply(const std::vector<int>& minutes, Time now) {
    Events events;
    for (const int count : minutes) events.emplace_back(rest_candle(minute(count), now));
    const Asked request = asked.back();
    ASSERT_TRUE(backfill->on_reply(request.id, events, now));
    flush(now);
  }
  // When it asks next.
  std::optional<Duration> pause_after(Time now) {
    const auto before = asked.size();
    for (Duration pause{}; pause < 20min; pause += 1s) {
      plan(now + pause);
      if (asked.size() > before) return pause;
    }
    return std::nullopt;
  }
  std::string evidence() const {
    return std::get<std::string>(output.of(schema::coverage).back().at("evidence"));
  }

  void on_quiet(TrackedSeries& /*series*/, Span span) override { quiet.push_back(span); }
  void on_filled(TrackedSeries& series, const Candle& candle) override {
    filled.push_back(candle);
    series.candles.apply(candle);
  }
  void on_complete(TrackedSeries& series) override { completed.push_back(&series); }

  CoverageLedger ledger;
  KeptOutput output;
  std::vector<std::unique_ptr<TrackedSeries>> all;
  std::optional<Backfill> backfill;
  std::vector<Asked> asked;
  std::vector<Candle> filled;
  std::vector<TrackedSeries*> completed;
  std::vector<Span> quiet;
  feed::RequestId next_request = 1;
  bool has_requests = true;
};

TEST_F(BackfillTest, AsksForAHoleOnceItsGraceIsOver) {
  start();
  add(0);
  plan(minute(1) + 4s);
  EXPECT_THAT(asked, IsEmpty());
  EXPECT_THAT(ledger_of(output), IsEmpty());
  plan(minute(1) + 5s);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].query.kind, exchange::RestKind::candles);
  EXPECT_EQ(asked[0].query.instrument, &bitcoin());
  EXPECT_EQ(asked[0].query.start, noon);
  EXPECT_EQ(asked[0].priority, feed::Priority::live);
  EXPECT_THAT(ledger_of(output), ElementsAre(Said{noon, minute(1), "missing", "frame_lost"}));
  plan(minute(2) + 5s);
  EXPECT_THAT(asked, SizeIs(1)) << "one answer at a time for a series";
}

TEST_F(BackfillTest, ReadsTheOldestHistoryFirstAndLeavesRoomForWhatIsLive) {
  start({.history_requests = 2});
  add(-100, false);
  add(-300, false);
  add(-200, false);
  add(-5);
  plan(noon);
  ASSERT_THAT(asked, SizeIs(3));
  EXPECT_EQ(asked[0].query.start, minute(-5));
  EXPECT_EQ(asked[0].priority, feed::Priority::live);
  EXPECT_EQ(asked[1].query.start, minute(-300));
  EXPECT_EQ(asked[2].query.start, minute(-200));
  EXPECT_EQ(asked[2].priority, feed::Priority::history);
  plan(noon + 1s);
  EXPECT_THAT(asked, SizeIs(3));
  // An answer, or a refusal, makes room for the next.
  EXPECT_TRUE(
      backfill->on_refused(asked[1].id, {.kind = ErrorKind::rejected, .message = "no"}, noon + 1s));
  plan(noon + 2s);
  ASSERT_THAT(asked, SizeIs(4));
  EXPECT_EQ(asked[3].query.start, minute(-100));
}

TEST_F(BackfillTest, FillsWithWhatIsFinalAndSaysWhatWasAnswered) {
  start();
  auto& series = add(0, false);
  plan(minute(3) + 10s);
  reply({0, 1, 2, 3}, minute(3) + 11s);
  ASSERT_THAT(filled, SizeIs(3));
  EXPECT_TRUE(filled[0].is_closed);
  EXPECT_THAT(said_of(output, noon), ElementsAre("missing frame_lost", "backfilled frame_lost"));
  EXPECT_THAT(ledger_of(output), SizeIs(2)) << "three candles of one answer are one span";
  EXPECT_THAT(evidence(),
              ::testing::AllOf(HasSubstr("from 2024-05-01T12:00:00Z"), HasSubstr("4 rows"),
                               HasSubstr("to 2024-05-01T12:03:00Z"),
                               HasSubstr("received 2024-05-01T12:03:11Z")));
  EXPECT_THAT(completed, IsEmpty());
  plan(minute(3) + 12s);
  EXPECT_THAT(completed, ElementsAre(&series));
  plan(minute(3) + 13s);
  EXPECT_THAT(completed, SizeIs(1));
}

TEST_F(BackfillTest, AsksForTheNextPageAtOnce) {
  start();
  add(-2000, false);
  plan(noon);
  EXPECT_EQ(asked.back().query.start, minute(-2000));
  std::vector<int> page(1000);
  for (int i = 0; i < 1000; ++i) page[static_cast<std::size_t>(i)] = i - 2000;
  reply(page, noon);
  EXPECT_EQ(pause_after(noon), 0s);
  EXPECT_EQ(asked.back().query.start, minute(-1000));
}

TEST_F(BackfillTest, AsksLessAndLessOftenWhileTheOnlyRowIsNotFinal) {
  start();
  add(0);
  plan(minute(1) + 5s);
  Time now = minute(1) + 5s;
  for (const auto pause : {5s, 10s, 20s, 40s}) {
    // A venue whose history hangs: its row is of an hour, the clock of a minute.
    Events events{rest_candle(noon, now)};
    ASSERT_TRUE(backfill->on_reply(asked.back().id, events, minute(2)));
    EXPECT_THAT(filled, IsEmpty());
    EXPECT_EQ(pause_after(minute(2)), pause);
  }
  reply({0, 1}, minute(3));
  EXPECT_THAT(filled, SizeIs(1));
  EXPECT_EQ(pause_after(minute(3)), 0s) << "something new came";
}

TEST_F(BackfillTest, AnEmptyAnswerIsNoProofAndIsAskedAgain) {
  start();
  auto& recent = add(0, false);
  plan(minute(1) + 5s);
  reply({}, minute(1) + 5s);
  EXPECT_THAT(completed, ElementsAre(&recent));
  EXPECT_EQ(pause_after(minute(1) + 5s), 5s) << "REST may lag behind";
  reply({}, minute(10));
  EXPECT_EQ(pause_after(minute(10)), 60s);
  EXPECT_THAT(said_of(output, noon), ElementsAre("missing frame_lost"));
}

TEST_F(BackfillTest, ARefusalLetsTheRestGoOnAndIsTriedAgainAfterAWhile) {
  start();
  auto& series = add(0, false);
  plan(minute(1) + 5s);
  EXPECT_TRUE(backfill->on_refused(
      asked[0].id, {.kind = ErrorKind::rejected, .message = "no such symbol"}, minute(2)));
  EXPECT_THAT(completed, ElementsAre(&series));
  EXPECT_EQ(pause_after(minute(2)), 10min);
  EXPECT_EQ(asked.back().priority, feed::Priority::live);
  EXPECT_THAT(said_of(output, noon), ElementsAre("missing frame_lost"));
}

TEST_F(BackfillTest, WithoutAHistoryNothingCanBeHad) {
  start();
  has_requests = false;
  auto& series = add(0, false);
  plan(minute(2) + 5s);
  EXPECT_THAT(ledger_of(output),
              ElementsAre(Said{noon, minute(2), "missing", "frame_lost"},
                          Said{noon, minute(2), "unrecoverable", "out_of_reach"}));
  EXPECT_THAT(completed, ElementsAre(&series));
  plan(minute(2) + 6s);
  EXPECT_THAT(ledger_of(output), SizeIs(2));
}

TEST_F(BackfillTest, WhatTheVenueServesNoMoreIsNotAskedFor) {
  start({.history_candles = 30});
  add(-100, false);
  plan(noon + 5s);
  EXPECT_THAT(said_of(output, minute(-31)),
              ElementsAre("missing frame_lost", "unrecoverable out_of_reach"));
  EXPECT_THAT(said_of(output, minute(-30)), ElementsAre("missing frame_lost"));
  EXPECT_THAT(evidence(), HasSubstr("its last 30 candles"));
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].query.start, minute(-30));
}

TEST_F(BackfillTest, NobodyToAskLeavesItMissing) {
  backfill.emplace(BackfillOptions{.history_candles = 1}, ledger, *this);
  add(0);
  plan(minute(9) + 5s);
  EXPECT_THAT(ledger_of(output), ElementsAre(Said{noon, minute(9), "missing", "frame_lost"}));
}

TEST_F(BackfillTest, WhereQuietPeriodsHaveNoRowOneAnswerSuffices) {
  start({.quiet_periods = QuietPeriods::omitted});
  auto& series = add(0);
  plan(minute(6) + 5s);
  reply({2, 5}, minute(6) + 5s);
  EXPECT_THAT(said_of(output, noon),
              ElementsAre("missing frame_lost", "confirmed_empty no_trades"));
  EXPECT_THAT(said_of(output, minute(4)).back(), "confirmed_empty no_trades");
  EXPECT_THAT(said_of(output, minute(2)).back(), "backfilled frame_lost");
  // Nothing came after it that would prove it.
  EXPECT_THAT(said_of(output, minute(5)), ElementsAre("missing frame_lost"));
  EXPECT_THAT(series.candles.holes(minute(6)), ElementsAre(Span{minute(5), minute(6)}));
}

TEST_F(BackfillTest, WhereQuietPeriodsHaveARowASecondAnswerHasToSayTheSame) {
  start({.quiet_periods = QuietPeriods::zero_rows});
  add(0);
  plan(minute(6) + 5s);
  reply({0, 3, 4, 5, 6}, minute(6) + 5s);
  EXPECT_THAT(said_of(output, minute(1)), ElementsAre("missing frame_lost"));
  EXPECT_EQ(pause_after(minute(6) + 5s), 5s) << "two answers of one moment are one";
  EXPECT_EQ(asked.back().query.start, minute(1));
  // The second one has one of them.
  reply({2, 3, 4, 5, 6}, minute(6) + 10s);
  EXPECT_THAT(said_of(output, minute(1)),
              ElementsAre("missing frame_lost", "confirmed_empty exchange_outage"));
  EXPECT_THAT(said_of(output, minute(2)),
              ElementsAre("missing frame_lost", "backfilled frame_lost"));
}

TEST_F(BackfillTest, ARowThatOnlyTheSecondAnswerHasLeavesNoDoubtBehind) {
  start();
  add(-2000, false);
  plan(noon);
  std::vector<int> page;
  for (int i = -2000; i < -1000; ++i) {
    if (i != -1500) page.push_back(i);
  }
  reply(page, noon);
  EXPECT_EQ(pause_after(noon), 5s);
  EXPECT_EQ(asked.back().query.start, minute(-1500));
  page = {};
  for (int i = -1500; i < -500; ++i) page.push_back(i);
  reply(page, noon + 5s);
  EXPECT_EQ(pause_after(noon + 5s), 0s);
  // Nor does it count as a first answer when the candle is lost later on.
  auto& series = *all[0];
  series.candles.forget(minute(-1500));
  page = {-1501};
  for (int i = -1499; i < -600; ++i) page.push_back(i);
  reply(page, noon + 10s);
  EXPECT_EQ(series.candles.state_at(minute(-1500)), CoverageState::unknown);
}

TEST_F(BackfillTest, BeforeTheFirstCandleEverItWasNotListed) {
  start();
  auto& series = add(-500, false);
  plan(noon + 5s);
  std::vector<int> rows;
  for (int i = -20; i <= 0; ++i) {
    if (i != -10) rows.push_back(i);
  }
  reply(rows, noon + 5s);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[1].query.start, Time{});
  EXPECT_EQ(asked[1].query.limit, 1);
  EXPECT_THAT(said_of(output, minute(-21)), ElementsAre("missing frame_lost"));
  reply({-20}, noon + 6s);
  EXPECT_EQ(series.first_ever, minute(-20));
  EXPECT_EQ(pause_after(noon + 6s), 4s);
  EXPECT_EQ(asked.back().query.start, minute(-500));
  reply(rows, noon + 10s);
  for (const int before : {-500, -300, -21}) {
    EXPECT_THAT(said_of(output, minute(before)),
                ElementsAre("missing frame_lost", "not_listed listing"))
        << before;
  }
  // Later ones are the venue's outage.
  EXPECT_THAT(said_of(output, minute(-10)).back(), "confirmed_empty exchange_outage");
  plan(noon + 20s);
  EXPECT_THAT(series.candles.holes(noon), IsEmpty());
}

TEST_F(BackfillTest, BeforeTheVenuesListHasItItWasNotListed) {
  start({.first_candle = exchange::FirstCandle::not_told});
  Instrument young = bitcoin();
  young.listed_at = minute(-20) + 20s;
  auto& series = add(-100, false, young);
  plan(noon + 5s);
  std::vector<int> rows;
  for (int i = -18; i <= 0; ++i) rows.push_back(i);
  reply(rows, noon + 5s);
  EXPECT_THAT(asked, SizeIs(1)) << "no request tells the first candle";
  EXPECT_EQ(pause_after(noon + 5s), 5s);
  reply(rows, noon + 10s);
  EXPECT_THAT(said_of(output, minute(-21)).back(), "not_listed listing");
  EXPECT_THAT(said_of(output, minute(-20)).back(), "confirmed_empty frame_lost")
      << "it may have been traded later only";
  EXPECT_THAT(series.candles.holes(noon), IsEmpty());
}

TEST_F(BackfillTest, AnOutageIsNotClaimedOfWhatMayBeBeforeTheListing) {
  for (const bool is_limited : {false, true}) {
    output = {};
    all.clear();
    start(
        {.first_candle = is_limited ? exchange::FirstCandle::told : exchange::FirstCandle::not_told,
         .history_candles = is_limited ? 500 : 0});
    asked.clear();
    add(-100, false);
    plan(noon + 5s);
    std::vector<int> rows;
    for (int i = -20; i <= 0; ++i) rows.push_back(i);
    reply(rows, noon + 5s);
    ASSERT_THAT(asked, SizeIs(1)) << "the first one that it serves is not the first ever";
    EXPECT_EQ(pause_after(noon + 5s), 5s);
    reply(rows, noon + 10s);
    EXPECT_THAT(said_of(output, minute(-21)).back(), "confirmed_empty frame_lost");
    EXPECT_THAT(evidence(), HasSubstr("none is known before it"));
  }
}

TEST_F(BackfillTest, WhatIsMissingAfterTheFirstCandleIsNoQuestionOfListing) {
  start();
  add(0);
  plan(minute(6) + 5s);
  reply({0, 3, 4, 5, 6}, minute(6) + 5s);
  plan(minute(6) + 10s);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[1].query.start, minute(1));
}

// A venue that answers for so many periods only: what follows is in another answer.
TEST_F(BackfillTest, AnEmptyRangeBeforeAStoredCandleTakesTwoAnswers) {
  start({.max_candles = 10, .replies_are_bounded = true});
  TrackedSeries& series = add(0, false);
  const Time now = minute(60);
  plan(now);
  reply({}, now);
  EXPECT_THAT(completed, SizeIs(1)) << "nothing is known of the instrument";
  series.candles.apply([&] {
    Candle candle = rest_candle(minute(59), now);
    candle.is_closed = candle.closed_is_known = true;
    return candle;
  }());
  EXPECT_EQ(pause_after(now), 60s);
  reply({}, now + 60s);
  EXPECT_EQ(pause_after(now + 60s), 5s);
  EXPECT_EQ(asked.back().query.start, noon);
  reply({}, now + 65s);
  EXPECT_THAT(ledger_of(output),
              ::testing::Contains(Said{noon, minute(10), "confirmed_empty", "frame_lost"}))
      << "it may have been listed later only";
  EXPECT_EQ(pause_after(now + 65s), 5s);
  EXPECT_EQ(asked.back().query.start, minute(10)) << "the next range";
  reply({10, 11}, now + 70s);
  EXPECT_THAT(filled, SizeIs(2));
  plan(now + 75s);
  EXPECT_EQ(asked.back().query.start, minute(12));
  reply({}, now + 75s);
  EXPECT_EQ(pause_after(now + 75s), 5s);
  reply({}, now + 80s);
  EXPECT_THAT(said_of(output, minute(12)).back(), "confirmed_empty exchange_outage");
}

TEST_F(BackfillTest, AnEmptyAnswerOfAVenueThatAnswersFromARowOnStaysNoProof) {
  start({.max_candles = 10});
  TrackedSeries& series = add(0);
  const Time now = minute(60);
  Candle candle = rest_candle(minute(59), now);
  candle.is_closed = candle.closed_is_known = true;
  series.candles.apply(candle);
  plan(now);
  for (int i = 0; i < 3; ++i) {
    reply({}, now + i * 60s);
    plan(now + i * 60s + 60s);
  }
  for (const auto& said : ledger_of(output)) EXPECT_EQ(said.state, "missing");
}

TEST_F(BackfillTest, TheEndOfAHaltedInstrumentIsHalted) {
  start();
  auto& series = add(0);
  plan(minute(10));
  reply({0, 1, 2}, minute(10));
  EXPECT_THAT(said_of(output, minute(3)), ElementsAre("missing frame_lost"))
      << "nothing says why the rows end";
  series.listing = ListingStatus::halted;
  ASSERT_TRUE(pause_after(minute(10)));
  reply({}, minute(10) + 30s);
  EXPECT_THAT(said_of(output, minute(3)), ElementsAre("missing frame_lost", "halted listing"));
  EXPECT_THAT(said_of(output, minute(7)).back(), "halted listing");
  EXPECT_THAT(said_of(output, minute(8)).back(), "missing frame_lost") << "REST may lag behind";
  EXPECT_THAT(evidence(), HasSubstr("listed as halted; REST candles from"));
  // It trades again, and its rows are there.
  series.listing = ListingStatus::trading;
  ASSERT_TRUE(pause_after(minute(12)));
  EXPECT_EQ(asked.back().query.start, minute(8));
  reply({8, 9, 10, 11, 12}, minute(12) + 30s);
  EXPECT_THAT(said_of(output, minute(8)).back(), "backfilled frame_lost");
}

TEST_F(BackfillTest, TheEndOfADelistedInstrumentIsNotListed) {
  start();
  auto& series = add(0);
  series.listing = ListingStatus::delisted;
  plan(minute(10));
  reply({0, 1, 2}, minute(10));
  EXPECT_THAT(said_of(output, minute(2)).back(), "backfilled frame_lost");
  EXPECT_THAT(said_of(output, minute(3)), ElementsAre("missing frame_lost", "not_listed listing"));
  EXPECT_THAT(series.candles.holes(minute(8)), IsEmpty());
}

TEST_F(BackfillTest, AnAnswerToSomebodyElseIsNotForIt) {
  start();
  add(0);
  plan(minute(1) + 5s);
  EXPECT_FALSE(backfill->on_reply(99, {rest_candle(noon, noon)}, minute(2)));
  EXPECT_FALSE(backfill->on_refused(99, {.kind = ErrorKind::rejected, .message = ""}, minute(2)));
  EXPECT_THAT(filled, IsEmpty());
}

TEST_F(BackfillTest, WhatTheStreamToldAndAnAnswerConfirmsIsLive) {
  start({.confirms_stream = true});
  auto& series = add(0);
  Candle told = testing::true_candle(noon);
  series.told(told);
  told = testing::true_candle(minute(1));
  told.volume = Decimal{1};
  series.told(told);
  plan(minute(2) + 5s);
  reply({0, 1, 2}, minute(2) + 6s);
  EXPECT_THAT(said_of(output, noon), ElementsAre("missing frame_lost", "live"));
  EXPECT_THAT(said_of(output, minute(1)),
              ElementsAre("missing frame_lost", "backfilled frame_lost"));
}

TEST_F(BackfillTest, WithoutRowsForQuietPeriodsTheyAreEmptyBetweenRows) {
  start({.quiet_periods = QuietPeriods::omitted});
  add(0);
  plan(minute(4) + 5s);
  reply({0, 3, 4}, minute(4) + 6s);
  EXPECT_THAT(said_of(output, minute(1)),
              ElementsAre("missing frame_lost", "confirmed_empty no_trades"));
  EXPECT_THAT(quiet, ElementsAre(Span{minute(1), minute(3)}));
}

TEST_F(BackfillTest, AQuietEndTakesTwoAnswersAWhileApart) {
  start({.quiet_periods = QuietPeriods::omitted});
  add(0);
  plan(minute(6));
  reply({0}, minute(6));
  EXPECT_THAT(quiet, IsEmpty());
  const auto pause = pause_after(minute(6) + 1s);
  ASSERT_TRUE(pause);
  reply({}, minute(6) + 1s + *pause);
  ASSERT_THAT(quiet, SizeIs(1));
  EXPECT_EQ(quiet[0].from, minute(1));
  EXPECT_LE(quiet[0].to + 2min, minute(6) + 1s + *pause) << "what may still come is not judged";
}

TEST_F(BackfillTest, BehindTheReachOfAnAnswerNothingIsQuiet) {
  start({.quiet_periods = QuietPeriods::omitted, .max_candles = 10});
  add(0);
  plan(minute(60));
  reply({0, 4}, minute(60));
  const auto pause = pause_after(minute(60) + 1s);
  ASSERT_TRUE(pause);
  EXPECT_EQ(asked.back().query.start, minute(5));
  reply({}, minute(60) + 1s + *pause);
  ASSERT_THAT(quiet, SizeIs(2));
  EXPECT_EQ(quiet[1], (Span{minute(5), minute(10)})) << "twice said: no more than both reached";
}

TEST_F(BackfillTest, WhatAnAnswerDoesNotReachIsGivenUpAndTheRestGoesOn) {
  start({.quiet_periods = QuietPeriods::omitted});
  auto& series = add(0);
  const Time now = minute(9) + 5s;
  plan(now);
  Events events;
  for (const int count : {4, 6, 7, 8}) events.emplace_back(rest_candle(minute(count), now));
  events.emplace_back(Gap{.origin = {&bitcoin(), {}, now}, .stream = Stream::candles});
  ASSERT_TRUE(backfill->on_reply(asked.back().id, events, now));
  flush(now);
  EXPECT_EQ(said_of(output, minute(3)).back(), "unrecoverable out_of_reach");
  EXPECT_EQ(said_of(output, minute(5)).back(), "confirmed_empty no_trades");
  EXPECT_THAT(evidence(), HasSubstr("received"));
  EXPECT_EQ(series.candles.holes(now).front().from, minute(8));
}

}  // namespace
}  // namespace candlewick::pipeline
