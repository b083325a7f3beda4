// What a venue's pipeline makes of the past: history before the first row, holes, corrections and
// restarts. A REST side answers when the test says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "pipeline/testing.h"
#include "pipeline/venue_pipeline.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::closed_candle;
using testing::decimal;
using testing::decimal_at;
using ::testing::ElementsAre;
using testing::forming_candle;
using testing::integer_at;
using ::testing::IsEmpty;
using testing::Line;
using testing::noon;
using testing::real_at;
using ::testing::SizeIs;
using testing::time_at;
using testing::times;
using testing::true_candle;

BookUpdate ladder(std::uint64_t sequence, std::string_view bid, std::string_view ask) {
  return {.origin = {&bitcoin(), std::nullopt, std::nullopt},
          .kind = BookKind::snapshot,
          .is_partial = true,
          .sequence = sequence,
          .bids = {{decimal(bid), Decimal{1}}},
          .asks = {{decimal(ask), Decimal{2}}}};
}

TEST(VenuePipelineHistory, IsReadBeforeTheFirstRowAndAnswersEverythingItCan) {
  Line line;
  line.clock(noon + 30s);
  ASSERT_THAT(line.asked, SizeIs(1));
  EXPECT_EQ(line.asked[0].query.kind, exchange::RestKind::candles);
  EXPECT_EQ(line.asked[0].query.start, noon - 49h);
  EXPECT_EQ(line.asked[0].priority, feed::Priority::history);
  EXPECT_GT(line->missing_candles(), 2900U);
  line.say(ladder(1, "110", "112"));
  line.close(noon);
  line.close(noon + 1min);
  EXPECT_THAT(line.ticks(), IsEmpty());
  EXPECT_FALSE(line->is_ready(bitcoin()));
  line.answer_all();
  EXPECT_THAT(line.all_asked, SizeIs(3));
  EXPECT_TRUE(line->is_ready(bitcoin()));
  EXPECT_EQ(line->missing_candles(), 0U);
  ASSERT_THAT(line.facts(), SizeIs(49 * 60 + 2));

  const auto ticks = line.ticks();
  ASSERT_THAT(times(ticks, "exchange_ts"), ElementsAre(noon + 1min, noon + 2min));
  const auto indicators = line.indicators();
  ASSERT_THAT(times(indicators, "exchange_ts"), ElementsAre(noon + 1min, noon + 2min));
  for (const auto* row : {&ticks[0], &ticks[1], &indicators[0], &indicators[1]}) {
    for (std::size_t i = 0; i < row->values.size(); ++i) {
      const auto name = row->table->columns[i].name;
      // What no candle can tell.
      if (name == "market_cap" || name == "circulating_supply" || name == "last_price") continue;
      EXPECT_FALSE(schema::is_null(row->values[i])) << name;
    }
  }

  // The same, computed the slow way.
  const Time newest = noon + 1min;
  const auto close = [&](int back) { return true_candle(newest - back * 1min).close.to_double(); };
  const auto day_volume = [&](int back) {
    int128 sum = 0;
    for (int bar = back; bar < back + 1440; ++bar)
      sum += true_candle(newest - bar * 1min).quote_volume->count();
    return Decimal::from_count(sum);
  };
  EXPECT_EQ(decimal_at(ticks[1], "volume_24h_quote"), day_volume(0));
  EXPECT_NEAR(real_at(ticks[1], "volume_change_pct_24h"),
              (day_volume(0).to_double() / day_volume(1440).to_double() - 1.0) * 100.0, 1e-9);
  EXPECT_NEAR(real_at(ticks[1], "price_change_pct_1h"), (close(0) / close(60) - 1.0) * 100.0, 1e-9);
  EXPECT_NEAR(real_at(ticks[1], "price_change_pct_24h"), (close(0) / close(1440) - 1.0) * 100.0,
              1e-9);
  EXPECT_NEAR(real_at(indicators[1], "rolling_return_1h"), close(0) / close(60) - 1.0, 1e-12);
  double seven = 0.0;
  double thirty = 0.0;
  for (int bar = 0; bar < 30; ++bar) (bar < 7 ? seven : thirty) += close(bar);
  EXPECT_NEAR(real_at(indicators[1], "moving_average_7"), seven / 7.0, 1e-9);
  EXPECT_NEAR(real_at(indicators[1], "moving_average_30"), (seven + thirty) / 30.0, 1e-9);
  double sum = 0.0;
  double squares = 0.0;
  double high = 0.0;
  double low = 1e9;
  for (int bar = 0; bar < 1440; ++bar) {
    const double value = std::log(close(bar) / close(bar + 1));
    sum += value;
    squares += value * value;
    high = std::max(high, true_candle(newest - bar * 1min).high.to_double());
    low = std::min(low, true_candle(newest - bar * 1min).low.to_double());
  }
  const double deviation = std::sqrt((squares - sum * sum / 1440.0) / 1439.0);
  EXPECT_NEAR(real_at(indicators[1], "rolling_volatility_24h"), deviation * std::sqrt(1440.0),
              1e-9);
  EXPECT_NEAR(real_at(indicators[1], "high_low_range_24h"), high - low, 1e-9);
}

