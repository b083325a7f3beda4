// A service that follows a simulated venue, thresholds, and somebody who is told of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/service.h"
#include "net/testing.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;
using net::testing::Told;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z

// Takes whatever is posted to it.
class Alerts : public net::testing::ServerTest {
 protected:
  void SetUp() override {
    handler.on_http = [this](const net::Request& request,
                             const std::shared_ptr<net::Responder>& responder) {
      came.tell(request.target + " " + request.body);
      responder->send({.status = status});
    };
    ASSERT_NO_FATAL_FAILURE(listen());
    secret_url = url("http", "/hook/0123456789abcdef");
  }
  // What the handler uses ends before the loop that calls it.
  void TearDown() override {
    server.reset();
    loop.stop();
    loop.join();
  }
  std::atomic<int> status = 200;
  Told<std::string> came;
  std::string secret_url;
};

TEST_F(Alerts, AreToldOnceForEachThresholdThatIsCrossed) {
  test::SimulatedVenue venue("binance", 51, start + 30s, 60);
  test::TemporaryFolder folder;
  const RealClock clock;
  Metrics metrics;
  RecordingObserver lines;
  MetricsObserver counts(metrics);
  TeeObserver observer({&lines, &counts});
  Config config;
  config.symbols = {"BTC/USDT"};
  config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
  config.data_dir = folder.path().string();
  config.http.listen.port = 0;
  config.warehouse = "sqlite";
  config.feed.audit = false;
  config.alerts.webhook_url = Secret(secret_url);
  config.alerts.when = {"BTC price > 1", "BTC price < 1", "BTC/USDT@1h moving_average_7 > 1",
                        "kraken:BTC/USDT price > 1"};
  std::string page;
  {
    auto service = app::Service::start(config, clock, observer, metrics);
    ASSERT_TRUE(service) << service.error().message;
    const auto told = came.wait_for(2);
    ASSERT_EQ(told.size(), 2U) << "the price, and the average of hours that history was made of";
    EXPECT_THAT(told, ::testing::UnorderedElementsAre(
                          AllOf(HasSubstr(R"("name":"threshold","severity":"warning")"),
                                HasSubstr(R"("state":"firing")"),
                                HasSubstr(R"("when":"BTC/USDT price > 1")")),
                          HasSubstr(R"("when":"BTC/USDT@1h moving_average_7 > 1")")));
    // Many looks later it is still the same crossing.
    const auto looked_at = venue.now() + 4min;
    EXPECT_TRUE(test::eventually([&] { return venue.now() > looked_at; }));
    net::HttpClient http;
    const auto reply =
        http.fetch({.url = fmt::format("http://{}/metrics", (*service)->api_address())});
    ASSERT_TRUE(reply) << reply.error().message;
    page = reply->body;
    (*service)->stop();
  }
  EXPECT_EQ(came.count(), 2U);
  EXPECT_THAT(page, HasSubstr("candlewick_alert_firing{stage=\"threshold\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("candlewick_alert_firing{stage=\"feed_dead\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("candlewick_alert_delivered_total{channel=\"webhook\"} 2\n"));
  // What may go wrong is at zero before it does; how long things take is told.
  EXPECT_THAT(page, HasSubstr("candlewick_log_dropped_rows_total 0\n"));
  EXPECT_THAT(page, HasSubstr("candlewick_feed_refused_requests_total{error_kind=\"rejected\","
                              "venue=\"binance\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("candlewick_sink_dropped_rows_total{sink=\"sqlite\"} 0\n"));
  for (const auto* histogram : {"candlewick_feed_delay_seconds_count{venue=\"binance\"} ",
                                "candlewick_log_delay_seconds_count{venue=\"binance\"} ",
                                "candlewick_sink_delay_seconds_count{sink=\"sqlite\"} ",
                                "candlewick_feed_bytes{venue=\"binance\"} "}) {
    const auto at = page.find(histogram);
    ASSERT_NE(at, std::string::npos) << histogram;
    EXPECT_GT(std::stod(page.substr(page.find(' ', at))), 0) << histogram;
  }
  EXPECT_THAT(page, Not(HasSubstr("0123456789abcdef")));
  for (const auto& line : lines.lines()) EXPECT_THAT(line, Not(HasSubstr("0123456789abcdef")));
}

TEST_F(Alerts, CanBeTriedAndAreCheckedStrictly) {
  test::TemporaryFolder folder;
  std::map<std::string, std::string> environment{{"CANDLEWICK_DATA_DIR", folder.path().string()},
                                                 {"CANDLEWICK_ALERTS_WEBHOOK_URL", secret_url},
                                                 {"CANDLEWICK_ALERTS_WHEN", "BTC price > 70000"}};
  const auto run = [&](const std::vector<std::string>& arguments) {
    auto finished = test::run_program("CANDLEWICK", arguments, "", environment);
    EXPECT_THAT(finished.out + finished.err, Not(HasSubstr("0123456789abcdef")));
    return finished;
  };
  auto finished = run({"alerts", "--test"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.out,
            "{\"what\":\"receiver\",\"which\":\"webhook\",\"detail\":\"delivered\"}\n"
            "{\"what\":\"threshold\",\"which\":\"BTC/USDT price > 70000\",\"detail\":\"\"}\n");
  EXPECT_THAT(came.wait_for_one(), HasSubstr(R"("name":"test")"));
  finished = run({"alerts"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(finished.out, HasSubstr(fmt::format("\"127.0.0.1:{}\"", server->port())));
  EXPECT_EQ(came.count(), 1U) << "nobody is told without --test";
  status = 403;
  finished = run({"alerts", "--test"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.out, HasSubstr("HTTP 403"));

  environment["CANDLEWICK_ALERTS_WHEN"] = "BTC prise > 70000";
  for (const auto* command : {"check-config", "alerts", "run"}) {
    finished = run({command});
    EXPECT_EQ(finished.status, 2) << command;
    EXPECT_THAT(finished.err, HasSubstr("alerts.when: \"BTC prise > 70000\": there is no figure "
                                        "\"prise\" (did you mean \"price\"?)"));
  }
  environment.erase("CANDLEWICK_ALERTS_WHEN");
  environment.erase("CANDLEWICK_ALERTS_WEBHOOK_URL");
  finished = run({"alerts", "--test"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("nobody is told"));
}

}  // namespace
}  // namespace candlewick
