// When the service calls itself healthy, ready and alive.
#include "api/testing.h"

namespace candlewick::api {
namespace {

using std::chrono::seconds;
using testing::Answer;
using ::testing::HasSubstr;

class HealthPage : public testing::ApiTest {
 protected:
  HealthPage() {
    feeds = {{.venue = "binance",
              .connected = true,
              .sessions = 1,
              .live_sessions = 1,
              .last_frame_time = noon},
             {.venue = "okx",
              .connected = true,
              .sessions = 1,
              .live_sessions = 1,
              .last_frame_time = noon}};
    sinks = {{.sink = "sqlite", .state = sink::State::live}};
    log = log::WriterStatistics{.queued_rows = 3};
  }
};

TEST_F(HealthPage, IsOkWhileEverythingWorks) {
  feeds[0].venue_time = noon - seconds{1};
  clock.advance(seconds{2});
  const Answer answer = get("/health");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, ::testing::StartsWith(
                               R"({"status":"ok","version":"1.2.3","time":"2024-05-01T12:00:02Z",)"
                               R"("problems":[],"warnings":[],"feeds":[{"venue":"binance",)"));
  EXPECT_EQ(answer.member("last_event_age_ms"), "2000");
  EXPECT_EQ(answer.member("venue_time"), "2024-05-01T11:59:59Z");
  EXPECT_THAT(answer.body, HasSubstr(R"("log":{"queued_rows":3,)"));
  json::Reader reader;
  EXPECT_TRUE(reader.read(answer.body, [](json::Value) {}));
}

TEST_F(HealthPage, FollowsTheFeedsThroughSilenceAndLoss) {
  EXPECT_EQ(get("/health").status, 200);
  clock.advance(seconds{30});
  EXPECT_EQ(get("/health").status, 200);
  feeds[1].last_frame_time = clock.now();
  clock.advance(seconds{1});
  const Answer silent = get("/health");
  EXPECT_EQ(silent.status, 503);
  EXPECT_EQ(silent.member("status"), "degraded");
  EXPECT_THAT(silent.body, HasSubstr(R"("problems":["binance: no frame for 31 s"])"));
  feeds[1].connected = false;
  const Answer down = get("/health");
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(down.member("status"), "down");
  EXPECT_THAT(down.body, HasSubstr("okx: not connected"));
  feeds[0].last_frame_time = clock.now();
  feeds[1] = feeds[0];
  EXPECT_EQ(get("/health").status, 200);
  // Nothing is followed there: that is no trouble.
  feeds[1] = {.venue = "okx", .connected = true};
  EXPECT_EQ(get("/health").status, 200);
}

TEST_F(HealthPage, FailsWithASinkOrTheLogAndWarnsOfLag) {
  sinks[0].state = sink::State::catching_up;
  sinks[0].lag_rows = 7;
  sinks[0].oldest_pending = noon - seconds{121};
  const Answer lagging = get("/health");
  EXPECT_EQ(lagging.status, 200);
  EXPECT_EQ(lagging.member("status"), "degraded");
  EXPECT_THAT(lagging.body, HasSubstr(R"("warnings":["sink sqlite: 121 s behind"])"));
  EXPECT_THAT(lagging.body, HasSubstr(R"("lag_rows":7,"lag_seconds":121,)"));
  for (const auto state : {sink::State::stopped, sink::State::backing_off}) {
    sinks[0].state = state;
    sinks[0].last_error = Error{ErrorKind::transient, "no \"space\""};
    const Answer failing = get("/health");
    EXPECT_EQ(failing.status, 503);
    EXPECT_THAT(failing.body,
                HasSubstr(R"("last_error":{"kind":"transient","message":"no \"space\""})"));
    EXPECT_THAT(
        failing.body,
        HasSubstr(fmt::format(R"("problems":["sink sqlite: {}: no \"space\""])", to_text(state))));
  }
  sinks[0].state = sink::State::live;
  sinks[0].oldest_pending.reset();
  EXPECT_EQ(get("/health").status, 200);
  log->is_failing = true;
  EXPECT_EQ(get("/health").status, 503);
  EXPECT_THAT(get("/health").body, HasSubstr("the log cannot be written"));
  log->size = {.bytes = 17, .budget_bytes = 20, .dropped_rows = 3};
  sinks[0].dropped_rows = 3;
  const Answer told = get("/v1/sinks");
  EXPECT_THAT(told.body, HasSubstr(R"({"data":[{"sink":"sqlite","state":"live",)"));
  EXPECT_THAT(told.body, HasSubstr(R"("dropped_rows":3,)"));
  EXPECT_THAT(told.body, HasSubstr(R"("bytes":17,"budget_bytes":20,"given_up_rows":3,)"));
}

TEST_F(HealthPage, SaysThatAFeedIsPausedAndWhy) {
  feeds[0].paused = "paused: the log's disk budget is used up";
  feeds[0].connected = false;
  const Answer answer = get("/health");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("binance: paused: the log's disk budget is used up"));
  EXPECT_THAT(answer.body, HasSubstr(R"("paused":true)"));
}

TEST_F(HealthPage, SaysWhatReadinessWaitsFor) {
  auto& slot = add("binance", "BTC/USDT", "BTCUSDT");
  not_ready = "the warehouse is being migrated";
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/readyz").member("reason"), "the warehouse is being migrated");
  not_ready.clear();
  const Answer waiting = get("/readyz");
  EXPECT_EQ(waiting.status, 503);
  EXPECT_THAT(waiting.body, HasSubstr(R"("waiting_for":["binance:BTC/USDT"])"));
  EXPECT_EQ(get("/livez").status, 200);
  slot.with([&](pipeline::Latest& latest) {
    latest.is_stale = true;
    latest.closed.emplace(Timeframe::m1, candle(0, noon, "1", true));
  });
  const Answer ready = get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.member("stale"), "1");
}