TEST(VenuePipelineHistory, ComesOutTheSameWheneverTheLiveCandlesCome) {
  Line before;
  before.start(noon + 30s);
  before.live(noon, noon + 5min);
  Line meanwhile;
  meanwhile.clock(noon + 30s);
  for (int i = 0; i < 3; ++i) meanwhile.close(noon + i * 1min);
  meanwhile.answer_all();
  meanwhile.live(noon + 3min, noon + 5min);
  ASSERT_THAT(before.indicators(), SizeIs(5));
  ASSERT_THAT(meanwhile.indicators(), SizeIs(5));
  for (std::size_t i = 0; i < 5; ++i) {
    for (const auto& column : schema::technical_indicators.columns) {
      if (column.name == "created_at") continue;
      EXPECT_EQ(before.indicators()[i].at(column.name), meanwhile.indicators()[i].at(column.name))
          << column.name << " " << i;
    }
  }
}

TEST(VenuePipelineHistory, ARowIsFinalOnlyWhenAnotherFollowsIt) {
  Line line;
  line.start(noon + 30s);
  line.asked.clear();
  // The closing frame of noon is lost.
  line.clock(noon + 1min + 5s);
  ASSERT_THAT(line.asked, SizeIs(1));
  EXPECT_EQ(line.asked[0].query.start, noon);
  EXPECT_EQ(line.asked[0].priority, feed::Priority::live);
  const auto before = line.facts().size();
  // REST lags behind: what it has may be short of the last trades.
  line->on_reply(line.asked[0].id, {testing::rest_candle(noon, line.now)});
  line.asked.clear();
  EXPECT_THAT(line.facts(), SizeIs(before));
  line.clock(noon + 1min + 9s);
  EXPECT_THAT(line.asked, IsEmpty());
  line.clock(noon + 1min + 10s);
  ASSERT_THAT(line.asked, SizeIs(1));
  line.answer_all();
  ASSERT_THAT(line.facts(), SizeIs(before + 1));
  EXPECT_EQ(time_at(line.facts().back(), "timestamp"), noon);
  EXPECT_EQ(std::get<std::string>(line.facts().back().at("source")), "rest");
}

TEST(VenuePipelineHistory, ARowWhosePeriodEndedLongAgoIsFinalByItself) {
  Line line;
  line.start(noon + 30s);
  const auto before = line.facts().size();
  line.clock(noon + 3min);
  ASSERT_THAT(line.asked, SizeIs(1));
  line->on_reply(line.asked[0].id, {testing::rest_candle(noon, line.now)});
  EXPECT_THAT(line.facts(), SizeIs(before + 1));
}

