// The webhook against a receiver on loopback: what is signed, how batches are named, and what each
// answer means.
#include "sink/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing.h"
#include "sink/testing.h"

namespace candlewick::sink {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view log_id = "0123abcd";

class WebhookSink : public net::testing::ServerTest {
 protected:
  void SetUp() override {
    handler.on_http = [this](net::Request request, std::shared_ptr<net::Responder> responder) {
      requests.tell(std::move(request));
      responder->send({.status = status, .headers = headers, .body = "said so"});
    };
    listen();
  }
  std::unique_ptr<Sink> make(bool exchange_symbol_style = false) {
    return make_webhook({.url = url("http", "/rows?token=hush"),
                         .secret = Secret("a secret"),
                         .tables = {"market_ticks", "technical_indicators"},
                         .exchange_symbol_style = exchange_symbol_style},
                        clock);
  }
  static Batch batch() {
    return {std::string(log_id),
            {{.sequence = 7, .row = tick_row("1.50")},
             {.sequence = 8, .row = log::candle_row({})},
             {.sequence = 9, .row = indicator_row(55.5, 2)}}};
  }

  FakeClock clock{Time{std::chrono::seconds{1'700'000'000}}};
  int status = 204;
  net::Headers headers;
  net::testing::Told<net::Request> requests;
};

TEST(WebhookSignature, IsWhatOtherToolsCompute) {
  // printf '1700000000.[]' | openssl dgst -sha256 -hmac 'a secret'
  EXPECT_EQ(webhook_signature(Secret("a secret"), "1700000000", "[]"),
            "sha256=71e51fa992a9118f888654e856ee8e730fb70305923e15e7d809d4117e547169");
}

TEST_F(WebhookSink, PostsTheRowsOfItsTablesSignedAndNamed) {
  ASSERT_TRUE(make()->write(batch()));
  const auto request = requests.wait_for_one();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/rows?token=hush");
  EXPECT_EQ(request.body, "[" + schema::to_json(tick_row("1.50")) + "," +
                              schema::to_json(indicator_row(55.5, 2)) + "]");
  EXPECT_EQ(request.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(request.headers.get("X-Candlewick-Timestamp"), "1700000000");
  EXPECT_EQ(request.headers.get("X-Candlewick-Batch"), "0123abcd:7-9");
  EXPECT_EQ(request.headers.get("X-Candlewick-Signature"),
            webhook_signature(Secret("a secret"), "1700000000", request.body));
}

TEST_F(WebhookSink, AsksForNothingWhenABatchHoldsNoneOfItsTables) {
  const Batch candles(std::string(log_id), {{.sequence = 8, .row = log::candle_row({})}});
  ASSERT_TRUE(make()->write(candles));
  EXPECT_EQ(requests.count(), 0U);
}

TEST_F(WebhookSink, WritesTheVenuesSpellingWhenItIsToldTo) {
  ASSERT_TRUE(make(true)->write(batch()));
  EXPECT_THAT(requests.wait_for_one().body,
              StartsWith(R"([{"table":"market_ticks","symbol":"BTCUSDT",)"));
}

TEST_F(WebhookSink, TakesEveryStatusForWhatItMeans) {
  struct Case {
    int status;
    std::optional<ErrorKind> kind;
  };
  using enum ErrorKind;
  for (const auto& [answered, kind] : std::initializer_list<Case>{{200, std::nullopt},
                                                                  {202, std::nullopt},
                                                                  {301, misconfigured},
                                                                  {400, rejected},
                                                                  {401, misconfigured},
                                                                  {403, misconfigured},
                                                                  {404, misconfigured},
                                                                  {408, transient},
                                                                  {409, rejected},
                                                                  {413, rejected},
                                                                  {422, rejected},
                                                                  {429, transient},
                                                                  {500, transient},
                                                                  {503, transient}}) {
    status = answered;
    const auto written = make()->write(batch());
    EXPECT_EQ(written.has_value(), !kind) << answered;
    if (written || !kind) continue;
    EXPECT_EQ(written.error().kind, *kind) << answered;
    EXPECT_THAT(written.error().message, HasSubstr(fmt::format("HTTP {}: said so", answered)));
    EXPECT_THAT(written.error().message, Not(HasSubstr("hush")));
  }
}

TEST_F(WebhookSink, TellsHowLongTheReceiverWantsToBeLeftAlone) {
  const auto sink = make();
  status = 429;
  headers = {{"Retry-After", "17"}};
  EXPECT_FALSE(sink->write(batch()));
  EXPECT_EQ(sink->retry_after(), std::chrono::seconds{17});
  headers = {{"Retry-After", "999999999"}};
  EXPECT_FALSE(sink->write(batch()));
  EXPECT_EQ(sink->retry_after(), std::chrono::hours{1});
  for (const char* text : {"soon", "-1", "", "1.5"}) {
    headers = {{"Retry-After", text}};
    EXPECT_FALSE(sink->write(batch()));
    EXPECT_EQ(sink->retry_after(), std::nullopt) << text;
  }
}

TEST_F(WebhookSink, CallsAReceiverThatIsGoneTransient) {
  const auto sink = make();
  server.reset();
  const auto written = sink->write(batch());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::transient);
  EXPECT_THAT(written.error().message, Not(HasSubstr("hush")));
}

TEST_F(WebhookSink, ExaminesItsReceiverWithAnEmptySignedList) {
  auto findings = make()->examine();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].grade, Finding::Grade::good);
  EXPECT_EQ(requests.wait_for_one().body, "[]");
  status = 401;
  findings = make()->examine();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].grade, Finding::Grade::bad);
  EXPECT_THAT(findings[0].what, HasSubstr("webhook.secret"));
}

TEST(WebhookSettings, AreChecked) {
  const RealClock clock;
  const auto make = [&](std::map<std::string, std::string, std::less<>> values) {
    return make_webhook_from({.clock = &clock, .values = std::move(values)});
  };
  EXPECT_TRUE(make({{"url", "https://rows.test/in"}, {"tables", "market_ticks,coverage"}}));
  for (const auto& values : std::initializer_list<std::map<std::string, std::string, std::less<>>>{
           {{"url", "http://rows.test/in"}},
           {{"url", "somewhere"}},
           {{"url", "https://rows.test/in"}, {"tables", "market_ticks,paper"}},
           {{"url", "https://rows.test/in"}, {"symbol_style", "odd"}}}) {
    const auto made = make(values);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::misconfigured);
  }
}

}  // namespace
}  // namespace candlewick::sink
