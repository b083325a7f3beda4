// Second looks at closed candles: when, how many, and what becomes of what was found.
#include "pipeline/auditor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::Asked;
using testing::bitcoin;
using testing::decimal;
using testing::integer_at;
using ::testing::IsEmpty;
using testing::KeptOutput;
using testing::noon;
using ::testing::SizeIs;
using testing::time_at;

class AuditorTest : public ::testing::Test {
 protected:
  void start(AuditOptions options = {.ages = {10min}, .batch = 5}) {
    auditor.emplace(std::move(options), output,
                    [this](TrackedSeries& series, const Candle& candle) {
                      repaired.push_back(candle);
                      series.candles.apply(candle);
                    });
    auditor->connect([this](const exchange::RestQuery& query,
                            feed::Priority priority) -> std::optional<feed::RequestId> {
      if (!has_requests) return std::nullopt;
      asked.push_back({next_request, query, priority});
      return next_request++;
    });
  }
  TrackedSeries& add(Timeframe timeframe = Timeframe::m1) {
    auto& made = *all.emplace_back(
        std::make_unique<TrackedSeries>(CandleSeries(bitcoin(), timeframe, 5000)));
    made.was_complete = true;
    auditor->add(made);
    return made;
  }
  static void close(TrackedSeries& series, Time from, Time to) {
    const Timeframe timeframe = series.candles.timeframe();
    for (Time open = from; open < to; open = next_open(timeframe, open)) {
      series.candles.apply(testing::closed_candle(open, next_open(timeframe, open), timeframe));
    }
  }
  // The venue's rows, as they are unless changed.
  Events answer(const exchange::RestQuery& query, Time now) const {
    Events events = testing::history(query, now);
    for (auto& event : events) {
      auto& candle = std::get<Candle>(event);
      if (const auto other = other_close.find(candle.open_time); other != other_close.end())
        candle.close = other->second;
    }
    std::erase_if(events, [&](const Event& event) {
      const Time open = std::get<Candle>(event).open_time;
      return gone && *gone == open;
    });
    return events;
  }
  void reply(Time now) {
    const Asked request = asked.back();
    ASSERT_TRUE(auditor->on_reply(request.id, answer(request.query, now), now, now + 5ms));
  }
  std::vector<schema::Row> counted() const { return output.of(schema::verification); }
  std::vector<schema::Row> mismatches() const { return output.of(schema::verification_mismatch); }

  KeptOutput output;
  std::vector<std::unique_ptr<TrackedSeries>> all;
  std::optional<Auditor> auditor;
  std::vector<Candle> repaired;
  std::vector<Asked> asked;
  feed::RequestId next_request = 1;
  bool has_requests = true;
  std::map<Time, Decimal> other_close;
  std::optional<Time> gone;
};

TEST_F(AuditorTest, AsksOnceEnoughCandlesAreOldEnough) {
  start();
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon + 20min);
  auditor->plan(noon + 4min + 59s);
  EXPECT_THAT(asked, IsEmpty());
  auditor->plan(noon + 5min);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].query.kind, exchange::RestKind::candles);
  EXPECT_EQ(asked[0].query.instrument, &bitcoin());
  EXPECT_EQ(asked[0].query.timeframe, Timeframe::m1);
  EXPECT_EQ(asked[0].query.start, noon - 10min);
  EXPECT_EQ(asked[0].query.end, noon - 5min);
  EXPECT_EQ(asked[0].priority, feed::Priority::history);
  // One at a time, and the next one where the last ended.
  auditor->plan(noon + 20min);
  EXPECT_THAT(asked, SizeIs(1));
  reply(noon + 20min);
  auditor->plan(noon + 20min);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[1].query.start, noon - 5min);
  EXPECT_EQ(asked[1].query.end, noon + 10min);
}

TEST_F(AuditorTest, WaitsForHistory) {
  start();
  auto& series = add();
  series.was_complete = false;
  auditor->plan(noon);
  auditor->plan(noon + 1h);
  series.was_complete = true;
  auditor->plan(noon + 1h);
  EXPECT_THAT(asked, IsEmpty()) << "what was just read needs no second look";
  auditor->plan(noon + 65min);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].query.start, noon + 50min);
}