TEST(VenuePipelineHistory, AHoleAfterALostFrameIsFilledWithinSeconds) {
  Line line;
  line.start(noon + 30s);
  line.live(noon, noon + 5min);
  const auto before = line.all_asked.size();
  // 12:05 never closes on the stream.
  line.say(forming_candle(noon + 5min, noon + 5min + 58s));
  line.clock(noon + 6min + 4s);
  EXPECT_THAT(line.all_asked, SizeIs(before));
  EXPECT_EQ(line->missing_candles(), 0U);
  line.clock(noon + 6min + 5s);
  ASSERT_THAT(line.all_asked, SizeIs(before + 1));
  EXPECT_EQ(line->missing_candles(), 1U);
  line.answer_all();
  EXPECT_EQ(line->missing_candles(), 0U);
  EXPECT_EQ(time_at(line.ticks().back(), "candle_time"), noon + 5min);
  EXPECT_EQ(time_at(line.ticks().back(), "exchange_ts"), noon + 6min);
  // The stream's own closing frame comes after all.
  line.say(closed_candle(noon + 5min, noon + 6min + 6s));
  EXPECT_THAT(line.facts(), SizeIs(49 * 60 + 6));
}

TEST(VenuePipelineHistory, MinutesThatTheVenueDoesNotHaveInTwoAnswersAreNotAskedForAgain) {
  Line line;
  line.clock(noon + 30s);
  for (int round = 0; round < 6; ++round) {
    if (round == 3) {
      EXPECT_THAT(line.asked, IsEmpty());
      EXPECT_EQ(line->missing_candles(), 30U) << "one answer is no proof";
      line.clock(noon + 36s);
    }
    for (const auto& request : std::exchange(line.asked, {})) {
      Events events = testing::history(request.query, line.now);
      // An outage of half an hour.
      std::erase_if(events, [](const Event& event) {
        const Time open = std::get<Candle>(event).open_time;
        return open >= noon - 2h && open < noon - 90min;
      });
      line->on_reply(request.id, events);
    }
  }
  EXPECT_THAT(line.asked, IsEmpty());
  EXPECT_TRUE(line->is_ready(bitcoin()));
  EXPECT_EQ(line->missing_candles(), 0U);
  line.close(noon);
  ASSERT_THAT(line.ticks(), SizeIs(1));
  const auto coverage = line.output.of(schema::coverage);
  const auto empty = std::ranges::find_if(coverage, [](const schema::Row& row) {
    return row.at("state") == schema::Value{"confirmed_empty"};
  });
  ASSERT_NE(empty, coverage.end());
  EXPECT_EQ(time_at(*empty, "from"), noon - 2h);
  EXPECT_EQ(time_at(*empty, "to"), noon - 90min);
  EXPECT_EQ(empty->at("cause"), schema::Value{"exchange_outage"});
  // A day with a hole in it has no sum; an hour without one has its change.
  EXPECT_TRUE(schema::is_null(line.ticks()[0].at("volume_24h_quote")));
  EXPECT_FALSE(schema::is_null(line.ticks()[0].at("price_change_pct_1h")));
}

TEST(VenuePipelineHistory, ARefusedRequestDoesNotHoldRowsBackAndIsTriedAgainLater) {
  Line line;
  line.clock(noon + 30s);
  line->on_request_refused(line.asked[0].id, {.kind = ErrorKind::rejected, .message = "-1121"});
  line.asked.clear();
  line.live(noon, noon + 2min);
  EXPECT_THAT(line.ticks(), SizeIs(2));
  EXPECT_THAT(line.all_asked, SizeIs(1));
  line.live(noon + 2min, noon + 12min);
  EXPECT_GT(line.all_asked.size(), 1U);
  EXPECT_FALSE(schema::is_null(line.ticks().back().at("volume_24h_quote")));
}

