// What the parts of a service say, and what is made of it.
#include "alert/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Looking : public ::testing::Test {
 protected:
  Looking() {
    snapshot.feeds.push_back(
        {.venue = "okx", .connected = true, .sessions = 1, .last_frame_time = clock.now()});
    snapshot.pipelines.push_back({.venue = "okx"});
    snapshot.sinks.push_back({.sink = "sqlite", .state = sink::State::live, .is_looked_at = true});
    snapshot.log.size = {.bytes = 0, .budget_bytes = 1000};
    snapshot.free_bytes = std::uint64_t{100} << 30U;
  }
  // The names of what holds a while later, data flowing.
  std::vector<std::string> look(Duration later = 1s) {
    clock.advance(later);
    if (flows) snapshot.feeds[0].last_frame_time = clock.now();
    newest = conditions.look(snapshot, {clock.steady(), clock.now()});
    std::vector<std::string> names;
    for (const auto& condition : newest) {
      if (condition.finding == Finding::holds) names.push_back(condition.name);
    }
    return names;
  }
  const Condition& found(std::string_view name) const {
    for (const auto& condition : newest) {
      if (condition.name == name) return condition;
    }
    ADD_FAILURE() << name << " was not looked at";
    return newest.front();
  }

  FakeClock clock{time_from_ms(1'768'478'400'000)};
  Snapshot snapshot;
  Conditions conditions;
  std::vector<Condition> newest;
  bool flows = true;
};

TEST_F(Looking, FindsNothingWhereAllIsWell) {
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(look(24h), IsEmpty());
}

TEST_F(Looking, FindsADeadFeed) {
  flows = false;
  EXPECT_THAT(look(1min), IsEmpty());
  EXPECT_THAT(look(), ElementsAre("feed_dead")) << "connected and silent";
  EXPECT_EQ(found("feed_dead").patience, 0s) << "it has been waited for";
  EXPECT_EQ(found("feed_dead").labels, (Labels{{"exchange", "okx"}}));
  EXPECT_THAT(found("feed_dead").summary, HasSubstr("nothing has come for 61 s"));
  flows = true;
  EXPECT_THAT(look(), IsEmpty());
  snapshot.feeds[0].connected = false;
  snapshot.feeds[0].last_error = "connection refused";
  EXPECT_THAT(look(), ElementsAre("feed_dead"));
  EXPECT_EQ(found("feed_dead").patience, 1min);
  EXPECT_EQ(found("feed_dead").summary, "okx is not connected: connection refused");
  snapshot.feeds[0].paused = "the log is full";
  EXPECT_THAT(look(), IsEmpty()) << "that is another alert's";
  // Nothing of it is followed.
  flows = false;
  snapshot.feeds[0] = {.venue = "okx", .connected = true, .last_frame_time = clock.now()};
  EXPECT_THAT(look(1h), IsEmpty());
}

TEST_F(Looking, FindsWhatStaysMissingAndNotWhatIsBeingFetched) {
  auto& missing = snapshot.pipelines[0].missing_candles;
  // History comes in, an hour long.
  missing = 3000;
  for (int i = 0; i < 60; ++i) {
    missing -= 30;
    EXPECT_THAT(look(1min), IsEmpty()) << i;
  }
  // Two stay, while newer ones come and go.
  for (int i = 0; i < 15; ++i) {
    missing = i % 2 == 0 ? 2 : 3;
    EXPECT_THAT(look(1min), IsEmpty()) << i;
  }
  EXPECT_THAT(look(1min), ElementsAre("missing_data"));
  EXPECT_EQ(found("missing_data").summary,
            "okx: 2 candles are missing, and none of them could be fetched for 15 min");
  missing = 1;
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_EQ(found("missing_data").finding, Finding::near) << "fewer is not the end";
  missing = 0;
  look();
  EXPECT_EQ(found("missing_data").finding, Finding::clear);
}

TEST_F(Looking, TellsOfDifferencesForAnHour) {
  snapshot.pipelines[0].audit.checked = 100;
  EXPECT_THAT(look(), IsEmpty());
  ++snapshot.pipelines[0].audit.different;
  EXPECT_THAT(look(), ElementsAre("verification_mismatch"));
  ++snapshot.pipelines[0].trade_differences;
  EXPECT_THAT(look(50min), ElementsAre("verification_mismatch"));
  EXPECT_THAT(found("verification_mismatch").summary, HasSubstr("okx: 2 candles differ"));
  EXPECT_THAT(look(60min), ElementsAre("verification_mismatch"));
  EXPECT_THAT(look(), IsEmpty());
  ++snapshot.pipelines[0].audit.absent;
  look();
  EXPECT_THAT(found("verification_mismatch").summary, HasSubstr("okx: 1 candles differ"));
}

