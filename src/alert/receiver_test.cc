// The forms that the services want, what their answers mean, and what nobody may see.
#include "alert/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const Message message{.name = "feed_dead",
                      .urgency = Urgency::critical,
                      .phase = Phase::firing,
                      .summary = "okx is not connected: <&> \"refused\" @everyone *_`",
                      .labels = {{"exchange", "okx"}},
                      .at = time_from_ms(1'768'478'400'000),
                      .since = time_from_ms(1'768'478'340'000)};

Config::Alerts all() {
  Config::Alerts config;
  config.slack_url = Secret("https://hooks.slack.example/services/T0/B0/slack-secret");
  config.discord_url = Secret("https://discord.example/api/webhooks/1/discord-secret");
  config.telegram_token = Secret("123456:telegram-secret");
  config.telegram_chat = "-100200";
  config.webhook_url = Secret("https://example.org/hook?key=webhook-secret");
  return config;
}

std::string member(const std::string& body, std::string_view wanted) {
  std::string found;
  json::Reader reader;
  EXPECT_TRUE(reader.read(body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == wanted) found = value.string();
    });
  })) << body;
  return found;
}

TEST(Receivers, HaveTheFormsThatTheirServicesWant) {
  const auto receivers = make_receivers(all());
  ASSERT_TRUE(receivers) << receivers.error().message;
  ASSERT_EQ(receivers->size(), 4U);
  for (const auto& receiver : *receivers) {
    const auto request = receiver.request(message);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.headers.get("Content-Type"), "application/json");
  }
  const auto slack = (*receivers)[0].request(message);
  EXPECT_EQ(slack.url, "https://hooks.slack.example/services/T0/B0/slack-secret");
  EXPECT_EQ(member(slack.body, "text"),
            "FIRING feed_dead (critical): okx is not connected: &lt;&amp;&gt; \"refused\" "
            "@everyone *_` [exchange=okx]");
  const auto discord = (*receivers)[1].request(message);
  EXPECT_EQ(member(discord.body, "content"), to_line(message));
  EXPECT_THAT(discord.body, HasSubstr(R"("allowed_mentions":{"parse":[]})")) << "nobody is called";
  const auto telegram = (*receivers)[2].request(message);
  EXPECT_EQ(telegram.url, "https://api.telegram.org/bot123456:telegram-secret/sendMessage");
  EXPECT_EQ(member(telegram.body, "chat_id"), "-100200");
  EXPECT_EQ(member(telegram.body, "text"), to_line(message));
  EXPECT_THAT(telegram.body, Not(HasSubstr("parse_mode")));
  EXPECT_EQ((*receivers)[3].request(message).body,
            R"({"name":"feed_dead","severity":"critical","state":"firing",)"
            R"("summary":"okx is not connected: <&> \"refused\" @everyone *_`",)"
            R"("labels":{"exchange":"okx"},"at":"2026-01-15T12:00:00Z",)"
            R"("since":"2026-01-15T11:59:00Z"})");
}

TEST(Receivers, AreThoseThatAreConfigured) {
  EXPECT_TRUE(make_receivers({})->empty());
  Config::Alerts config;
  config.telegram_token = Secret("1:a");
  config.telegram_chat = "5";
  config.telegram_base_url = "http://127.0.0.1:8081/";
  const auto receivers = make_receivers(config);
  ASSERT_TRUE(receivers) << receivers.error().message;
  ASSERT_EQ(receivers->size(), 1U);
  EXPECT_EQ((*receivers)[0].name, "telegram");
  EXPECT_EQ((*receivers)[0].host, "127.0.0.1:8081");
  EXPECT_EQ((*receivers)[0].request(message).url, "http://127.0.0.1:8081/bot1:a/sendMessage");
}