TEST(VenuePipelineHistory, AnInstrumentThatStoppedTradingDoesNotHoldRowsBack) {
  Line line;
  const auto until_the_halt = [&] {
    for (const auto& request : std::exchange(line.asked, {})) {
      Events events = testing::history(request.query, line.now);
      std::erase_if(events, [](const Event& event) {
        return std::get<Candle>(event).open_time >= noon - 3h;
      });
      line->on_reply(request.id, events);
    }
  };
  line.clock(noon + 30s);
  for (int round = 0; round < 10; ++round) until_the_halt();
  EXPECT_THAT(line.asked, IsEmpty());
  for (Time time = noon + 1min; time < noon + 10min; time += 10s) {
    line.clock(time);
    until_the_halt();
  }
  ASSERT_THAT(line.ticks(), SizeIs(9));
  EXPECT_EQ(time_at(line.ticks().back(), "candle_time"), noon - 3h - 1min);
  // Once a minute, not more.
  EXPECT_LE(line.all_asked.size(), 14U);
}

TEST(VenuePipelineHistory, AVenueWithoutHistoryStartsAtOnce) {
  Line line;
  line.has_requests = false;
  line.clock(noon + 30s);
  line.live(noon, noon + 3min);
  EXPECT_THAT(line.ticks(), SizeIs(3));
  EXPECT_TRUE(line->is_ready(bitcoin()));
}

TEST(VenuePipelineHistory, ACandleThatNeverReachedTheLogIsFetchedAgain) {
  Line line;
  line.start(noon + 30s);
  line.live(noon, noon + 3min);
  const auto lost = line.facts().back();
  ASSERT_EQ(time_at(lost, "timestamp"), noon + 2min);
  line->forget(lost);
  line->forget(line.ticks().back());
  EXPECT_EQ(line->missing_candles(), 0U) << "not before its grace has passed";
  line.clock(noon + 3min + 10s);
  ASSERT_THAT(line.asked, SizeIs(1));
  EXPECT_EQ(line.asked[0].query.start, noon + 2min);
  line.answer_all();
  const auto again = line.facts().back();
  EXPECT_EQ(time_at(again, "timestamp"), noon + 2min);
  EXPECT_EQ(integer_at(again, "revision"), 0);
  EXPECT_EQ(again.at("close"), lost.at("close"));
}

TEST(VenuePipelineCorrections, WriteTheNextRevisionOfEveryRowThatTheyChange) {
  Candle other = closed_candle(noon + 2min, noon + 6min + 1s);
  other.close = decimal("119.99");
  Line line;
  line.start(noon + 30s);
  line.live(noon, noon + 6min);
  const auto facts = line.facts().size();
  const auto ticks = line.ticks();
  const auto first = line.indicators();
  ASSERT_THAT(first, SizeIs(6));
  line.say(other);
  ASSERT_THAT(line.facts(), SizeIs(facts + 1));
  EXPECT_EQ(integer_at(line.facts().back(), "revision"), 1);
  EXPECT_EQ(decimal_at(line.facts().back(), "close"), decimal("119.99"));
  // Ticks stay; indicators from that candle on follow.
  EXPECT_EQ(line.ticks(), ticks);
  auto revised = line.indicators();
  revised.erase(revised.begin(), revised.begin() + 6);
  EXPECT_THAT(times(revised, "exchange_ts"),
              ElementsAre(noon + 3min, noon + 4min, noon + 5min, noon + 6min));
  // They are what they would have been.
  Line as_if;
  as_if.start(noon + 30s);
  as_if.live(noon, noon + 2min);
  Candle in_time = other;
  in_time.origin.exchange_time = noon + 3min + 50ms;
  as_if.say(in_time);
  as_if.live(noon + 3min, noon + 6min);
  const auto wanted = as_if.indicators();
  ASSERT_THAT(wanted, SizeIs(6));
  for (std::size_t i = 0; i < revised.size(); ++i) {
    EXPECT_EQ(integer_at(revised[i], "revision"), 1);
    for (const auto& column : schema::technical_indicators.columns) {
      if (column.name == "created_at" || column.name == "revision") continue;
      EXPECT_EQ(revised[i].at(column.name), wanted[i + 2].at(column.name))
          << column.name << " " << i;
    }
  }
  // The same correction again is nothing.
  line.say(other);
  EXPECT_THAT(line.facts(), SizeIs(facts + 1));
  EXPECT_THAT(line.indicators(), SizeIs(10));
}

