// Candles of one series in every order in which a network may bring them.
#include "pipeline/candle_series.h"

#include <gtest/gtest.h>
// After gtest, which it needs.
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::closed_candle;
using testing::decimal;
using testing::forming_candle;
using testing::noon;
using enum CandleSeries::Change;
using Spans = std::vector<Span>;

Time minute(int count) {
  return noon + count * 1min;
}

Candle corrected_candle(Time open, std::string_view close) {
  Candle candle = closed_candle(open);
  candle.close = decimal(close);
  return candle;
}

class CandleSeriesTest : public ::testing::Test {
 protected:
  CandleSeries series{bitcoin(), Timeframe::m1, 100};
};

TEST_F(CandleSeriesTest, ACandleFormsAndCloses) {
  EXPECT_EQ(series.apply(forming_candle(noon, noon + 1s)), forming);
  EXPECT_EQ(series.apply(forming_candle(noon, noon + 1s)), none);
  EXPECT_EQ(series.apply(forming_candle(noon, noon + 2s)), forming);
  ASSERT_TRUE(series.forming());
  EXPECT_EQ(series.closed_at(noon), nullptr);
  EXPECT_EQ(series.apply(closed_candle(noon)), closed);
  EXPECT_FALSE(series.forming());
  ASSERT_NE(series.closed_at(noon), nullptr);
  EXPECT_EQ(series.closed_at(noon)->revision, 0);
  EXPECT_EQ(series.candle().open_time, noon);
}

TEST_F(CandleSeriesTest, TheSameAgainIsNothing) {
  series.apply(closed_candle(noon));
  EXPECT_EQ(series.apply(closed_candle(noon, noon + 70s)), none);
  EXPECT_EQ(series.closed_at(noon)->revision, 0);
}

TEST_F(CandleSeriesTest, OtherValuesAreACorrectionWithTheNextRevision) {
  series.apply(closed_candle(noon));
  EXPECT_EQ(series.apply(corrected_candle(noon, "111")), corrected);
  EXPECT_EQ(series.candle().revision, 1);
  EXPECT_EQ(series.apply(corrected_candle(noon, "111")), none);
  EXPECT_EQ(series.apply(corrected_candle(noon, "112")), corrected);
  EXPECT_EQ(series.closed_at(noon)->revision, 2);
  EXPECT_EQ(series.closed_at(noon)->close, decimal("112"));
}

TEST_F(CandleSeriesTest, AFormingCandleNeverReplacesAClosedOne) {
  series.apply(closed_candle(noon));
  EXPECT_EQ(series.apply(forming_candle(noon, noon + 59s)), none);
  EXPECT_FALSE(series.forming());
  EXPECT_EQ(series.closed_at(noon)->close, testing::true_candle(noon).close);
}

TEST_F(CandleSeriesTest, AnOlderFormingCandleDoesNotReplaceANewerOne) {
  series.apply(forming_candle(minute(1), minute(1) + 5s));
  EXPECT_EQ(series.apply(forming_candle(noon, noon + 59s)), none);
  EXPECT_EQ(series.apply(forming_candle(minute(1), minute(1) + 4s)), none);
  EXPECT_EQ(series.forming()->origin.exchange_time, minute(1) + 5s);
  // Nor does one that comes after its successor has closed.
  series.apply(closed_candle(minute(1)));
  EXPECT_EQ(series.apply(forming_candle(noon, noon + 59s)), none);
  EXPECT_FALSE(series.forming());
}

TEST_F(CandleSeriesTest, AClosedCandleLeavesALaterFormingOneAlone) {
  series.apply(forming_candle(minute(1), minute(1) + 1s));
  EXPECT_EQ(series.apply(closed_candle(noon)), closed);
  ASSERT_TRUE(series.forming());
  EXPECT_EQ(series.forming()->open_time, minute(1));
}

