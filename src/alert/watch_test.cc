// The whole of it on its thread: a snapshot goes in, a request comes out, and /metrics tells.
#include "alert/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "net/testing.h"
#include "test/support/eventually.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Plans, SayWhatIsWrongWithTheConfiguration) {
  Config::Alerts config;
  EXPECT_TRUE(read_plan(config));
  config.when = {"BTC/USDT price > 1", "BTC/USDT price > x"};
  auto plan = read_plan(config);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::misconfigured);
  EXPECT_EQ(plan.error().message,
            "alerts.when: \"BTC/USDT price > x\": behind > stands one number");
  config.when.clear();
  config.slack_url = Secret("nowhere");
  plan = read_plan(config);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("alerts.slack_url"));
}

class Watching : public net::testing::ServerTest {};

TEST_F(Watching, TellsABeginningAndAnEnd) {
  net::testing::Told<std::string> came;
  handler.on_http = [&](const net::Request& request,
                        const std::shared_ptr<net::Responder>& responder) {
    responder->send({});
    came.tell(request.body);
  };
  ASSERT_NO_FATAL_FAILURE(listen());
  const RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  MetricsObserver counts(metrics);
  TeeObserver both({&observer, &counts});
  pipeline::LatestBoard board;
  std::atomic<bool> is_refusing = true;
  Config::Alerts config;
  config.webhook_url = Secret(url("http", "/hook-secret"));
  {
    Watch watch(read_plan(config).value(),
                {.clock = clock,
                 .observer = both,
                 .metrics = metrics,
                 .board = board,
                 .take_snapshot =
                     [&] {
                       Snapshot snapshot;
                       snapshot.sinks.push_back(
                           {.sink = "webhook", .dead_letters_now = is_refusing ? 3 : 0});
                       return snapshot;
                     },
                 .read_bars = {},
                 .interval = 2ms});
    EXPECT_THAT(came.wait_for(1)[0],
                HasSubstr(R"("name":"dead_letters","severity":"warning","state":"firing")"));
    EXPECT_TRUE(test::eventually([&] {
      return metrics.text().contains("candlewick_alert_firing{stage=\"dead_letters\"} 1\n");
    }));
    EXPECT_THAT(metrics.text(), HasSubstr("candlewick_alert_firing{stage=\"feed_dead\"} 0\n"));
    is_refusing = false;
    EXPECT_THAT(came.wait_for(2)[1], HasSubstr(R"("state":"resolved")"));
  }
  EXPECT_EQ(came.count(), 2U) << "one alert";
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("candlewick_alert_messages_total{stage=\"dead_letters\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("candlewick_alert_messages_total{stage=\"threshold\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("candlewick_alert_given_up_total{channel=\"webhook\"}"));
  EXPECT_THAT(text, Not(HasSubstr("hook-secret")));
}

}  // namespace
}  // namespace candlewick::alert