TEST_F(AuditorTest, WhatIsEqualIsCounted) {
  start();
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon);
  auditor->plan(noon + 5min);
  reply(noon + 5min);
  EXPECT_THAT(mismatches(), IsEmpty());
  EXPECT_THAT(repaired, IsEmpty());
  ASSERT_THAT(counted(), SizeIs(1));
  const auto row = counted()[0];
  EXPECT_EQ(row.at("against"), schema::Value{"rest"});
  EXPECT_EQ(time_at(row, "from"), noon - 10min);
  EXPECT_EQ(time_at(row, "to"), noon - 5min);
  EXPECT_EQ(integer_at(row, "checked"), 5);
  EXPECT_EQ(integer_at(row, "equal"), 5);
  EXPECT_EQ(integer_at(row, "different") + integer_at(row, "absent"), 0);
  EXPECT_EQ(time_at(row, "recorded_at"), noon + 5min + 5ms);
  EXPECT_EQ(auditor->statistics().checked, 5U);
}

TEST_F(AuditorTest, WhatDiffersIsRecordedAndRepaired) {
  start();
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon);
  other_close[noon - 8min] = decimal("77");
  auditor->plan(noon + 5min);
  reply(noon + 5min);
  ASSERT_THAT(mismatches(), SizeIs(1));
  const auto row = mismatches()[0];
  EXPECT_EQ(time_at(row, "timestamp"), noon - 8min);
  EXPECT_EQ(row.at("columns"), schema::Value{"close"});
  EXPECT_EQ(row.at("action"), schema::Value{"revised"});
  EXPECT_EQ(row.at("against"), schema::Value{"rest"});
  EXPECT_NE(std::get<schema::Json>(row.at("found")).text.find(R"("close":77)"), std::string::npos);
  ASSERT_THAT(repaired, SizeIs(1));
  EXPECT_EQ(repaired[0].open_time, noon - 8min);
  EXPECT_EQ(repaired[0].close, decimal("77"));
  EXPECT_TRUE(repaired[0].is_closed);
  EXPECT_EQ(series.candles.closed_at(noon - 8min)->revision, 1);
  ASSERT_THAT(counted(), SizeIs(1));
  EXPECT_EQ(integer_at(counted()[0], "equal"), 4);
  EXPECT_EQ(integer_at(counted()[0], "different"), 1);
  EXPECT_EQ(auditor->statistics().different, 1U);
}

TEST_F(AuditorTest, WhatTheVenueHasNotIsRecordedAndKept) {
  start();
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon);
  gone = noon - 7min;
  auditor->plan(noon + 5min);
  reply(noon + 5min);
  ASSERT_THAT(mismatches(), SizeIs(1));
  EXPECT_EQ(time_at(mismatches()[0], "timestamp"), noon - 7min);
  EXPECT_EQ(mismatches()[0].at("action"), schema::Value{"recorded"});
  EXPECT_TRUE(schema::is_null(mismatches()[0].at("found")));
  EXPECT_THAT(repaired, IsEmpty());
  EXPECT_NE(series.candles.closed_at(noon - 7min), nullptr);
  EXPECT_EQ(auditor->statistics().absent, 1U);
}

TEST_F(AuditorTest, AHoleIsNotItsBusiness) {
  start();
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon - 8min);
  auditor->plan(noon + 5min);
  reply(noon + 5min);
  ASSERT_THAT(counted(), SizeIs(1));
  EXPECT_EQ(integer_at(counted()[0], "checked"), 2);
  // Nothing at all was stored.
  auditor->plan(noon + 10min);
  ASSERT_THAT(asked, SizeIs(2));
  reply(noon + 10min);
  EXPECT_THAT(counted(), SizeIs(1));
  EXPECT_THAT(repaired, IsEmpty());
}

