// The door as clients meet it: limits on a fake clock, keys, pages of elsewhere, TLS, and the
// headers that every answer has.
#include "api/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/route.h"
#include "api/testing.h"
#include "net/testing.h"
#include "net/testing_certificate.h"

namespace candlewick::api {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::Answer;
using ::testing::HasSubstr;
using ::testing::Not;

const net::Headers upgrade{{"Upgrade", "websocket"},
                           {"Connection", "Upgrade"},
                           {"Sec-WebSocket-Version", "13"},
                           {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}};

net::Headers with(net::Headers headers, std::string name, std::string value) {
  headers.add(std::move(name), std::move(value));
  return headers;
}

class Door : public testing::ApiTest {
 protected:
  Door() { add("binance", "BTC/USDT", "BTCUSDT"); }

  // Keys "reader", "writer" and "boss".
  void set_keys() {
    for (const auto& [key, scope] :
         {std::pair{"reader", Scope::read}, {"writer", Scope::write}, {"boss", Scope::admin}}) {
      backend.keys.push_back({.name = key, .scope = scope, .sha256 = sha256_hex(key)});
    }
  }
  double refused(const std::string& reason) {
    return metrics.counter("candlewick_api_refused_requests_total", "", {{"reason", reason}})
        .value();
  }
  std::string first_line_of_upgrade(std::string_view target, const net::Headers& headers) {
    const Answer answer = send("GET", target, headers);
    return std::to_string(answer.status) + " " + answer.member("code");
  }
};

TEST_F(Door, CountsWhatAnAddressAsksAndSaysWhatIsLeft) {
  options.gate.requests_per_minute = 3;
  for (const std::string left : {"2", "1", "0"}) {
    const Answer answer = get("/v1/exchanges?x=1");
    EXPECT_EQ(answer.status, 400) << "what is wrong counts too";
    EXPECT_EQ(answer.headers.get("RateLimit-Limit"), "3");
    EXPECT_EQ(answer.headers.get("RateLimit-Remaining"), left);
  }
  for (const std::string_view target : {"/v1/tickers", "/", "/nowhere", "/openapi.json"}) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.status, 429) << target;
    EXPECT_EQ(answer.member("code"), "rate_limited");
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
    EXPECT_EQ(answer.headers.get("Retry-After"), "20");
    EXPECT_EQ(answer.headers.get("RateLimit-Remaining"), "0");
    EXPECT_EQ(answer.headers.get("RateLimit-Reset"), "60");
    EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store");
  }
  EXPECT_EQ(first_line_of_upgrade("/v1/stream", upgrade), "429 rate_limited");
  EXPECT_EQ(refused("rate_limit"), 5);
  clock.advance(19s);
  EXPECT_EQ(get("/v1/tickers").status, 429);
  clock.advance(1s);
  EXPECT_EQ(get("/v1/tickers").status, 200);
  EXPECT_EQ(get("/v1/tickers").status, 429);
}

TEST_F(Door, CountsAWebSocketOnceWhenItIsOpened) {
  options.gate.requests_per_minute = 2;
  start();
  const std::string request = fmt::format(
      "GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nOrigin: http://127.0.0.1:{0}\r\n"
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      service->port());
  net::testing::RawClient peer(service->port());
  peer.write(request);
  EXPECT_THAT(peer.read_until("\r\n\r\n"),
              AllOf(HasSubstr("HTTP/1.1 101 "), HasSubstr("RateLimit-Remaining: 1\r\n"),
                    HasSubstr("X-Request-Id: "), HasSubstr("X-Content-Type-Options: nosniff\r\n")));
  EXPECT_THAT(peer.read_until("}"), HasSubstr("hello"));
  EXPECT_EQ(get("/v1/tickers").headers.get("RateLimit-Remaining"), "0");
  net::testing::RawClient other(service->port());
  other.write(request);
  EXPECT_THAT(other.read_until("\r\n\r\n"),
              AllOf(HasSubstr("HTTP/1.1 429 "), HasSubstr("Retry-After: 30\r\n")));
}