TEST_F(CandleSeriesTest, AFormingCandleWhosePeriodIsLongOverIsDropped) {
  series.apply(forming_candle(noon, noon + 1s));
  series.advance(minute(2));
  EXPECT_TRUE(series.forming());
  series.advance(minute(2) + 1s);
  EXPECT_FALSE(series.forming());
}

TEST_F(CandleSeriesTest, WhatIsWantedAndNotThereIsAHole) {
  EXPECT_EQ(series.holes(minute(5)), Spans{});
  series.want_from(noon);
  EXPECT_EQ(series.holes(noon), Spans{});
  EXPECT_EQ(series.holes(noon + 59s), Spans{});
  EXPECT_EQ(series.holes(minute(5)), (Spans{{noon, minute(5)}}));
  series.apply(closed_candle(minute(2)));
  EXPECT_EQ(series.holes(minute(5)), (Spans{{noon, minute(2)}, {minute(3), minute(5)}}));
  series.apply(closed_candle(noon));
  series.apply(closed_candle(minute(4)));
  EXPECT_EQ(series.holes(minute(5)), (Spans{{minute(1), minute(2)}, {minute(3), minute(4)}}));
  series.apply(closed_candle(minute(1)));
  EXPECT_EQ(series.complete_until(), minute(3));
  series.apply(closed_candle(minute(3)));
  EXPECT_EQ(series.holes(minute(5)), Spans{});
  EXPECT_EQ(series.complete_until(), minute(5));
  EXPECT_EQ(series.holes(minute(6) + 30s), (Spans{{minute(5), minute(6)}}));
}

TEST_F(CandleSeriesTest, WantedOnlyMovesBack) {
  series.want_from(minute(3));
  series.want_from(minute(5));
  EXPECT_EQ(series.holes(minute(6)), (Spans{{minute(3), minute(6)}}));
  series.apply(closed_candle(minute(3)));
  series.want_from(minute(1));
  EXPECT_EQ(series.holes(minute(6)), (Spans{{minute(1), minute(3)}, {minute(4), minute(6)}}));
}

TEST_F(CandleSeriesTest, WhatTheVenueHasNotIsNoHole) {
  series.want_from(noon);
  series.apply(closed_candle(minute(1)));
  series.note({noon, minute(4)}, CoverageState::confirmed_empty);
  EXPECT_EQ(series.holes(minute(6)), (Spans{{minute(4), minute(6)}}));
  EXPECT_NE(series.closed_at(minute(1)), nullptr);
  EXPECT_EQ(series.closed_at(minute(2)), nullptr);
  // Until it has it after all.
  EXPECT_EQ(series.apply(closed_candle(minute(2))), closed);
  EXPECT_NE(series.closed_at(minute(2)), nullptr);
}

TEST_F(CandleSeriesTest, ANoteTellsForWhichPeriodsItIsNews) {
  series.apply(closed_candle(minute(2)));
  EXPECT_EQ(series.note({noon, minute(5)}, CoverageState::missing),
            (Spans{{noon, minute(2)}, {minute(3), minute(5)}}));
  EXPECT_EQ(series.note({noon, minute(6)}, CoverageState::missing),
            (Spans{{minute(5), minute(6)}}));
  EXPECT_EQ(series.state_at(minute(2)), CoverageState::unknown);
  EXPECT_EQ(series.note({minute(1), minute(4)}, CoverageState::confirmed_empty),
            (Spans{{minute(1), minute(2)}, {minute(3), minute(4)}}));
  EXPECT_EQ(series.state_at(minute(1)), CoverageState::confirmed_empty);
  EXPECT_EQ(series.note({minute(4), minute(4)}, CoverageState::halted), Spans{});
}

TEST_F(CandleSeriesTest, WhatIsSettledDoesNotBecomeMissingButMayBeKnownBetter) {
  for (const auto state : {CoverageState::confirmed_empty, CoverageState::unrecoverable,
                           CoverageState::halted, CoverageState::not_listed}) {
    EXPECT_EQ(series.note({noon, minute(1)}, state), (Spans{{noon, minute(1)}}));
    EXPECT_EQ(series.note({noon, minute(1)}, state), Spans{});
    EXPECT_EQ(series.note({noon, minute(1)}, CoverageState::missing), Spans{});
    EXPECT_EQ(series.state_at(noon), state);
  }
}

