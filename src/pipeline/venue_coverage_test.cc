// What the ledger says about the minutes of a venue's streams, whatever became of them: no minute
// that was not live is left out, and none is called quiet without proof.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "pipeline/testing.h"
#include "pipeline/venue_pipeline.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using exchange::Channel;
using exchange::ChannelKind;
using testing::bitcoin;
using testing::closed_candle;
using testing::decimal;
using testing::decimal_at;
using ::testing::ElementsAre;
using testing::forming_candle;
using testing::integer_at;
using ::testing::IsEmpty;
using testing::ledger_of;
using testing::Line;
using testing::newest_of;
using testing::noon;
using testing::Said;
using testing::said_of;
using ::testing::SizeIs;
using testing::time_at;

const std::vector<Channel> candle_channel{{.kind = ChannelKind::candles, .instrument = &bitcoin()}};

Time minute(int count) {
  return noon + count * 1min;
}

PipelineOptions of_an_hour() {
  return {.history = 1h};
}

TEST(VenueCoverage, AMinuteThatCameByTheStreamIsLive) {
  Line line(of_an_hour());
  line.start();
  line.live(noon, minute(3));
  EXPECT_THAT(ledger_of(line.output),
              ElementsAre(Said{noon - 1h, noon, "missing", "before_start"},
                          Said{noon - 1h, noon, "backfilled", "before_start"},
                          Said{noon, minute(1), "live", ""}, Said{minute(1), minute(2), "live", ""},
                          Said{minute(2), minute(3), "live", ""}));
  const auto rows = line.output.of(schema::coverage);
  EXPECT_TRUE(schema::is_null(rows[0].at("evidence")));
  EXPECT_FALSE(schema::is_null(rows[1].at("evidence")));
}

TEST(VenueCoverage, AMinuteLostOnAConnectedStreamIsMissingThenBackfilled) {
  Line line(of_an_hour());
  line.start();
  line.live(noon, minute(2));
  line.clock(minute(3) + 5s);
  EXPECT_THAT(said_of(line.output, minute(2)), ElementsAre("missing frame_lost"));
  line.answer_all();
  EXPECT_THAT(said_of(line.output, minute(2)),
              ElementsAre("missing frame_lost", "backfilled frame_lost"));
  // The stream's own frame comes after all and changes nothing.
  line.say(closed_candle(minute(2), minute(3) + 20s));
  EXPECT_THAT(said_of(line.output, minute(2)), SizeIs(2));
}

TEST(VenueCoverage, AMinuteThatClosesInTimeWasNeverMissing) {
  Line line(of_an_hour());
  line.start();
  line.clock(minute(1) + 4s);
  line.say(closed_candle(noon, minute(1) + 4s + 10ms));
  EXPECT_THAT(said_of(line.output, noon), ElementsAre("live"));
}

TEST(VenueCoverage, AnInterruptionNamesItsCause) {
  Line line(of_an_hour());
  line->on_live(candle_channel);
  line.start();
  line.live(noon, minute(2));
  line->on_down(candle_channel, "connection reset by peer");
  line.clock(minute(4) + 10s);
  line->on_live(candle_channel);
  line.answer_all();
  // 12:04 is live: its closing frame came.
  line.live(minute(4), minute(6));
  line.say(forming_candle(minute(6), minute(6) + 20s));
  line.clock(minute(7) + 20s);
  line->on_down(candle_channel, "silence: no frame for longer than the limit");
  line.clock(minute(9) + 10s);
  line.answer_all();
  EXPECT_THAT(
      newest_of(line, noon, minute(9)),
      ElementsAre("live", "live", "backfilled disconnect", "backfilled disconnect", "live", "live",
                  "backfilled silence", "backfilled silence", "backfilled silence"));
}

// What a warehouse would give back of that run: of each minute the newest word.
Memory memory_of(const Line& line) {
  Memory memory;
  for (const auto& row : line.facts())
    memory.candles.push_back(closed_candle(time_at(row, "timestamp")));
  std::ranges::sort(memory.candles, {}, &Candle::open_time);
  std::map<Time, std::string> newest;
  for (const auto& said : ledger_of(line.output)) {
    for (Time open = said.from; open < said.to; open += 1min) newest[open] = said.state;
  }
  for (const auto& [open, state] : newest)
    memory.coverage.push_back({{open, open + 1min}, *parse_coverage_state(state)});
  for (const auto& row : line.output.of(schema::coverage))
    memory.coverage_sequence = std::max(memory.coverage_sequence, integer_at(row, "seq"));
  memory.tick = line.ticks().back();
  return memory;
}