TEST(VenuePipelineCorrections, AFilledHoleRevisesTheRowsThatDidWithoutIt) {
  Line line;
  line.start(noon + 30s);
  line.live(noon, noon + 3min);
  // 12:03 is lost and REST does not answer before the snapshots of 12:04 and 12:05 are due.
  line.say(forming_candle(noon + 4min, noon + 4min + 30s));
  const auto request = line.asked.front();
  line.close(noon + 4min);
  ASSERT_THAT(line.indicators(), SizeIs(5));
  line.answer(request);
  line.asked.clear();
  const auto rows = line.indicators();
  ASSERT_THAT(rows, SizeIs(6));
  EXPECT_EQ(time_at(rows[5], "exchange_ts"), noon + 5min);
  EXPECT_EQ(integer_at(rows[5], "revision"), 1);
  EXPECT_FALSE(schema::is_null(rows[5].at("rolling_return_1h")));
  EXPECT_TRUE(schema::is_null(rows[4].at("rolling_return_1h")));
}

class Restart : public ::testing::TestWithParam<Duration> {};

// What a warehouse would give back.
Memory memory_of(const Line& line) {
  Memory memory;
  std::map<Time, Candle> candles;
  for (const auto& row : line.facts()) {
    Candle candle = closed_candle(time_at(row, "timestamp"));
    candle.revision = static_cast<std::int32_t>(integer_at(row, "revision"));
    candles[candle.open_time] = candle;
  }
  for (const auto& [open, candle] : candles) memory.candles.push_back(candle);
  memory.checkpoint =
      std::get<std::string>(line.output.of(schema::indicator_checkpoint).back().at("state"));
  memory.tick = line.ticks().back();
  memory.indicators = line.indicators();
  return memory;
}

TEST_P(Restart, ContinuesWithTheIndicatorsOfAnUnbrokenRun) {
  const Duration down = GetParam();
  const Time stop = noon + 10min;
  const Time resume = stop + down;
  const Time end = resume + 10min;
  Line unbroken;
  unbroken.start(noon + 30s);
  unbroken.live(noon, end);

  Line first;
  first.start(noon + 30s);
  first.live(noon, stop);
  // A candle closed after the last checkpoint.
  first.say(closed_candle(stop, stop + 1min - 1s));
  Line second;
  ASSERT_TRUE(second->remember(bitcoin(), Timeframe::m1, memory_of(first)));
  EXPECT_TRUE(second.latest().is_stale);
  EXPECT_EQ(second.latest().tick, first.ticks().back());
  second.clock(resume + 1s);
  if (down > 1min) {
    // A live candle may come before the hole is filled.
    second.say(closed_candle(resume, resume + 59s));
  }
  second.now = resume + 59s;
  second.answer_all();
  second.live(resume, end);
  EXPECT_FALSE(second.latest().is_stale);

  std::map<Time, schema::Row> wanted;
  for (const auto& row : unbroken.indicators()) wanted.emplace(time_at(row, "exchange_ts"), row);
  std::size_t compared = 0;
  for (const auto& row : second.indicators()) {
    EXPECT_EQ(integer_at(row, "revision"), 0);
    const auto same = wanted.find(time_at(row, "exchange_ts"));
    ASSERT_NE(same, wanted.end());
    for (const auto& column : schema::technical_indicators.columns) {
      if (column.name == "created_at") continue;
      EXPECT_EQ(row.at(column.name), same->second.at(column.name))
          << column.name << " " << to_rfc3339(same->first);
    }
    ++compared;
  }
  // Instants that passed meanwhile are made up for, as far back as indicators reach.
  EXPECT_EQ(compared, 10U + static_cast<std::size_t>(std::min<Duration>(down, 23h) / 1min));
  // Nothing is stored twice: the facts of both runs are those of one.
  std::vector<Time> stored = times(first.facts(), "timestamp");
  for (const Time time : times(second.facts(), "timestamp")) stored.push_back(time);
  std::ranges::sort(stored);
  EXPECT_EQ(stored, times(unbroken.facts(), "timestamp"));
}