TEST_F(CandleSeriesTest, ACandleOutweighsEveryWordAboutItsAbsence) {
  series.note({noon, minute(1)}, CoverageState::confirmed_empty);
  EXPECT_EQ(series.note({noon, minute(1)}, CoverageState::live), Spans{}) << "there is no candle";
  series.apply(closed_candle(noon));
  for (const auto state : {CoverageState::missing, CoverageState::confirmed_empty,
                           CoverageState::unrecoverable, CoverageState::halted}) {
    EXPECT_EQ(series.note({noon, minute(1)}, state), Spans{}) << to_text(state);
  }
  // How it came first is how it came.
  EXPECT_EQ(series.note({noon, minute(1)}, CoverageState::backfilled), (Spans{{noon, minute(1)}}));
  EXPECT_EQ(series.note({noon, minute(1)}, CoverageState::live), Spans{});
  EXPECT_EQ(series.state_at(noon), CoverageState::backfilled);
}

TEST_F(CandleSeriesTest, AForgottenCandleLeavesNoStateBehind) {
  series.apply(closed_candle(noon));
  series.note({noon, minute(1)}, CoverageState::live);
  series.forget(noon);
  EXPECT_EQ(series.state_at(noon), CoverageState::unknown);
  EXPECT_EQ(series.note({noon, minute(1)}, CoverageState::missing), (Spans{{noon, minute(1)}}));
}

TEST_F(CandleSeriesTest, OfPeriodsThatAreNotKeptNothingIsNews) {
  series.apply(closed_candle(minute(200)));
  EXPECT_EQ(series.note({noon, minute(103)}, CoverageState::missing),
            (Spans{{minute(101), minute(103)}}));
  EXPECT_EQ(series.state_at(noon), CoverageState::unknown);
}

TEST_F(CandleSeriesTest, AForgottenCandleIsAHoleAgainAndComesBackWithItsRevision) {
  series.want_from(noon);
  for (int i = 0; i < 3; ++i) series.apply(closed_candle(minute(i)));
  series.apply(corrected_candle(minute(1), "111"));
  EXPECT_EQ(series.holes(minute(3)), Spans{});
  series.forget(minute(1));
  EXPECT_EQ(series.closed_at(minute(1)), nullptr);
  EXPECT_EQ(series.holes(minute(3)), (Spans{{minute(1), minute(2)}}));
  EXPECT_EQ(series.apply(corrected_candle(minute(1), "111")), closed);
  EXPECT_EQ(series.candle().revision, 1);
  EXPECT_EQ(series.holes(minute(3)), Spans{});
  series.forget(minute(2));
  EXPECT_EQ(series.apply(closed_candle(minute(2))), closed);
  EXPECT_EQ(series.candle().revision, 0);
  series.forget(minute(77));
  series.forget(noon - 10h);
}

TEST_F(CandleSeriesTest, ARememberedRevisionIsContinued) {
  Candle known = closed_candle(noon);
  known.revision = 4;
  series.apply(known);
  EXPECT_EQ(series.closed_at(noon)->revision, 4);
  EXPECT_EQ(series.apply(corrected_candle(noon, "111")), corrected);
  EXPECT_EQ(series.candle().revision, 5);
}

TEST_F(CandleSeriesTest, TheNewestClosedCandleBeforeATime) {
  EXPECT_EQ(series.newest_closed(Time::max()), nullptr);
  series.apply(closed_candle(noon));
  series.apply(closed_candle(minute(3)));
  EXPECT_EQ(series.newest_closed(Time::max())->open_time, minute(3));
  EXPECT_EQ(series.newest_closed(minute(3))->open_time, noon);
  EXPECT_EQ(series.newest_closed(noon), nullptr);
}