TEST_F(HealthPage, GivesPrometheusItsGauges) {
  clock.advance(seconds{5});
  EXPECT_EQ(get("/livez").status, 200);
  const Answer page = get("/metrics");
  EXPECT_EQ(page.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("candlewick_feed_connected{venue=\"binance\"} 1\n"));
  EXPECT_THAT(page.body, HasSubstr("candlewick_feed_last_frame_age_seconds{venue=\"okx\"} 5\n"));
  EXPECT_THAT(page.body, HasSubstr("candlewick_sink_lag_rows{sink=\"sqlite\"} 0\n"));
  EXPECT_THAT(page.body, HasSubstr("candlewick_sink_dropped_rows{sink=\"sqlite\"} 0\n"));
  EXPECT_THAT(page.body, HasSubstr("error_kind=\"transient\""));
  EXPECT_THAT(page.body, HasSubstr("candlewick_log_budget_bytes 0\n"));
  EXPECT_THAT(page.body, HasSubstr("candlewick_log_queued_rows 3\n"));
  EXPECT_THAT(page.body,
              HasSubstr("candlewick_api_requests_total{route=\"/livez\",status=\"2xx\"} 1\n"));
  EXPECT_THAT(page.body, HasSubstr("candlewick_api_request_seconds_count{route=\"/livez\"} 1\n"));
  const auto at = page.body.find("\ncandlewick_process_resident_memory_bytes ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_GT(std::stod(page.body.substr(page.body.find(' ', at))), 1e6);
  // Every line is a comment or a name, perhaps labels, and a number.
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < page.body.size(); ++lines) {
    const std::size_t end = page.body.find('\n', begin);
    ASSERT_NE(end, std::string::npos) << "the last line ends";
    const std::string line = page.body.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("# HELP candlewick_") || line.starts_with("# TYPE candlewick_")) continue;
    const std::size_t space = line.rfind(' ');
    ASSERT_TRUE(line.starts_with("candlewick_") && space != std::string::npos) << line;
    EXPECT_EQ(line[space - 1] == '}', line.contains('{')) << line;
    std::size_t read = 0;
    std::stod(line.substr(space + 1), &read);
    EXPECT_EQ(read, line.size() - space - 1) << line;
  }
  EXPECT_GT(lines, 100U);
}

}  // namespace
}  // namespace candlewick::api
