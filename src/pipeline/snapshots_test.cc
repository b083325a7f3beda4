// Rows of scheduled instants: limits, lateness and revisions. What a live pipeline makes of them is
// in venue_pipeline_test.cc and venue_history_test.cc.
#include "pipeline/snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::closed_candle;
using testing::decimal;
using testing::decimal_at;
using ::testing::ElementsAre;
using testing::integer_at;
using ::testing::IsEmpty;
using testing::KeptOutput;
using testing::noon;
using ::testing::SizeIs;
using testing::time_at;
using testing::times;
using testing::true_candle;

Time minute(int count) {
  return noon + count * 1min;
}

indicator::Bar bar_of(const Candle& candle) {
  return {candle.open_time, candle.open,   candle.high,        candle.low,
          candle.close,     candle.volume, candle.quote_volume};
}

class SnapshotsTest : public ::testing::Test {
 protected:
  void start(SnapshotOptions options = {}) {
    snapshots.emplace(bitcoin(), options, board.add(bitcoin()), output);
  }
  void close(int count) {
    minutes.apply(closed_candle(minute(count)));
    series.apply(bar_of(true_candle(minute(count))));
  }
  Snapshots::Sources sources(Time now) const {
    return {.minutes = minutes, .indicators = series, .now = now, .stamp = now};
  }
  std::vector<schema::Row> ticks() const { return output.of(schema::market_ticks); }
  std::vector<schema::Row> indicators() const { return output.of(schema::technical_indicators); }

  LatestBoard board;
  KeptOutput output;
  CandleSeries minutes{bitcoin(), Timeframe::m1, 5000};
  indicator::Series series{1min};
  std::optional<Snapshots> snapshots;
};

TEST_F(SnapshotsTest, AMinuteThatIsProvenEmptyIsNotWaitedFor) {
  start();
  close(0);
  minutes.note({minute(1), minute(2)}, CoverageState::missing);
  snapshots->freeze(minute(2), {.last_price = decimal("5")}, minute(2));
  snapshots->write(sources(minute(2) + 1s));
  EXPECT_THAT(ticks(), IsEmpty());
  minutes.note({minute(1), minute(2)}, CoverageState::confirmed_empty);
  snapshots->write(sources(minute(2) + 1s));
  ASSERT_THAT(ticks(), SizeIs(1));
  EXPECT_EQ(time_at(ticks()[0], "candle_time"), noon);
}

TEST_F(SnapshotsTest, OnlyACandleThatEndedAtTheInstantHasItsLastPrice) {
  start({.interval = 30s});
  close(0);
  snapshots->freeze(minute(1), {.last_price = decimal("5")}, minute(1));
  snapshots->freeze(minute(1) + 30s, {.last_price = decimal("6")}, minute(1) + 30s);
  snapshots->write(sources(minute(1) + 31s));
  ASSERT_THAT(ticks(), SizeIs(2));
  EXPECT_EQ(decimal_at(ticks()[0], "last_price"), true_candle(noon).close);
  EXPECT_EQ(decimal_at(ticks()[1], "last_price"), decimal("6"));
  // One that was not there in time is not the price of the instant either.
  snapshots->freeze(minute(2), {.last_price = decimal("7")}, minute(2));
  snapshots->write(sources(minute(2) + 10s));
  ASSERT_THAT(ticks(), SizeIs(3));
  EXPECT_EQ(decimal_at(ticks()[2], "last_price"), decimal("7"));
  EXPECT_EQ(time_at(ticks()[2], "candle_time"), noon);
}

TEST_F(SnapshotsTest, BeforeTheFirstCandleARowShowsWhatIsLive) {
  start();
  snapshots->freeze(minute(1), {.last_price = decimal("5")}, minute(1));
  snapshots->write(sources(minute(1) + 10s));
  ASSERT_THAT(ticks(), SizeIs(1));
  EXPECT_EQ(decimal_at(ticks()[0], "last_price"), decimal("5"));
  EXPECT_TRUE(schema::is_null(ticks()[0].at("candle_time")));
  EXPECT_THAT(indicators(), IsEmpty());
}

TEST_F(SnapshotsTest, NothingIsWrittenBeforeHistoryIsReadUnlessItIsTheEnd) {
  start();
  close(0);
  snapshots->freeze(minute(1), {}, minute(1));
  auto waiting = sources(minute(30));
  waiting.is_history_complete = false;
  snapshots->write(waiting);
  EXPECT_THAT(output.rows, IsEmpty());
  waiting.is_the_end = true;
  snapshots->write(waiting);
  EXPECT_THAT(ticks(), SizeIs(1));
}

TEST_F(SnapshotsTest, AnInstantIsWrittenOnce) {
  start();
  close(0);
  for (int i = 0; i < 3; ++i) {
    snapshots->freeze(minute(1), {}, minute(1));
    snapshots->write(sources(minute(2)));
  }
  snapshots->freeze(noon, {}, minute(2));
  snapshots->write(sources(minute(3)));
  EXPECT_THAT(times(ticks(), "exchange_ts"), ElementsAre(minute(1)));
}