TEST_F(Door, NeverLimitsThoseWhoAskAfterItsHealth) {
  options.gate.requests_per_minute = 1;
  get("/v1/tickers");
  for (const std::string_view target : {"/livez", "/readyz", "/health", "/metrics", "/livez"}) {
    const Answer answer = get(target);
    EXPECT_NE(answer.status, 429) << target;
    EXPECT_FALSE(answer.headers.has("RateLimit-Limit")) << target;
  }
  EXPECT_EQ(get("/v1/tickers").status, 429);
}

TEST_F(Door, CountsEachKeyByItselfAndUnknownOnesByAddress) {
  options.gate.requests_per_minute = 1;
  set_keys();
  EXPECT_EQ(send("GET", "/v1/tickers", {{"X-API-Key", "reader"}}).status, 200);
  EXPECT_EQ(send("GET", "/v1/tickers", {{"Authorization", "Bearer reader"}}).status, 429);
  EXPECT_EQ(send("GET", "/v1/tickers", {{"X-API-Key", "writer"}}).status, 200);
  EXPECT_EQ(send("GET", "/v1/tickers", {{"X-API-Key", "guess 1"}}).status, 200);
  EXPECT_EQ(send("GET", "/v1/tickers", {{"X-API-Key", "guess 2"}}).status, 429);
  EXPECT_EQ(get("/v1/tickers").status, 429);
}

TEST_F(Door, SaysNothingOfLimitsWhereThereAreNone) {
  EXPECT_FALSE(get("/v1/tickers").headers.has("RateLimit-Limit"));
}

TEST_F(Door, OpensToReadersWithAKeyOnlyWhenToldSo) {
  options.gate.public_read = false;
  set_keys();
  for (const auto& route : all_routes()) {
    std::string target(route.path.substr(0, route.path.find('{')));
    if (target.ends_with('/') && target != "/") target += "BTCUSDT";
    const bool is_open = target == "/" || target.starts_with("/assets/") ||
                         target.starts_with("/docs") || target == "/redoc" ||
                         target == "/openapi.json" || target == "/livez" || target == "/readyz" ||
                         target == "/health";
    const Answer without = send("HEAD", target);
    EXPECT_EQ(without.status == 401, !is_open) << target;
    EXPECT_EQ(without.headers.get("WWW-Authenticate"), is_open ? "" : "Bearer") << target;
  }
  EXPECT_EQ(get("/nowhere").status, 401) << "what there is, is nobody's business";
  for (const std::string key : {"reader", "writer", "boss"}) {
    EXPECT_EQ(send("GET", "/v1/tickers", {{"X-API-Key", key}}).status, 200) << key;
    EXPECT_EQ(send("GET", "/v1/tickers", {{"Authorization", "Bearer " + key}}).status, 200) << key;
    EXPECT_EQ(send("GET", "/metrics", {{"Authorization", "Bearer " + key}}).status, 200) << key;
  }
  const Answer wrong = send("GET", "/v1/tickers", {{"X-API-Key", "reader2"}});
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.member("code"), "unauthorized");
  EXPECT_THAT(wrong.body, AllOf(HasSubstr("not known"), Not(HasSubstr("reader2"))));
  EXPECT_EQ(get("/v1/tickers?key=reader").status, 401) << "addresses are kept by too many";
  EXPECT_GT(refused("key"), 3);
}

TEST_F(Door, LetsOnlyAdminsChangeAnything) {
  set_keys();
  for (const std::string key : {"reader", "writer"}) {
    const Answer answer = send("PUT", "/v1/subscriptions", {{"X-API-Key", key}});
    EXPECT_EQ(answer.status, 403) << key;
    EXPECT_EQ(answer.member("code"), "forbidden");
  }
  EXPECT_EQ(send("PUT", "/v1/subscriptions").status, 401);
  EXPECT_EQ(refused("scope"), 2);
  EXPECT_EQ(refused("key"), 1);
}