TEST(Receivers, SayWhichKeyIsWrongAndNotItsValue) {
  const auto refused = [](auto change) {
    Config::Alerts config;
    change(config);
    const auto receivers = make_receivers(config);
    EXPECT_FALSE(receivers);
    if (receivers) return std::string{};
    EXPECT_EQ(receivers.error().kind, ErrorKind::misconfigured);
    EXPECT_THAT(receivers.error().message, Not(HasSubstr("hunter2")));
    return receivers.error().message;
  };
  using A = Config::Alerts;
  EXPECT_THAT(refused([](A& a) { a.slack_url = Secret("hunter2"); }),
              HasSubstr("alerts.slack_url: "));
  EXPECT_THAT(refused([](A& a) { a.discord_url = Secret("http://example.org/hunter2"); }),
              HasSubstr("alerts.discord_url: "));
  EXPECT_THAT(refused([](A& a) { a.webhook_url = Secret("wss://example.org/hunter2"); }),
              HasSubstr("alerts.webhook_url: "));
  EXPECT_THAT(refused([](A& a) { a.telegram_token = Secret("1:hunter2"); }),
              HasSubstr("alerts.telegram_chat: is empty"));
  EXPECT_THAT(refused([](A& a) { a.telegram_chat = "5"; }),
              HasSubstr("alerts.telegram_token: is empty"));
  EXPECT_THAT(refused([](A& a) {
                a.telegram_chat = "5";
                a.telegram_token = Secret("1/../hunter2");
              }),
              HasSubstr("alerts.telegram_token: "));
  EXPECT_THAT(refused([](A& a) {
                a.telegram_chat = "5";
                a.telegram_token = Secret("1:hunter2");
                a.telegram_base_url = "http://example.org";
              }),
              HasSubstr("alerts.telegram_base_url: "));
}

TEST(Receivers, TakeSecretsOutOfErrors) {
  const auto receivers = make_receivers(all());
  for (const auto& receiver : *receivers) {
    const std::string url = receiver.request(message).url;
    const std::string said =
        receiver.redact(url + ": refused; " + url.substr(0, url.find('?')) + "; POST " +
                        url.substr(url.find('/', 9)) + " 123456:telegram-secret");
    EXPECT_THAT(said, HasSubstr("refused"));
    EXPECT_THAT(said, Not(HasSubstr(receiver.name + "-secret"))) << said;
  }
}

TEST(Texts, AreCutAtCharacters) {
  EXPECT_EQ(cut("abc", 3), "abc");
  EXPECT_EQ(cut("abcd", 3), "ab…");
  EXPECT_EQ(cut("äöü", 3), "äöü");
  EXPECT_EQ(cut("äöüß", 3), "äö…");
  EXPECT_EQ(cut("🕯🕯", 4), "🕯🕯") << "two units each";
  EXPECT_EQ(cut("🕯🕯🕯", 4), "🕯…");
  Message long_one = message;
  long_one.summary = std::string(10'000, 'x');
  const auto receivers = make_receivers(all());
  EXPECT_EQ(member((*receivers)[1].request(long_one).body, "content").size(), 1999 + 3U);
  EXPECT_EQ(member((*receivers)[2].request(long_one).body, "text").size(), 4095 + 3U);
}

TEST(Answers, SayWhetherToTryAgain) {
  using enum Verdict::Kind;
  struct Case {
    int status;
    std::string body;
    std::string retry_after;
    Verdict::Kind kind;
    std::optional<Duration> at_least;
  };
  const Case cases[] = {
      {200, "ok", "", delivered, {}},
      {204, "", "", delivered, {}},
      {429, "", "7", retry, 7s},
      {429, R"({"message":"slow","retry_after":1.5,"global":false})", "2", retry, 1500ms},
      {429, R"({"ok":false,"error_code":429,"parameters":{"retry_after":35}})", "", retry, 35s},
      {429, R"({"retry_after":1e99})", "", retry, 1h},
      {429, R"({"retry_after":-1})", "", retry, {}},
      {429, "rate_limited", "soon", retry, {}},
      {503, "", "3", retry, 3s},
      {500, "", "", retry, {}},
      {408, "", "", retry, {}},
      {400, "invalid_payload", "", refused, {}},
      {403, "", "", refused, {}},
      {404, "no_service", "9", refused, {}},
      {302, "", "", refused, {}},
  };
  for (const auto& [status, body, retry_after, kind, at_least] : cases) {
    net::HttpResponse response{.status = status, .body = body};
    if (!retry_after.empty()) response.headers.add("Retry-After", retry_after);
    const auto verdict = judge(response);
    EXPECT_EQ(verdict.kind, kind) << status << body;
    EXPECT_EQ(verdict.at_least, at_least) << status << body;
    EXPECT_EQ(verdict.problem.empty(), kind == delivered);
  }
  EXPECT_EQ(judge(fail(ErrorKind::transient, "timeout")).kind, retry);
  EXPECT_EQ(judge(fail(ErrorKind::malformed, "no HTTP")).kind, retry);
  EXPECT_EQ(judge(fail(ErrorKind::misconfigured, "certificate")).kind, refused);
}

}  // namespace
}  // namespace candlewick::alert