TEST(VenueCoverage, TheMinutesOfARestartAreOfTheTimeWhenTheProcessWasDown) {
  Line first(of_an_hour());
  first.start();
  first.live(noon, minute(3));
  const Memory memory = memory_of(first);
  Line second(of_an_hour());
  ASSERT_TRUE(second->remember(bitcoin(), Timeframe::m1, memory));
  second.clock(minute(6) + 20s);
  EXPECT_THAT(ledger_of(second.output),
              ElementsAre(Said{minute(3), minute(6), "missing", "process_down"}));
  second.answer_all();
  second.live(minute(6), minute(7));
  EXPECT_THAT(ledger_of(second.output),
              ElementsAre(Said{minute(3), minute(6), "missing", "process_down"},
                          Said{minute(3), minute(6), "backfilled", "process_down"},
                          Said{minute(6), minute(7), "live", ""}));
  for (const auto& row : second.output.of(schema::coverage))
    EXPECT_GT(integer_at(row, "seq"), memory.coverage_sequence);
}

TEST(VenueCoverage, StoredCandlesThatNobodySpokeOfAreSpokenOfAtTheStart) {
  Line first(of_an_hour());
  first.start();
  first.live(noon, minute(2));
  Memory memory = memory_of(first);
  memory.coverage.clear();
  for (auto& candle : memory.candles) {
    if (candle.open_time < noon) candle.source = Source::rest;
  }
  Line second(of_an_hour());
  ASSERT_TRUE(second->remember(bitcoin(), Timeframe::m1, std::move(memory)));
  second.clock(minute(2) + 1s);
  EXPECT_THAT(ledger_of(second.output),
              ElementsAre(Said{noon - 1h, noon, "backfilled", "before_start"},
                          Said{noon, minute(2), "live", ""}));
}

TEST(VenueCoverage, WhatWasConfirmedEmptyIsNotAskedForAgain) {
  Line first(of_an_hour());
  first.has_no_row = [](Time open) { return open >= minute(-20) && open < minute(-10); };
  first.start();
  first.clock(noon + 40s);
  first.answer_all();
  first.live(noon, minute(1));
  ASSERT_THAT(said_of(first.output, minute(-15)),
              ElementsAre("missing before_start", "confirmed_empty exchange_outage"));
  Line second({.history = 1h, .audit = {.is_on = false}});
  ASSERT_TRUE(second->remember(bitcoin(), Timeframe::m1, memory_of(first)));
  second.clock(minute(1) + 1s);
  EXPECT_THAT(second.all_asked, IsEmpty());
  EXPECT_THAT(ledger_of(second.output), IsEmpty());
  EXPECT_TRUE(second->is_ready(bitcoin()));
}

TEST(VenueCoverage, WhatWasMissingIsAskedForAgainAfterARestart) {
  Line first(of_an_hour());
  first.has_no_row = [](Time open) { return open == minute(-10); };
  first.start();
  first.live(noon, minute(1));
  Memory memory = memory_of(first);
  memory.coverage.clear();
  memory.coverage.push_back({{noon - 1h, minute(1)}, CoverageState::live});
  memory.coverage.push_back({{minute(-10), minute(-9)}, CoverageState::missing});
  Line second(of_an_hour());
  ASSERT_TRUE(second->remember(bitcoin(), Timeframe::m1, std::move(memory)));
  second.clock(minute(1) + 1s);
  ASSERT_THAT(second.asked, SizeIs(1));
  EXPECT_EQ(second.asked[0].query.start, minute(-10));
  second.answer_all();
  EXPECT_THAT(said_of(second.output, minute(-10)).back(), "backfilled before_start");
}

class Listed : public ::testing::Test {
 protected:
  Listed() { line.start(); }
  void list(ListingStatus status) {
    mine.status = status;
    line.say(Listing{.origin = {&mine, std::nullopt, line.now + 1s}});
  }
  // The stream ends, and nobody answers yet.
  void wait() {
    line.has_no_row = [](Time open) { return open >= noon; };
    line.clock(minute(10));
  }

  Instrument mine = bitcoin();
  Line line{of_an_hour(), true, mine};
};