TEST_F(Door, TakesTheKeyOfBrowsersFromTheAddressOfStreams) {
  options.gate.public_read = false;
  set_keys();
  EXPECT_EQ(first_line_of_upgrade("/v1/stream", upgrade), "401 unauthorized");
  EXPECT_EQ(first_line_of_upgrade("/v1/stream?key=wrong", upgrade), "401 unauthorized");
  EXPECT_EQ(first_line_of_upgrade("/v1/stream?key=reader&x=1", upgrade), "400 unknown_parameter");
  // Over HTTP the key opens the door, and what is behind it says what it wants.
  EXPECT_EQ(get("/v1/stream?key=reader").status, 426);
  EXPECT_EQ(get("/v1/stream?key=").status, 401);
  EXPECT_EQ(get("/v1/stream?key=reader&key=reader").member("code"), "unknown_parameter");
  const Answer stream = send("HEAD", "/v1/candles/stream?symbol=BTCUSDT&timeframe=1m&key=reader");
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(stream.headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(send("HEAD", "/v1/candles/stream?symbol=BTCUSDT&timeframe=1m").status, 401);
}

TEST_F(Door, RefusesWebSocketsOfOtherPages) {
  options.gate.allowed_origins = {"https://charts.example"};
  for (const std::string origin : {"https://evil.example", "null", "http://charts.example"}) {
    EXPECT_EQ(first_line_of_upgrade("/v1/stream", with(upgrade, "Origin", origin)), "403 forbidden")
        << origin;
  }
  // Past the door: what is asked of the stream itself is wrong.
  for (const std::string& origin : {std::string("https://charts.example"),
                                    "http://127.0.0.1:" + std::to_string(service->port())}) {
    EXPECT_EQ(first_line_of_upgrade("/v1/stream?x=1", with(upgrade, "Origin", origin)),
              "400 unknown_parameter")
        << origin;
  }
  EXPECT_EQ(first_line_of_upgrade("/v1/stream?x=1", upgrade), "400 unknown_parameter");
  EXPECT_EQ(refused("origin"), 3);
}

TEST_F(Door, TellsPagesOfAllowedOriginsAndNoOthersThatTheyMayRead) {
  options.gate.allowed_origins = {"https://charts.example", "http://localhost:5173"};
  const Answer allowed = send("GET", "/v1/tickers", {{"Origin", "http://localhost:5173"}});
  EXPECT_EQ(allowed.headers.get("Access-Control-Allow-Origin"), "http://localhost:5173");
  EXPECT_THAT(
      std::string(allowed.headers.get("Access-Control-Expose-Headers")),
      AllOf(HasSubstr("ETag"), HasSubstr("RateLimit-Remaining"), HasSubstr("X-Request-Id")));
  const Answer other = send("GET", "/v1/tickers", {{"Origin", "https://evil.example"}});
  EXPECT_EQ(other.status, 200) << "the browser keeps it from the page";
  EXPECT_FALSE(other.headers.has("Access-Control-Allow-Origin"));
  const Answer none = get("/v1/tickers");
  EXPECT_FALSE(none.headers.has("Access-Control-Allow-Origin"));
  for (const Answer* answer : {&allowed, &other, &none}) {
    EXPECT_TRUE(answer->headers.has_token("Vary", "Origin"));
    EXPECT_TRUE(answer->headers.has_token("Vary", "Accept-Encoding"));
  }
  // A page must be able to read why it was refused.
  const Answer bad = send("GET", "/v1/candles", {{"Origin", "https://charts.example"}});
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.headers.get("Access-Control-Allow-Origin"), "https://charts.example");
}

