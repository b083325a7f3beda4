// Every receiver's form over a real server: taken, throttled, refused, hung up on.
#include "alert/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/clock.h"
#include "net/testing.h"
#include "test/support/eventually.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;
using net::testing::Told;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Notifying : public net::testing::ServerTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(listen());
    handler.on_http = [this](const net::Request& request,
                             const std::shared_ptr<net::Responder>& responder) {
      const auto number = ++requests;
      responder->send(answer(request, number));
      came.tell(request.path + " " + request.body);
    };
    config.slack_url = Secret(url("http", "/services/T0/slack-secret"));
    config.discord_url = Secret(url("http", "/api/webhooks/1/discord-secret?wait=true"));
    config.telegram_token = Secret("123:telegram-secret");
    config.telegram_chat = "5";
    config.telegram_base_url = url("http", "");
    config.webhook_url = Secret(url("http", "/hook?key=webhook-secret"));
  }
  void TearDown() override {
    mine.stop();
    mine.join();
    http.reset();
    notifier.reset();
    for (const auto& line : observer.lines()) EXPECT_THAT(line, Not(HasSubstr("-secret"))) << line;
  }
  void start() {
    auto receivers = make_receivers(config);
    ASSERT_TRUE(receivers) << receivers.error().message;
    notifier = std::make_unique<Notifier>(mine, *http, clock, observer, std::move(*receivers),
                                          MailboxOptions{.retry = {.first = 1ms, .cap = 5ms}});
    mine.start();
  }
  void tell(const std::string& summary) {
    mine.call([&] {
      notifier->tell(
          {.name = "x", .urgency = Urgency::warning, .phase = Phase::firing, .summary = summary});
    });
  }
  // Waits until nothing waits.
  void settle() {
    EXPECT_TRUE(test::eventually([&] {
      bool is_done = true;
      mine.call([&] {
        for (const auto& [name, count] : notifier->waiting()) is_done = is_done && count == 0;
      });
      return is_done;
    }));
  }
  // Only one receiver.
  void only(Secret Config::Alerts::* address) {
    Config::Alerts one;
    one.*address = config.*address;
    config = one;
  }

  std::function<net::Response(const net::Request&, int)> answer =
      [](const net::Request&, int) -> net::Response { return {.status = 200, .body = "ok"}; };
  std::atomic<int> requests = 0;
  Told<std::string> came;
  Config::Alerts config;
  RealClock clock;
  RecordingObserver observer;
  net::Loop mine{"alerts"};
  std::unique_ptr<net::HttpClient> http = std::make_unique<net::HttpClient>();
  std::unique_ptr<Notifier> notifier;
};

TEST_F(Notifying, TellsEveryReceiverInItsForm) {
  start();
  tell("hello");
  EXPECT_THAT(came.wait_for(4),
              ::testing::UnorderedElementsAre(
                  R"(/services/T0/slack-secret {"text":"FIRING x (warning): hello"})",
                  R"(/api/webhooks/1/discord-secret {"content":"FIRING x (warning): hello",)"
                  R"("allowed_mentions":{"parse":[]}})",
                  R"(/bot123:telegram-secret/sendMessage {"chat_id":"5",)"
                  R"("text":"FIRING x (warning): hello",)"
                  R"("link_preview_options":{"is_disabled":true}})",
                  HasSubstr(R"(/hook {"name":"x","severity":"warning","state":"firing",)")));
  settle();
  EXPECT_EQ(observer.count("alert_delivered"), 4U);
}

TEST_F(Notifying, WaitsWhenItIsThrottledAndKeepsTheOrder) {
  answer = [](const net::Request& request, int number) -> net::Response {
    if (number > 3) return {.status = 204};
    // As Slack, Discord and Telegram say it.
    if (number == 1) return {.status = 429, .headers = {{"Retry-After", "0"}}};
    if (number == 2) return {.status = 429, .body = R"({"retry_after":0.005})"};
    EXPECT_EQ(request.method, "POST");
    return {.status = 429, .body = R"({"ok":false,"parameters":{"retry_after":0}})"};
  };
  only(&Config::Alerts::discord_url);
  start();
  tell("first");
  tell("second");
  const auto bodies = came.wait_for(5);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_THAT(bodies[i], HasSubstr("first"));
  EXPECT_THAT(bodies[4], HasSubstr("second"));
  settle();
  EXPECT_EQ(observer.count("alert_delayed"), 3U);
  EXPECT_EQ(observer.count("alert_delivered"), 2U);
}

TEST_F(Notifying, GivesUpWhatIsRefusedAndGoesOn) {
  answer = [this](const net::Request& request, int number) -> net::Response {
    // With everything in it that may not be seen.
    if (number == 1) {
      return {.status = 403, .body = "no: " + request.target + " " + config.slack_url.reveal()};
    }
    return {};
  };
  only(&Config::Alerts::slack_url);
  start();
  tell("first");
  tell("second");
  EXPECT_THAT(came.wait_for(2)[1], HasSubstr("second"));
  settle();
  EXPECT_EQ(observer.count("alert_given_up"), 1U);
  EXPECT_THAT(observer.lines().front(), HasSubstr("alert_given_up channel=slack error=HTTP 403"));
}

TEST_F(Notifying, SlowReceiversHoldNobodyUp) {
  std::vector<std::shared_ptr<net::Responder>> held;
  handler.on_http = [&](const net::Request& request,
                        const std::shared_ptr<net::Responder>& responder) {
    if (request.path.starts_with("/services")) {
      held.push_back(responder);
      return;
    }
    responder->send({});
    came.tell(request.path + " " + request.body);
  };
  start();
  tell("first");
  tell("second");
  EXPECT_EQ(came.wait_for(6).size(), 6U);
  EXPECT_TRUE(test::eventually([&] { return observer.count("alert_delivered") == 6; }));
  mine.stop();
  mine.join();
  http.reset();
  notifier.reset();
  EXPECT_EQ(observer.count("alert_given_up"), 1U) << "what Slack lacks";
  loop.call([&] { held.clear(); });
}

TEST_F(Notifying, TriesAgainWhenNobodyListens) {
  only(&Config::Alerts::webhook_url);
  const auto port = server->port();
  loop.call([&] { server.reset(); });
  start();
  tell("late");
  ASSERT_TRUE(test::eventually([&] { return observer.count("alert_delayed") > 0; }));
  ASSERT_NO_FATAL_FAILURE(listen({.port = port}));
  EXPECT_THAT(came.wait_for_one(), HasSubstr("late"));
  settle();
  EXPECT_EQ(observer.count("alert_given_up"), 0U);
}

}  // namespace
}  // namespace candlewick::alert