TEST_F(CandleSeriesTest, KeepsOnlyTheNewestPeriods) {
  for (int i = 0; i < 250; ++i) EXPECT_EQ(series.apply(closed_candle(minute(i))), closed);
  EXPECT_EQ(series.closed_at(minute(149)), nullptr);
  EXPECT_NE(series.closed_at(minute(150)), nullptr);
  EXPECT_EQ(series.apply(closed_candle(minute(149))), none);
  // After a long silence nothing old is in reach.
  EXPECT_EQ(series.apply(closed_candle(minute(5000))), closed);
  EXPECT_EQ(series.closed_at(minute(249)), nullptr);
  EXPECT_NE(series.closed_at(minute(5000)), nullptr);
}

// A hole that cannot be filled any more would be asked for over and over.
TEST_F(CandleSeriesTest, EveryHoleItNamesCanBeFilled) {
  series.want_from(noon);
  for (int now = 1; now < 700; ++now) {
    if (now % 7 != 0 && now % 211 > 60) series.apply(closed_candle(minute(now)));
    if (now % 3 != 0) continue;
    for (const auto& hole : series.holes(minute(now))) {
      if (now % 5 == 0) series.note(hole, CoverageState::confirmed_empty);
      for (Time open = hole.from; open < hole.to; open += 1min) {
        EXPECT_EQ(series.apply(closed_candle(open)), closed) << now;
      }
    }
    ASSERT_EQ(series.holes(minute(now)), Spans{}) << now;
  }
}

TEST(CandleSeriesMonths, CountsByTheCalendar) {
  CandleSeries series(bitcoin(), Timeframe::mo1, 30);
  const auto open = [](int year, unsigned month) {
    return Time{std::chrono::sys_days{std::chrono::year{year} / std::chrono::month{month} / 1}};
  };
  series.want_from(open(2023, 11));
  series.apply(closed_candle(open(2024, 2), open(2024, 3), Timeframe::mo1));
  series.apply(closed_candle(open(2023, 12), open(2024, 1), Timeframe::mo1));
  EXPECT_EQ(series.holes(open(2024, 5) + 24h), (Spans{{open(2023, 11), open(2023, 12)},
                                                      {open(2024, 1), open(2024, 2)},
                                                      {open(2024, 3), open(2024, 5)}}));
  series.apply(closed_candle(open(2023, 11), open(2023, 12), Timeframe::mo1));
  EXPECT_EQ(series.complete_until(), open(2024, 1));
  EXPECT_NE(series.closed_at(open(2024, 2)), nullptr);
  series.apply(closed_candle(open(2026, 12), open(2027, 1), Timeframe::mo1));
  EXPECT_EQ(series.closed_at(open(2023, 12)), nullptr);
  EXPECT_EQ(series.holes(open(2027, 1)).front().from, open(2024, 7));
}

TEST(CandleSeriesWeeks, OpenOnMondays) {
  CandleSeries series(bitcoin(), Timeframe::w1, 30);
  const Time monday = Time{std::chrono::sys_days{std::chrono::year{2024} / 4 / 29}};
  series.want_from(monday);
  series.apply(closed_candle(monday + 7 * 24h, monday + 14 * 24h, Timeframe::w1));
  EXPECT_EQ(series.holes(monday + 16 * 24h), (Spans{{monday, monday + 7 * 24h}}));
}

// One thing that may come: the candle of a minute, with one of three sets of values.
struct Arrival {
  int minute;
  int kind;  // 0 forming, 1 closed on the stream, 2 closed by REST
  int values;
};

Candle candle_of(const Arrival& arrival) {
  const Time open = minute(arrival.minute);
  if (arrival.kind == 0) return forming_candle(open, open + arrival.values * 10s + 1s);
  Candle candle = closed_candle(open);
  if (arrival.values > 0) candle.close = Decimal{100 + arrival.values};
  candle.source = arrival.kind == 1 ? Source::ws : Source::rest;
  return candle;
}

