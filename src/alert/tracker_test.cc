// Alerts from their beginning to their end, on a clock that is moved by hand.
#include "alert/tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/clock.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Time noon = time_from_ms(1'768'478'400'000);

class Tracking : public ::testing::Test {
 protected:
  // "phase name: summary", of all that is told.
  std::vector<std::string> look(const std::vector<Condition>& conditions, Duration later = 1s) {
    clock.advance(later);
    std::vector<std::string> lines;
    for (const auto& message : tracker.look(conditions, {clock.steady(), clock.now()})) {
      lines.push_back(
          fmt::format("{} {}: {}", to_text(message.phase), message.name, message.summary));
    }
    return lines;
  }
  std::vector<std::string> look(Finding finding, Duration later = 1s) {
    condition.finding = finding;
    return look({condition}, later);
  }

  FakeClock clock{noon};
  Tracker tracker{4h};
  Condition condition{
      .name = "feed_dead", .labels = {{"exchange", "okx"}}, .summary = "okx is dead"};
};

TEST_F(Tracking, TellsTheBeginningAndTheEndOnce) {
  EXPECT_THAT(look(Finding::clear), IsEmpty());
  EXPECT_THAT(look(Finding::holds), ElementsAre("firing feed_dead: okx is dead"));
  EXPECT_THAT(look(Finding::holds), IsEmpty());
  EXPECT_EQ(tracker.firing(), (std::map<std::string, std::size_t>{{"feed_dead", 1}}));
  EXPECT_THAT(look(Finding::clear), ElementsAre("resolved feed_dead: over: okx is dead"));
  EXPECT_THAT(look(Finding::clear), IsEmpty());
  EXPECT_THAT(tracker.firing(), IsEmpty());
  condition.resolved = "okx lives";
  EXPECT_THAT(look(Finding::holds), ElementsAre("firing feed_dead: okx is dead"));
  EXPECT_THAT(look(Finding::clear), ElementsAre("resolved feed_dead: okx lives"));
}

TEST_F(Tracking, WaitsAsLongAsTheConditionIsPatient) {
  condition.patience = 1min;
  EXPECT_THAT(look(Finding::holds), IsEmpty());
  EXPECT_THAT(look(Finding::holds, 59s), IsEmpty());
  EXPECT_THAT(look(Finding::clear), IsEmpty()) << "a short interruption";
  EXPECT_THAT(look(Finding::holds), IsEmpty());
  EXPECT_THAT(look(Finding::holds, 59s), IsEmpty());
  EXPECT_THAT(look(Finding::holds), ElementsAre("firing feed_dead: okx is dead"));
}

TEST_F(Tracking, TellsWhenItWasFirstSeen) {
  condition.patience = 1min;
  look(Finding::holds);
  clock.advance(1min);
  condition.finding = Finding::holds;
  const auto messages = tracker.look({condition}, {clock.steady(), clock.now()});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].since, noon + 1s);
  EXPECT_EQ(messages[0].at, noon + 61s);
  EXPECT_EQ(messages[0].labels, (Labels{{"exchange", "okx"}}));
}

TEST_F(Tracking, RepeatsWhatGoesOn) {
  look(Finding::holds);
  EXPECT_THAT(look(Finding::holds, 4h - 1s), IsEmpty());
  condition.summary = "okx is still dead";
  EXPECT_THAT(look(Finding::holds), ElementsAre("repeated feed_dead: okx is still dead"));
  EXPECT_THAT(look(Finding::holds), IsEmpty());
  EXPECT_THAT(look(Finding::holds, 4h), ElementsAre("repeated feed_dead: okx is still dead"));
}

TEST_F(Tracking, NeverRepeatsWithoutAnInterval) {
  tracker = Tracker(Duration::zero());
  look(Finding::holds);
  EXPECT_THAT(look(Finding::holds, 1000h), IsEmpty());
}

TEST_F(Tracking, TellsAtOnceWhenItGetsWorseAndNothingWhenItGetsBetter) {
  look(Finding::holds);
  condition.urgency = Urgency::critical;
  EXPECT_THAT(look(Finding::holds), ElementsAre("firing feed_dead: okx is dead"));
  condition.urgency = Urgency::warning;
  EXPECT_THAT(look(Finding::holds), IsEmpty());
  condition.urgency = Urgency::critical;
  EXPECT_THAT(look(Finding::holds), IsEmpty()) << "it was that bad before";
}

TEST_F(Tracking, DancingOnTheLineIsOneAlert) {
  condition.calm = 5min;
  std::vector<std::string> told;
  for (int i = 0; i < 1000; ++i) {
    const auto lines = look(i % 3 == 0 ? Finding::holds : Finding::near, 10s);
    told.insert(told.end(), lines.begin(), lines.end());
  }
  EXPECT_THAT(told, ElementsAre("firing feed_dead: okx is dead"));
  // Clear of the line it is over at once, and the next crossing is another alert.
  EXPECT_THAT(look(Finding::clear), ElementsAre("resolved feed_dead: over: okx is dead"));
  EXPECT_THAT(look(Finding::near), IsEmpty());
  EXPECT_THAT(look(Finding::holds), ElementsAre("firing feed_dead: okx is dead"));
  // Near it, after some calm.
  EXPECT_THAT(look(Finding::near), IsEmpty());
  EXPECT_THAT(look(Finding::near, 5min - 1s), IsEmpty());
  EXPECT_THAT(look(Finding::near), ElementsAre("resolved feed_dead: over: okx is dead"));
}

TEST_F(Tracking, WhatNobodyKnowsChangesNothing) {
  condition.calm = 1min;
  look(Finding::holds);
  EXPECT_THAT(look(Finding::unknown, 24h), IsEmpty());
  EXPECT_THAT(look(Finding::near), IsEmpty());
  EXPECT_THAT(look(Finding::unknown, 1h), IsEmpty());
  EXPECT_THAT(look(Finding::near), IsEmpty()) << "the calm begins anew";
  EXPECT_THAT(look(Finding::near, 1min), ElementsAre("resolved feed_dead: over: okx is dead"));
  condition.patience = 1min;
  EXPECT_THAT(look(Finding::holds), IsEmpty());
  EXPECT_THAT(look(Finding::unknown, 1h), IsEmpty());
  EXPECT_THAT(look(Finding::holds), IsEmpty()) << "nobody knows whether it held meanwhile";
}

TEST_F(Tracking, WhatIsNotLookedAtAnyMoreIsOver) {
  Condition other = condition;
  other.labels = {{"exchange", "kraken"}};
  other.finding = condition.finding = Finding::holds;
  EXPECT_EQ(look({condition, other}).size(), 2U) << "two of a kind are two alerts";
  EXPECT_THAT(look(std::vector{other}),
              ElementsAre("resolved feed_dead: not looked at any more: okx is dead"));
  EXPECT_THAT(look(std::vector{other}), IsEmpty());
}

}  // namespace
}  // namespace candlewick::alert