TEST_F(Door, TellsEveryPageThatItMayReadWhereAllMay) {
  options.gate.allowed_origins = {"*"};
  for (const net::Headers& headers :
       {net::Headers{}, net::Headers{{"Origin", "https://any.example"}}}) {
    const Answer answer = send("GET", "/v1/tickers", headers);
    EXPECT_EQ(answer.headers.get("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(answer.headers.count("Access-Control-Allow-Origin"), 1U);
    EXPECT_FALSE(answer.headers.has("Access-Control-Allow-Credentials"));
  }
  const Answer preflight =
      send("OPTIONS", "/v1/tickers",
           {{"Origin", "https://any.example"}, {"Access-Control-Request-Method", "GET"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.get("Access-Control-Allow-Origin"), "*");
}

TEST_F(Door, AnswersWhatBrowsersAskBeforeTheyAsk) {
  options.gate.allowed_origins = {"https://charts.example"};
  options.gate.public_read = false;
  set_keys();
  const auto ask = [&](std::string_view target, std::string origin) {
    return send("OPTIONS", target,
                {{"Origin", std::move(origin)},
                 {"Access-Control-Request-Method", "GET"},
                 {"Access-Control-Request-Headers", "authorization"}});
  };
  const Answer yes = ask("/v1/tickers", "https://charts.example");
  EXPECT_EQ(yes.status, 204);
  EXPECT_TRUE(yes.body.empty());
  EXPECT_EQ(yes.headers.get("Access-Control-Allow-Origin"), "https://charts.example");
  EXPECT_EQ(yes.headers.get("Access-Control-Allow-Methods"), "GET, HEAD");
  EXPECT_TRUE(yes.headers.has_token("Access-Control-Allow-Headers", "authorization"));
  EXPECT_TRUE(yes.headers.has_token("Access-Control-Allow-Headers", "x-api-key"));
  EXPECT_EQ(yes.headers.get("Access-Control-Max-Age"), "7200");
  EXPECT_TRUE(yes.headers.has_token("Vary", "Origin"));
  EXPECT_EQ(ask("/v1/subscriptions", "https://charts.example")
                .headers.get("Access-Control-Allow-Methods"),
            "GET, HEAD, PUT");
  const Answer no = ask("/v1/tickers", "https://evil.example");
  EXPECT_EQ(no.status, 403);
  EXPECT_FALSE(no.headers.has("Access-Control-Allow-Origin"));
  EXPECT_EQ(ask("/nowhere", "https://charts.example").status, 404);
}

TEST_F(Door, GivesEveryAnswerTheHeadersThatKeepBrowsersSafe) {
  const auto is_safe = [](const Answer& answer) {
    const auto policy = std::string(answer.headers.get("Content-Security-Policy"));
    return answer.headers.get("X-Content-Type-Options") == "nosniff" &&
           answer.headers.get("Referrer-Policy") == "no-referrer" &&
           answer.headers.get("X-Frame-Options") == "DENY" &&
           policy.starts_with("default-src 'none'") &&
           policy.find("frame-ancestors 'none'") != std::string::npos &&
           policy.find("//") == std::string::npos && policy.find('*') == std::string::npos &&
           answer.headers.count("Content-Security-Policy") == 1 &&
           answer.headers.count("X-Content-Type-Options") == 1 &&
           !answer.headers.has("Strict-Transport-Security");
  };
  for (const std::string_view target : {"/", "/livez", "/metrics", "/openapi.json", "/nowhere",
                                        "/v1/candles", "/v1/tickers", "/redoc", "/livez?%zz"}) {
    EXPECT_TRUE(is_safe(get(target))) << target;
  }
  EXPECT_TRUE(is_safe(send("POST", "/livez")));
  EXPECT_TRUE(is_safe(send("GET", "/nowhere", upgrade)));
}

TEST_F(Door, SpeaksTlsAndAsksBrowsersToStayWithIt) {
  const net::testing::Certificate certificate("IP:127.0.0.1");
  options.server.certificate_file = certificate.certificate_file();
  options.server.key_file = certificate.key_file();
  start();
  net::HttpClient trusting({.ca_file = certificate.certificate_file()});
  const auto fetch = [&](net::HttpClient& with_client) {
    return with_client.fetch(
        {.url = "https://127.0.0.1:" + std::to_string(service->port()) + "/livez"});
  };
  const auto answer = fetch(trusting);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->headers.get("Strict-Transport-Security"), "max-age=31536000");
  EXPECT_FALSE(fetch(client)) << "nobody else vouches for it";
}

}  // namespace
}  // namespace candlewick::api