TEST_F(SnapshotsTest, OfManyThatWaitTheOldestGo) {
  start({.made_up_for = 10min});
  for (int i = 1; i <= 40; ++i) snapshots->freeze(minute(i), {}, minute(40));
  snapshots->write(sources(minute(41)));
  const auto written = times(ticks(), "exchange_ts");
  ASSERT_THAT(written, SizeIs(26));
  EXPECT_EQ(written.front(), minute(15));
  EXPECT_EQ(written.back(), minute(40));
}

TEST_F(SnapshotsTest, TheStateOfTheIndicatorsIsWrittenOnceWithTheLastOfSeveralRows) {
  start();
  for (int i = 0; i < 5; ++i) close(i);
  for (int i = 1; i <= 5; ++i) snapshots->freeze(minute(i), {}, minute(5));
  snapshots->write(sources(minute(5) + 1s));
  EXPECT_THAT(indicators(), SizeIs(5));
  const auto states = output.of(schema::indicator_checkpoint);
  ASSERT_THAT(states, SizeIs(1));
  EXPECT_EQ(time_at(states[0], "candle_time"), minute(4));
  EXPECT_EQ(std::get<std::string>(states[0].at("state")), series.checkpoint());
}

TEST_F(SnapshotsTest, TheLadderIsAsDeepAsConfigured) {
  start({.ladder_levels = 2});
  close(0);
  Snapshots::Live live;
  for (int i = 0; i < 5; ++i) {
    live.bids.push_back({Decimal{100 - i}, Decimal{1}});
    live.asks.push_back({Decimal{103 + i}, Decimal{2}});
  }
  snapshots->freeze(minute(1), std::move(live), minute(1));
  snapshots->write(sources(minute(1)));
  ASSERT_THAT(ticks(), SizeIs(1));
  EXPECT_EQ(std::get<schema::Json>(ticks()[0].at("bid_depth")).text, R"([["100","1"],["99","1"]])");
  EXPECT_EQ(std::get<schema::Json>(ticks()[0].at("ask_depth")).text,
            R"([["103","2"],["104","2"]])");
  EXPECT_EQ(decimal_at(ticks()[0], "bid_ask_spread"), decimal("3"));
}

class SnapshotRevisions : public SnapshotsTest {
 protected:
  // So many minutes, each with its rows.
  void run(int count) {
    for (int i = 0; i < count; ++i) {
      close(i);
      snapshots->freeze(minute(i + 1), {}, minute(i + 1));
      snapshots->write(sources(minute(i + 1) + 1s));
    }
  }
  indicator::Applied correct(int count, std::string_view price) {
    Candle candle = true_candle(minute(count));
    candle.close = decimal(price);
    return series.apply(bar_of(candle));
  }
  std::vector<schema::Row> revised(const indicator::Applied& applied) {
    output.rows.clear();
    snapshots->revise(applied, series, minute(100));
    return output.rows;
  }
};

TEST_F(SnapshotRevisions, CountUpRowByRow) {
  start();
  run(5);
  const auto first = revised(correct(3, "111"));
  EXPECT_THAT(times(first, "exchange_ts"), ElementsAre(minute(4), minute(5)));
  EXPECT_EQ(integer_at(first[0], "revision"), 1);
  EXPECT_EQ(time_at(first[0], "created_at"), minute(100));
  const auto second = revised(correct(4, "112"));
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(integer_at(second[0], "revision"), 2);
  // Nothing that a row shows has changed.
  EXPECT_THAT(revised(correct(4, "112")), IsEmpty());
}

TEST_F(SnapshotRevisions, ABarThatNoRowShowsYetRevisesNone) {
  start();
  run(5);
  close(5);
  EXPECT_THAT(revised(series.apply(bar_of(true_candle(minute(6))))), IsEmpty());
  EXPECT_THAT(revised(correct(6, "111")), IsEmpty());
}

TEST_F(SnapshotRevisions, ReachAsFarBackAsTheHorizon) {
  start({.correction_horizon = 10});
  run(40);
  const auto rows = revised(correct(20, "111"));
  EXPECT_EQ(times(rows, "candle_time").front(), minute(29));
  EXPECT_EQ(times(rows, "candle_time").back(), minute(39));
}

TEST_F(SnapshotRevisions, GoOnFromTheStoredOnesAfterARestart) {
  start();
  run(5);
  auto stored = indicators();
  const auto tick = ticks().back();
  const auto newer = revised(correct(4, "111"));
  ASSERT_THAT(newer, SizeIs(1));
  stored.back() = newer[0];
  // Another process, the same bars.
  start();
  snapshots->remember(tick, std::nullopt, stored, series);
  const auto rows = revised(correct(3, "112"));
  EXPECT_THAT(times(rows, "exchange_ts"), ElementsAre(minute(4), minute(5)));
  EXPECT_EQ(integer_at(rows[0], "revision"), 1);
  EXPECT_EQ(integer_at(rows[1], "revision"), 2);
  // The remembered instants are not written again; those since are.
  output.rows.clear();
  snapshots->resume(minute(7) + 30s);
  snapshots->write(sources(minute(8)));
  EXPECT_THAT(times(ticks(), "exchange_ts"), ElementsAre(minute(6), minute(7)));
}

}  // namespace
}  // namespace candlewick::pipeline