TEST_F(AuditorTest, AfterARefusalItWaitsAndAsksForTheSameAgain) {
  start();
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon + 2h);
  auditor->plan(noon + 5min);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_FALSE(auditor->on_refused(999, noon + 5min));
  EXPECT_TRUE(auditor->on_refused(asked[0].id, noon + 5min));
  auditor->plan(noon + 64min);
  EXPECT_THAT(asked, SizeIs(1));
  auditor->plan(noon + 65min);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[1].query.start, noon - 10min);
}

TEST_F(AuditorTest, WithoutAHistoryItIsOff) {
  start();
  has_requests = false;
  add();
  auditor->plan(noon);
  auditor->plan(noon + 5min);
  has_requests = true;
  auditor->plan(noon + 1h);
  EXPECT_THAT(asked, IsEmpty());
}

TEST_F(AuditorTest, CanBeSwitchedOff) {
  start({.is_on = false, .ages = {10min}, .batch = 5});
  add();
  auditor->plan(noon);
  auditor->plan(noon + 1h);
  EXPECT_THAT(asked, IsEmpty());
}

TEST_F(AuditorTest, LooksAtWhatAWarehouseRemembersAsWell) {
  start();
  auto& series = add();
  series.remembered_until = noon - 1h;
  auditor->plan(noon);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].query.start, noon - 10min - 12h);
  EXPECT_EQ(asked[0].query.end, noon - 10min);
}

TEST_F(AuditorTest, NeverAsksForMoreThanTheVenueAnswers) {
  start({.ages = {10min}, .batch = 5, .most = 100});
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon + 4h);
  auditor->plan(noon + 3h);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].query.end, noon + 90min);
  reply(noon + 3h);
  auditor->plan(noon + 3h);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[1].query.start, noon + 90min);
  reply(noon + 3h);
  EXPECT_EQ(auditor->statistics().checked, 180U);
  EXPECT_EQ(auditor->statistics().absent, 0U);
}

TEST_F(AuditorTest, LooksAgainADayLater) {
  start({.ages = {10min, 24h}, .batch = 5});
  auto& series = add();
  auditor->plan(noon);
  close(series, noon - 10min, noon + 24h);
  std::map<Time, int> looks;
  for (Time now = noon; now < noon + 24h; now += 1min) {
    auditor->plan(now);
    if (asked.empty()) continue;
    const auto query = asked.back().query;
    for (Time open = *query.start; open < *query.end; open += 1min) ++looks[open];
    reply(now);
    asked.clear();
  }
  EXPECT_EQ(looks[noon - 10min], 2) << "once young, and once a day old";
  EXPECT_EQ(looks[noon - 24h], 1);
  EXPECT_EQ(looks[noon + 12h], 1);
  EXPECT_EQ(auditor->statistics().absent, 0U);
  EXPECT_EQ(auditor->statistics().different, 0U);
}

// The last row of an answer is final only long after its end: ten minutes are not long for an hour.
TEST_F(AuditorTest, OfLongerTimeframesItWaitsUntilTheNewestRowIsFinal) {
  for (const auto timeframe : {Timeframe::m5, Timeframe::m15, Timeframe::h1, Timeframe::d1}) {
    start();
    asked.clear();
    output.rows.clear();
    auto& series = add(timeframe);
    const Duration length = length_of(timeframe);
    auditor->plan(noon);
    close(series, open_of(timeframe, noon - 10 * length), noon + 20 * length);
    for (Time now = noon; asked.empty() && now < noon + 20 * length; now += 1min) {
      auditor->plan(now);
      if (!asked.empty()) reply(now);
    }
    ASSERT_THAT(counted(), SizeIs(1)) << to_text(timeframe);
    EXPECT_EQ(integer_at(counted()[0], "checked"), 5) << to_text(timeframe);
    EXPECT_EQ(integer_at(counted()[0], "equal"), 5) << to_text(timeframe);
    EXPECT_THAT(mismatches(), IsEmpty()) << to_text(timeframe);
  }
}

TEST_F(AuditorTest, AnAnswerToSomebodyElseIsNotForIt) {
  start();
  add();
  EXPECT_FALSE(auditor->on_reply(7, {}, noon, noon));
}

}  // namespace
}  // namespace candlewick::pipeline