TEST_F(Looking, CountsTheSameDifferenceOnce) {
  ++snapshot.pipelines[0].audit.different;
  snapshot.mismatches["okx"] = 1;
  snapshot.mismatches["kraken"] = 3;  // another process has compared
  EXPECT_THAT(look(), ElementsAre("verification_mismatch", "verification_mismatch"));
  EXPECT_THAT(newest, Contains(::testing::Field(&Condition::summary, HasSubstr("okx: 1 candles"))));
  EXPECT_THAT(newest,
              Contains(::testing::Field(&Condition::summary, HasSubstr("kraken: 3 candles"))));
}

TEST_F(Looking, FindsASinkThatIsStuck) {
  auto& sink = snapshot.sinks[0];
  sink.state = sink::State::stopped;
  sink.last_error = Error{ErrorKind::misconfigured, "no such table"};
  EXPECT_THAT(look(), ElementsAre("sink_stuck"));
  EXPECT_EQ(found("sink_stuck").summary, "sink sqlite is set up wrongly: no such table");
  EXPECT_EQ(found("sink_stuck").patience, 30s);
  sink.state = sink::State::backing_off;
  sink.oldest_pending = clock.now();
  sink.lag_rows = 12;
  EXPECT_THAT(look(5min), IsEmpty());
  EXPECT_THAT(look(), ElementsAre("sink_stuck"));
  EXPECT_EQ(found("sink_stuck").summary, "sink sqlite is 5 min and 12 rows behind: no such table");
  // One whose batches wait for company on purpose.
  snapshot.batch_ages["sqlite"] = 15min;
  EXPECT_THAT(look(14min), IsEmpty());
  EXPECT_THAT(look(1min), ElementsAre("sink_stuck"));
}

TEST_F(Looking, FindsDeadLettersAndLostRows) {
  auto& sink = snapshot.sinks[0];
  sink.dropped_rows = 50;  // before this start: told then
  EXPECT_THAT(look(), IsEmpty());
  sink.dead_letters_now = 2;
  EXPECT_THAT(look(), ElementsAre("dead_letters"));
  sink.dead_letters_now = 0;
  sink.dropped_rows = 57;
  EXPECT_THAT(look(), ElementsAre("rows_lost"));
  EXPECT_EQ(found("rows_lost").summary, "sink sqlite: the log gave up 7 rows that it did not have");
  EXPECT_THAT(look(61min), IsEmpty());
}

TEST_F(Looking, WatchesTheLogAndTheDisk) {
  snapshot.log.size.bytes = 799;
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_EQ(found("disk_budget").finding, Finding::near);
  snapshot.log.size.bytes = 800;
  EXPECT_THAT(look(), ElementsAre("disk_budget"));
  EXPECT_EQ(found("disk_budget").urgency, Urgency::warning);
  snapshot.log.size.bytes = 950;
  EXPECT_THAT(look(), ElementsAre("disk_budget"));
  EXPECT_EQ(found("disk_budget").urgency, Urgency::critical);
  snapshot.log.size = {};  // no budget
  snapshot.free_bytes = (std::uint64_t{1} << 30U) - 1;
  EXPECT_THAT(look(), ElementsAre("disk_budget"));
  EXPECT_EQ(found("disk_budget").summary, "the disk of data_dir has 1023 MiB left");
  snapshot.free_bytes = std::uint64_t{1} << 27U;
  look();
  EXPECT_EQ(found("disk_budget").urgency, Urgency::critical);
  snapshot.free_bytes.reset();
  snapshot.log.is_failing = true;
  snapshot.log.last_error = Error{ErrorKind::transient, "disk full"};
  EXPECT_THAT(look(), ElementsAre("log_failing"));
  EXPECT_EQ(found("log_failing").summary, "the log cannot be written: disk full");
}

TEST_F(Looking, WatchesWhatExpires) {
  snapshot.credentials = {{.name = "http.certificate_file", .expires = clock.now() + 15 * 24h}};
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(look(24h), ElementsAre("key_expiring"));
  EXPECT_EQ(found("key_expiring").urgency, Urgency::warning);
  EXPECT_THAT(found("key_expiring").summary,
              HasSubstr("http.certificate_file expires in 13 d, at"));
  look(11 * 24h);
  EXPECT_EQ(found("key_expiring").urgency, Urgency::critical);
  look(3 * 24h);
  EXPECT_THAT(found("key_expiring").summary, HasSubstr("expired at 2026-01-30T12:00:00Z"));
  snapshot.credentials = {{.name = "http.certificate_file", .problem = "no such file"},
                          {.name = "supabase.service_role_key"}};
  EXPECT_THAT(look(), ElementsAre("key_expiring"));
  EXPECT_EQ(found("key_expiring").summary, "http.certificate_file: no such file");
  snapshot.credentials = {
      {.name = "http.certificate_file", .expires = clock.now() + 24h, .is_renewed_on_disk = true}};
  EXPECT_THAT(look(), ElementsAre("key_expiring"));
  EXPECT_THAT(found("key_expiring").summary,
              EndsWith("; it is renewed on disk: restart to use it"));
}

}  // namespace
}  // namespace candlewick::alert
