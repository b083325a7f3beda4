// What a REST answer proves, and what it does not.
#include "pipeline/candle_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using testing::bitcoin;
using testing::decimal;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::noon;
using testing::rest_candle;
using testing::true_candle;
using namespace std::chrono_literals;

exchange::RestQuery query_from(Time start, std::optional<Time> end = {},
                               Timeframe timeframe = Timeframe::m1) {
  exchange::RestQuery query;
  query.kind = exchange::RestKind::candles;
  query.instrument = &bitcoin();
  query.timeframe = timeframe;
  query.start = start;
  query.end = end;
  return query;
}

// Rows that open so many minutes after noon.
Events rows_at(std::initializer_list<int> minutes) {
  Events events;
  for (const int minute : minutes) events.emplace_back(rest_candle(noon + minute * 1min, noon));
  return events;
}

std::vector<std::int64_t> minutes_of(const std::vector<Candle>& candles) {
  std::vector<std::int64_t> minutes;
  for (const auto& candle : candles) minutes.push_back((candle.open_time - noon) / 1min);
  return minutes;
}

TEST(CandleReply, TakesRowsBeforeALaterOneForFinal) {
  // The running minute came as the last row.
  const auto reply = read_candle_reply(query_from(noon), rows_at({0, 1, 2}), noon + 2min + 10s);
  EXPECT_THAT(minutes_of(reply.closed), ElementsAre(0, 1));
  EXPECT_THAT(reply.absent, IsEmpty());
  EXPECT_EQ(reply.newest, noon + 2min);
  EXPECT_EQ(reply.rows, 3U);
  for (const auto& candle : reply.closed) {
    EXPECT_TRUE(candle.is_closed && candle.closed_is_known);
    EXPECT_TRUE(candle.same_values(true_candle(candle.open_time)));
  }
}

TEST(CandleReply, WhatAnAnswerDoesNotReachIsNotAbsent) {
  auto events = rows_at({5, 7});
  events.emplace_back(Gap{.origin = {&bitcoin(), {}, {}},
                          .stream = Stream::candles,
                          .expected = "12:00",
                          .got = "12:05",
                          .action = GapAction::backfill});
  const auto reply = read_candle_reply(query_from(noon), events, noon + 1h);
  EXPECT_EQ(reply.out_of_reach, (Span{noon, noon + 5min}));
  EXPECT_THAT(reply.absent, ElementsAre(Span{noon + 6min, noon + 7min}));
  EXPECT_THAT(minutes_of(reply.closed), ElementsAre(5, 7));
}

TEST(CandleReply, DoesNotTrustALastRowThatHasJustEnded) {
  // The minute is over by the venue's clock, but its REST side may still show an earlier state.
  const auto early = read_candle_reply(query_from(noon), rows_at({0, 1}), noon + 2min + 10s);
  EXPECT_THAT(minutes_of(early.closed), ElementsAre(0));
  const auto late = read_candle_reply(query_from(noon), rows_at({0, 1}),
                                      noon + 2min + certainly_final_after(Timeframe::m1));
  EXPECT_THAT(minutes_of(late.closed), ElementsAre(0, 1));
}

TEST(CandleReply, DoesNotTakeARowForFinalBeforeItsEnd) {
  // The venue's clock that we know may be behind the reply.
  const auto reply = read_candle_reply(query_from(noon), rows_at({0, 1}), noon + 30s);
  EXPECT_THAT(reply.closed, IsEmpty());
}

TEST(CandleReply, NamesThePeriodsWithoutARow) {
  const auto reply = read_candle_reply(query_from(noon), rows_at({2, 3, 6, 7}), noon + 1h);
  EXPECT_THAT(reply.absent, ElementsAre(Span{noon, noon + 2min}, Span{noon + 4min, noon + 6min}));
  EXPECT_THAT(minutes_of(reply.closed), ElementsAre(2, 3, 6, 7));
}

TEST(CandleReply, SaysNothingAboutWhatIsBehindItsLastRow) {
  const auto reply = read_candle_reply(query_from(noon, noon + 1h), rows_at({0}), noon + 2h);
  EXPECT_THAT(reply.absent, IsEmpty());
  EXPECT_THAT(read_candle_reply(query_from(noon), {}, noon + 2h).absent, IsEmpty());
}

TEST(CandleReply, AsksFromTheFirstPeriodThatOpensInsideTheQuery) {
  // 12:00:30 asks for 12:01 on: 12:00 is not absent.
  const auto reply = read_candle_reply(query_from(noon + 30s), rows_at({1, 2}), noon + 1h);
  EXPECT_THAT(reply.absent, IsEmpty());
  const auto behind = read_candle_reply(query_from(noon + 30s), rows_at({2}), noon + 1h);
  EXPECT_THAT(behind.absent, ElementsAre(Span{noon + 1min, noon + 2min}));
}

TEST(CandleReply, LeavesOutWhatWasNotAskedFor) {
  Events events = rows_at({-1, 0, 1, 5});
  events.emplace_back(rest_candle(noon, noon, Timeframe::m5));
  events.emplace_back(testing::clock_reading(noon));
  const auto reply = read_candle_reply(query_from(noon, noon + 5min), events, noon + 1h);
  EXPECT_THAT(minutes_of(reply.closed), ElementsAre(0, 1));
  EXPECT_EQ(reply.rows, 2U);
}

TEST(CandleReply, DoesNotDependOnTheOrderOfRows) {
  Events events = rows_at({0, 1, 3, 4, 4, 1});
  const auto sorted = read_candle_reply(query_from(noon), events, noon + 1h);
  std::ranges::reverse(events);
  const auto reversed = read_candle_reply(query_from(noon), events, noon + 1h);
  EXPECT_EQ(minutes_of(sorted.closed), minutes_of(reversed.closed));
  EXPECT_THAT(minutes_of(reversed.closed), ElementsAre(0, 1, 3, 4));
  EXPECT_EQ(sorted.absent, reversed.absent);
}

TEST(DifferingColumns, AreThoseThatBothSidesHave) {
  const Candle stored = true_candle(noon);
  EXPECT_THAT(differing_columns(stored, stored), IsEmpty());
  struct Case {
    const char* column;
    void (*change)(Candle&);
  };
  const std::vector<Case> cases{
      {"open", [](Candle& candle) { candle.open = decimal("1"); }},
      {"high", [](Candle& candle) { candle.high = decimal("1"); }},
      {"low", [](Candle& candle) { candle.low = decimal("1"); }},
      {"close", [](Candle& candle) { candle.close = decimal("1"); }},
      {"volume", [](Candle& candle) { candle.volume = decimal("1"); }},
      {"quote_volume", [](Candle& candle) { candle.quote_volume = decimal("1"); }},
      {"trade_count", [](Candle& candle) { candle.trade_count = 1; }},
      {"taker_buy_volume", [](Candle& candle) { candle.taker_buy_volume = decimal("1"); }},
      {"taker_buy_quote_volume",
       [](Candle& candle) { candle.taker_buy_quote_volume = decimal("1"); }},
  };
  for (const auto& [column, change] : cases) {
    Candle found = stored;
    change(found);
    EXPECT_THAT(differing_columns(stored, found), ElementsAre(column));
  }
  Candle bare = stored;
  bare.quote_volume.reset();
  bare.trade_count.reset();
  bare.taker_buy_volume.reset();
  bare.taker_buy_quote_volume.reset();
  EXPECT_THAT(differing_columns(stored, bare), IsEmpty());
  EXPECT_THAT(differing_columns(bare, stored), IsEmpty());
}

}  // namespace
}  // namespace candlewick::pipeline