TEST_F(Listed, AHaltIsHaltedOnlyOnceTheVenuesHistoryHasNothingEither) {
  list(ListingStatus::trading);
  list(ListingStatus::halted);
  wait();
  EXPECT_THAT(said_of(line.output, minute(5)), ElementsAre("missing frame_lost"));
  line.answer_all();
  EXPECT_THAT(newest_of(line, noon, minute(8)), ::testing::Each("halted listing"));
  EXPECT_THAT(said_of(line.output, minute(8)).back(), "missing frame_lost");
  // Trading goes on, and so do its minutes.
  list(ListingStatus::trading);
  line.has_no_row = [](Time open) { return open < minute(11); };
  line.clock(minute(12));
  line.answer_all();
  line.clock(minute(14));
  line.answer_all();
  EXPECT_THAT(said_of(line.output, minute(11)).back(), "backfilled frame_lost");
}

TEST_F(Listed, AHaltThatTheHistoryContradictsIsNoHalt) {
  list(ListingStatus::halted);
  line.clock(minute(10) + 6s);
  line.answer_all();
  EXPECT_THAT(newest_of(line, noon, minute(10)), ::testing::Each("backfilled frame_lost"));
}

TEST_F(Listed, WithoutRowsAndWithoutAWordOfAHaltItStaysMissing) {
  list(ListingStatus::trading);
  wait();
  line.answer_all();
  EXPECT_THAT(newest_of(line, noon, minute(9)), ::testing::Each("missing frame_lost"));
}

TEST_F(Listed, AnInstrumentThatVanishesFromTheListIsNotListed) {
  list(ListingStatus::trading);
  wait();
  const auto candles = std::exchange(line.asked, {});
  line->refresh_listings();
  ASSERT_THAT(line.asked, SizeIs(1));
  ASSERT_EQ(line.asked[0].query.kind, exchange::RestKind::instruments);
  const Instrument ether{.exchange = "binance", .symbol = "ETH/USDT", .exchange_symbol = "ETHUSDT"};
  const Events listing{Listing{.origin = {&ether, std::nullopt, minute(10)}}};
  line->on_reply(std::exchange(line.asked, {})[0].id, listing);
  EXPECT_THAT(said_of(line.output, minute(5)), ElementsAre("missing frame_lost"));
  EXPECT_EQ(line.output.of(schema::instruments).back().at("status"), schema::Value{"delisted"});
  for (const auto& request : candles) line.answer(request);
  EXPECT_THAT(newest_of(line, noon, minute(8)), ::testing::Each("not_listed listing"));
}

TEST(VenueCoverage, WhatTheVenueServesNoMoreIsUnrecoverable) {
  Line line({.history = 1h, .backfill = {.history_candles = 30}});
  line.start();
  EXPECT_THAT(newest_of(line, noon - 1h, minute(-30)),
              ::testing::Each("unrecoverable out_of_reach"));
  EXPECT_THAT(newest_of(line, minute(-30), noon), ::testing::Each("backfilled before_start"));
  EXPECT_TRUE(line->is_ready(bitcoin()));
}

TEST(VenueCoverage, WithoutAHistoryWhatTheStreamDidNotBringIsUnrecoverable) {
  Line line(of_an_hour());
  line.has_requests = false;
  line.start();
  line.live(noon, minute(1));
  line.live(minute(2), minute(3));
  EXPECT_THAT(newest_of(line, noon - 1h, noon), ::testing::Each("unrecoverable out_of_reach"));
  EXPECT_THAT(newest_of(line, noon, minute(3)),
              ElementsAre("live", "unrecoverable out_of_reach", "live"));
}

TEST(VenueCoverage, AMinuteWithoutTradesIsEmptyAtOnceWhereItsRowIsLeftOut) {
  Line line({.history = 1h, .backfill = {.quiet_periods = exchange::QuietPeriods::omitted}});
  line.has_no_row = [](Time open) {
    return open < noon && open.time_since_epoch() / 1min % 2 == 0;
  };
  line.start();
  EXPECT_THAT(said_of(line.output, minute(-10)),
              ElementsAre("missing before_start", "confirmed_empty no_trades"));
  EXPECT_THAT(said_of(line.output, minute(-9)).back(), "backfilled before_start");
  EXPECT_EQ(line->missing_candles(), 0U);
  EXPECT_TRUE(line->is_ready(bitcoin()));
}

TEST(VenueCoverage, BeforeItsFirstCandleAnInstrumentWasNotListed) {
  Line line(of_an_hour());
  line.first_candle = minute(-20);
  line.start();
  line.clock(noon + 40s);
  line.answer_all();
  EXPECT_THAT(newest_of(line, noon - 1h, minute(-20)), ::testing::Each("not_listed listing"));
  EXPECT_THAT(newest_of(line, minute(-20), noon), ::testing::Each("backfilled before_start"));
  EXPECT_EQ(line->missing_candles(), 0U);
}