std::string name_of(const ::testing::TestParamInfo<Duration>& info) {
  return fmt::format("AfterMinutes{}", info.param / 1min);
}
INSTANTIATE_TEST_SUITE_P(VenuePipeline, Restart,
                         ::testing::Values(Duration{1min}, Duration{5min}, Duration{7h},
                                           Duration{30h}),
                         name_of);

TEST(VenuePipelineChanges, AnInstrumentThatIsLeftAndFollowedAgainHasTheRowsOfAnUnbrokenRun) {
  const Time left = noon + 10min;
  const Time back = noon + 15min;
  const Time end = noon + 25min;
  Line unbroken;
  unbroken.start(noon + 30s);
  unbroken.live(noon, end);

  Line line;
  line.start(noon + 30s);
  line.live(noon, left);
  line->unfollow(bitcoin());
  EXPECT_THAT(line.board.entries(), IsEmpty());
  const auto rows = line.output.rows.size();
  line.clock(back + 10s);
  line.say(closed_candle(left, left + 1min));
  EXPECT_EQ(line.output.rows.size(), rows) << "it is none of ours";
  EXPECT_THAT(line.asked, IsEmpty());

  ASSERT_TRUE(line->follow(bitcoin(), {{Timeframe::m1, memory_of(line)}}));
  ASSERT_TRUE(line->follow(bitcoin(), {})) << "that changes nothing";
  EXPECT_THAT(line.board.entries(), SizeIs(1));
  line.answer_all();
  line.live(back, end);
  std::vector<Time> stored = times(line.facts(), "timestamp");
  EXPECT_EQ(stored.size(), times(unbroken.facts(), "timestamp").size());
  std::ranges::sort(stored);
  EXPECT_TRUE(stored == times(unbroken.facts(), "timestamp"));
  const auto told = line.indicators();
  const auto wanted = unbroken.indicators();
  ASSERT_EQ(told.size(), wanted.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    for (const auto& column : schema::technical_indicators.columns) {
      if (column.name == "created_at") continue;
      EXPECT_EQ(told[i].at(column.name), wanted[i].at(column.name))
          << column.name << " of row " << i;
    }
  }
}

TEST(VenuePipelineChanges, AnswersForAnInstrumentThatWasLeftAreNobodysAndHoldNothingUp) {
  Line line;
  line.clock(noon + 30s);
  ASSERT_THAT(line.asked, ::testing::Not(IsEmpty()));
  line->unfollow(bitcoin());
  line.answer_all();
  EXPECT_THAT(line.facts(), IsEmpty());
  ASSERT_TRUE(line->follow(bitcoin(), {}));
  line.answer_all();
  EXPECT_TRUE(line->is_ready(bitcoin()));
  line.live(noon, noon + 3min);
  EXPECT_THAT(line.ticks(), SizeIs(3));
  EXPECT_FALSE(schema::is_null(line.indicators().back().at("macd"))) << "all of history is in it";
}

TEST(VenuePipelineMemory, ACheckpointThatCannotBeReadIsWorthNothingAndTheCandlesSuffice) {
  Line first;
  first.start(noon + 30s);
  first.live(noon, noon + 5min);
  Line second;
  Memory memory = memory_of(first);
  memory.checkpoint = "of another version";
  ASSERT_TRUE(second->remember(bitcoin(), Timeframe::m1, std::move(memory)));
  second.clock(noon + 5min + 1s);
  second.live(noon + 5min, noon + 6min);
  first.live(noon + 5min, noon + 6min);
  ASSERT_THAT(second.indicators(), SizeIs(1));
  for (const auto& column : schema::technical_indicators.columns) {
    EXPECT_EQ(second.indicators().back().at(column.name), first.indicators().back().at(column.name))
        << column.name;
  }
}

}  // namespace
}  // namespace candlewick::pipeline