rc::Gen<std::vector<Arrival>> arrivals(int values) {
  return rc::gen::container<std::vector<Arrival>>(rc::gen::map(
      rc::gen::tuple(rc::gen::inRange(0, 20), rc::gen::inRange(0, 3), rc::gen::inRange(0, values)),
      [](const std::tuple<int, int, int>& drawn) {
        return Arrival{std::get<0>(drawn), std::get<1>(drawn), std::get<2>(drawn)};
      }));
}

RC_GTEST_PROP(CandleSeriesProperty, AnyOrderAndRepetitionEndsInTheSameClosedCandles, ()) {
  CandleSeries series(bitcoin(), Timeframe::m1, 100);
  series.want_from(noon);
  std::set<int> said;
  for (auto arrival : *arrivals(1)) {
    const auto change = series.apply(candle_of(arrival));
    RC_ASSERT(change != corrected);
    if (arrival.kind == 0) {
      RC_ASSERT(change != closed);
    } else {
      RC_ASSERT((change == closed) == said.insert(arrival.minute).second);
    }
  }
  std::size_t missing = 0;
  for (const auto& hole : series.holes(minute(20)))
    missing += static_cast<std::size_t>((hole.to - hole.from) / 1min);
  RC_ASSERT(missing == 20 - said.size());
  for (int i = 0; i < 20; ++i) {
    const Candle* candle = series.closed_at(minute(i));
    RC_ASSERT((candle != nullptr) == said.contains(i));
    if (candle == nullptr) continue;
    RC_ASSERT(candle->same_values(testing::true_candle(minute(i))));
    RC_ASSERT(candle->revision == 0);
  }
}

RC_GTEST_PROP(CandleSeriesProperty, RevisionsCountTheChanges, ()) {
  CandleSeries series(bitcoin(), Timeframe::m1, 100);
  std::map<int, std::pair<int, std::int32_t>> model;  // minute → values, revision
  for (auto arrival : *arrivals(3)) {
    arrival.kind = 1 + arrival.kind % 2;
    const auto change = series.apply(candle_of(arrival));
    const auto [at, is_new] = model.try_emplace(arrival.minute, arrival.values, 0);
    if (is_new) {
      RC_ASSERT(change == closed);
    } else if (at->second.first == arrival.values) {
      RC_ASSERT(change == none);
      continue;
    } else {
      RC_ASSERT(change == corrected);
      at->second = {arrival.values, at->second.second + 1};
    }
    RC_ASSERT(series.candle().revision == at->second.second);
    RC_ASSERT(series.closed_at(minute(arrival.minute))->same_values(candle_of(arrival)));
  }
}

TEST_F(CandleSeriesTest, AQuietPeriodCountsAsACandleAtTheCloseBefore) {
  series.want_from(noon);
  series.apply(closed_candle(noon));
  series.note({minute(1), minute(3)}, CoverageState::confirmed_empty);
  series.apply(closed_candle(minute(3)));
  EXPECT_FALSE(series.bar_at(minute(1))) << "not asked to count them";
  series.count_quiet_periods();
  EXPECT_TRUE(series.is_quiet(minute(2)));
  EXPECT_FALSE(series.is_quiet(minute(3)));
  const auto bar = series.bar_at(minute(2));
  ASSERT_TRUE(bar);
  EXPECT_EQ(bar->open, series.closed_at(noon)->close);
  EXPECT_EQ(bar->low, bar->high);
  EXPECT_TRUE(bar->volume.is_zero());
  std::vector<Time> opens;
  series.each_bar([&](const Candle& one) { opens.push_back(one.open_time); });
  EXPECT_EQ(opens, (std::vector<Time>{noon, minute(1), minute(2), minute(3)}));
  series.apply(closed_candle(minute(1)));
  EXPECT_FALSE(series.is_quiet(minute(1))) << "a candle outweighs it";
}

}  // namespace
}  // namespace candlewick::pipeline