TEST(VenueAudit, ACorrectionIsARevisionAMismatchAndRevisedIndicators) {
  Line line({.history = 3h, .audit = {.ages = {10min}, .batch = 5}});
  line.start();
  line.live(noon, minute(3));
  Candle wrong = closed_candle(minute(3));
  wrong.close = decimal("100.5");
  line.say(wrong);
  line.now = minute(4) + 50ms;
  line.answer_all();
  line.live(minute(4), minute(13));
  ASSERT_EQ(line->statistics().audit.different, 0U);
  line.live(minute(13), minute(20));
  const auto mismatches = line.output.of(schema::verification_mismatch);
  ASSERT_THAT(mismatches, SizeIs(1));
  EXPECT_EQ(time_at(mismatches[0], "timestamp"), minute(3));
  EXPECT_EQ(mismatches[0].at("columns"), schema::Value{"close"});
  EXPECT_EQ(mismatches[0].at("action"), schema::Value{"revised"});
  std::vector<schema::Row> facts;
  for (const auto& row : line.facts()) {
    if (time_at(row, "timestamp") == minute(3)) facts.push_back(row);
  }
  ASSERT_THAT(facts, SizeIs(2));
  EXPECT_EQ(integer_at(facts[1], "revision"), 1);
  EXPECT_EQ(facts[1].at("source"), schema::Value{"rest"});
  EXPECT_EQ(decimal_at(facts[1], "close"), testing::true_candle(minute(3)).close);
  EXPECT_THAT(said_of(line.output, minute(3)), ElementsAre("live")) << "it came by the stream";
  std::vector<schema::Row> revised;
  for (const auto& row : line.indicators()) {
    if (integer_at(row, "revision") > 0) revised.push_back(row);
  }
  ASSERT_FALSE(revised.empty());
  EXPECT_EQ(time_at(revised.front(), "candle_time"), minute(3));
  // They are those of a run in which it came right.
  Line right({.history = 3h, .audit = {.is_on = false}});
  right.start();
  right.live(noon, minute(20));
  for (const auto& row : revised) {
    const auto wanted = right.indicators();
    const auto same = std::ranges::find_if(wanted, [&](const schema::Row& other) {
      return other.at("exchange_ts") == row.at("exchange_ts");
    });
    ASSERT_NE(same, wanted.end());
    for (const auto& column : schema::technical_indicators.columns) {
      if (column.name == "created_at" || column.name == "revision") continue;
      EXPECT_EQ(row.at(column.name), same->at(column.name)) << column.name;
    }
  }
  EXPECT_EQ(line->statistics().corrections, 1U);
  EXPECT_EQ(line->statistics().audit.different, 1U);
}

Trade trade(std::uint64_t id, Time time, std::string_view price) {
  return {.origin = {.instrument = &bitcoin(), .exchange_time = time, .received_time = time + 5ms},
          .id = id,
          .first_id = id,
          .last_id = id,
          .price = decimal(price),
          .size = decimal("1")};
}

TEST(VenueAudit, TradesThatContradictACandleAreRecordedAndNothingIsChanged) {
  Line line(of_an_hour());
  line.start();
  line.say(trade(1, noon + 40s, "110"));
  line.say(trade(2, minute(1) + 1s, "111"));
  line.say(trade(3, minute(1) + 50s, "112"));
  line.close(minute(0));
  line.close(minute(1));
  const auto facts = line.facts();
  line.say(trade(4, minute(2) + 3s, "113"));
  const auto mismatches = line.output.of(schema::verification_mismatch);
  ASSERT_THAT(mismatches, SizeIs(1));
  EXPECT_EQ(time_at(mismatches[0], "timestamp"), minute(1));
  EXPECT_EQ(mismatches[0].at("against"), schema::Value{"trades"});
  EXPECT_EQ(mismatches[0].at("action"), schema::Value{"recorded"});
  EXPECT_EQ(line.facts(), facts);
  EXPECT_EQ(line->statistics().trade_differences, 1U);
  EXPECT_EQ(line->statistics().corrections, 0U);
}

TEST(VenueCoverage, ADroppedRowIsMissingAgain) {
  Line line(of_an_hour());
  line.start();
  line.live(noon, minute(3));
  line->forget(line.facts().back());
  line.clock(minute(3) + 10s);
  EXPECT_THAT(said_of(line.output, minute(2)), ElementsAre("live", "missing frame_lost"));
  line.answer_all();
  EXPECT_THAT(said_of(line.output, minute(2)),
              ElementsAre("live", "missing frame_lost", "backfilled frame_lost"));
}

}  // namespace
}  // namespace candlewick::pipeline
