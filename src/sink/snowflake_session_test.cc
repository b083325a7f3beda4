// The session protocol against a server that answers by script. That the protocol itself is right
// is for fakesnow to say (test/snowflake).
#include "sink/snowflake_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing_certificate.h"
#include "sink/snowflake_testing.h"

namespace candlewick::sink::snowflake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Statement = Double::Statement;
using Answer = std::optional<Double::Reply>;

std::string parameter(const Statement& statement, std::string_view name) {
  for (const auto& [key, value] : statement.query) {
    if (key == name) return value;
  }
  return {};
}

class SnowflakeSession : public ::testing::Test {
 protected:
  void on_statement(std::function<Answer(const Statement&)> answer) {
    server.with([&](Double& it) { it.on_statement = std::move(answer); });
  }
  void before(std::function<Answer(const net::Request&, const std::string&)> answer) {
    server.with([&](Double& it) { it.before = std::move(answer); });
  }

  Double server;
  net::HttpClient http;
  RealClock clock;
  Access access = access_to(server);
  Patience patience = impatience();
  Session session{http, access, clock, impatience()};
};

TEST_F(SnowflakeSession, LogsInWithPasswordTokenOrOAuth) {
  ASSERT_TRUE(session.log_in());
  access.password = Secret("eyJ" + std::string(150, 'x'));
  ASSERT_TRUE(session.log_in());
  access.oauth_token = Secret("oauth secret");
  ASSERT_TRUE(session.log_in());
  const auto logins = server.logins();
  ASSERT_EQ(logins.size(), 3U);
  EXPECT_THAT(logins[0], HasSubstr(R"("AUTHENTICATOR":"SNOWFLAKE","PASSWORD":"hush")"));
  EXPECT_THAT(logins[0], HasSubstr(R"("ACCOUNT_NAME":"MYORG-ACCOUNT1","LOGIN_NAME":"loader")"));
  EXPECT_THAT(logins[0], HasSubstr(R"("AUTOCOMMIT":false)"));
  EXPECT_THAT(logins[1], HasSubstr(R"("AUTHENTICATOR":"PROGRAMMATIC_ACCESS_TOKEN","TOKEN":"eyJ)"));
  EXPECT_THAT(logins[2], HasSubstr(R"("AUTHENTICATOR":"OAUTH","TOKEN":"oauth secret")"));
  EXPECT_EQ(session.facts().warehouse, "LOADING");
}

TEST_F(SnowflakeSession, LogsInWithAKeyPair) {
  EVP_PKEY* const key = EVP_RSA_gen(2048);
  access.private_key = Secret(pem_of(key));
  EVP_PKEY_free(key);
  ASSERT_TRUE(session.log_in());
  EXPECT_THAT(server.logins().front(),
              HasSubstr(R"("AUTHENTICATOR":"SNOWFLAKE_JWT","TOKEN":"eyJ)"));
  EXPECT_THAT(server.logins().front(), Not(HasSubstr("hush")));
}

TEST_F(SnowflakeSession, SaysWhyAPasswordIsRefusedThoughTheAnswerIs200) {
  before([](const net::Request& request, const std::string&) -> Answer {
    if (request.path != "/session/v1/login-request") return std::nullopt;
    return Double::refusal("390100", "Incorrect username or password was specified.");
  });
  const auto entered = session.log_in();
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(entered.error().message, HasSubstr("refuses single-factor passwords"));
  EXPECT_THAT(entered.error().message, Not(HasSubstr("hush")));
  EXPECT_FALSE(session.is_open());
}

TEST_F(SnowflakeSession, RepeatsAStatementUnderItsOneRequestId) {
  ASSERT_TRUE(session.log_in());
  int failures = 2;
  on_statement([&](const Statement&) -> Answer {
    if (failures-- > 0) return Double::Reply{.status = 503, .body = "busy"};
    return std::nullopt;
  });
  ASSERT_TRUE(session.execute("SELECT 1"));
  const auto statements = server.statements();
  ASSERT_EQ(statements.size(), 3U);
  EXPECT_EQ(statements[0].request_id, statements[2].request_id);
  EXPECT_NE(parameter(statements[0], "request_guid"), parameter(statements[1], "request_guid"));
  EXPECT_EQ(parameter(statements[0], "retryCount"), "");
  EXPECT_EQ(parameter(statements[1], "retryCount"), "1");
  EXPECT_EQ(parameter(statements[2], "retryReason"), "503");
}

TEST_F(SnowflakeSession, PassesOnHowLongTheServerWantsToBeLeftAlone) {
  ASSERT_TRUE(session.log_in());
  on_statement([](const Statement&) -> Answer {
    return Double::Reply{.status = 429, .headers = {{"Retry-After", "7"}}, .body = "busy"};
  });
  const auto answer = session.execute("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::transient);
  EXPECT_EQ(session.retry_after(), std::chrono::seconds{7});
  EXPECT_EQ(server.statements().size(), 1U);
}

TEST_F(SnowflakeSession, RenewsAnExpiredTokenAndGoesOnWithTheSameRequest) {
  ASSERT_TRUE(session.log_in());
  bool expired = true;
  std::string renewed_with;
  on_statement([&](const Statement&) -> Answer {
    if (std::exchange(expired, false)) return Double::refusal("390112", "expired");
    return std::nullopt;
  });
  before([&](const net::Request& request, const std::string& body) -> Answer {
    if (request.path == "/session/token-request") {
      renewed_with = std::string(request.headers.get("Authorization")) + " " + body;
    }
    return std::nullopt;
  });
  ASSERT_TRUE(session.execute("INSERT"));
  const auto statements = server.statements();
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(statements[0].request_id, statements[1].request_id);
  EXPECT_EQ(renewed_with,
            R"(Snowflake Token="master1" {"oldSessionToken":"session1","requestType":"RENEW"})");
}

TEST_F(SnowflakeSession, KnowsWhenItHasEnded) {
  for (const std::string code : {"390104", "390111", "390114"}) {
    ASSERT_TRUE(session.log_in());
    on_statement([code](const Statement&) { return Double::refusal(code, "gone"); });
    const auto answer = session.execute("SELECT 1");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::transient) << code;
    EXPECT_FALSE(session.is_open()) << code;
  }
}

TEST_F(SnowflakeSession, AsksAgainWhileAStatementGoesOn) {
  ASSERT_TRUE(session.log_in());
  int looks = 0;
  on_statement([](const Statement&) {
    return Double::json(
        R"({"data":{"getResultUrl":"/queries/abc/result"},"code":"333333","success":false})");
  });
  before([&](const net::Request& request, const std::string&) -> Answer {
    if (request.path != "/queries/abc/result") return std::nullopt;
    if (++looks < 3) return Double::refusal("333334", "running");
    return Double::rows(R"([["42"]])");
  });
  const auto answer = session.execute("CALL slow()");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->count(), 42);
  EXPECT_EQ(looks, 3);
}

TEST_F(SnowflakeSession, StopsAStatementThatTakesTooLong) {
  patience.statement = std::chrono::milliseconds{20};
  Session hasty(http, access, clock, patience);
  ASSERT_TRUE(hasty.log_in());
  std::string aborted;
  on_statement([](const Statement&) {
    return Double::json(R"({"data":{"getResultUrl":"/slow"},"code":"333333","success":false})");
  });
  before([&](const net::Request& request, const std::string& body) -> Answer {
    if (request.path == "/queries/v1/abort-request") aborted = member_of(body, "requestId");
    if (request.path == "/slow") return Double::refusal("333334", "running");
    return std::nullopt;
  });
  const auto answer = hasty.execute("CALL slow()");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::transient);
  EXPECT_EQ(aborted, server.statements().front().request_id);
}

TEST_F(SnowflakeSession, BindsColumnsOfTextsAndCompressesLargeBodies) {
  ASSERT_TRUE(session.log_in());
  bool was_compressed = false;
  before([&](const net::Request& request, const std::string&) -> Answer {
    was_compressed = request.headers.get("Content-Encoding") == "gzip";
    return std::nullopt;
  });
  const std::vector<BoundColumn> columns{{"a\"b", std::nullopt}, {"1", "2"}};
  ASSERT_TRUE(session.execute("INSERT", columns));
  EXPECT_FALSE(was_compressed);
  EXPECT_EQ(server.statements().back().bindings,
            R"({"1":{"type":"TEXT","value":["a\"b",null]},"2":{"type":"TEXT","value":["1","2"]}})");
  const std::vector<BoundColumn> one{{std::string(5000, 'x')}};
  ASSERT_TRUE(session.execute("INSERT", one));
  EXPECT_TRUE(was_compressed);
  EXPECT_THAT(server.statements().back().bindings, HasSubstr(R"("value":"xxxx)"));
}

TEST_F(SnowflakeSession, ReadsAnswersInJsonAndRefusesDamagedOnes) {
  ASSERT_TRUE(session.log_in());
  on_statement([](const Statement&) {
    return Double::json(R"({"data":{"rowtype":[{"name":"A","type":"text"},{"name":"B"}],)"
                        R"("rowset":[["x",null]]},"success":true})");
  });
  const auto answer = session.execute("SELECT");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->columns, ElementsAre("A", "B"));
  EXPECT_EQ(answer->rows, (std::vector<TextRow>{{"x", std::nullopt}}));
  on_statement([](const Statement&) {
    return Double::json(R"({"data":{"rowsetBase64":"bm90IGFycm93"},"success":true})");
  });
  EXPECT_EQ(session.execute("SELECT").error().kind, ErrorKind::malformed);
  on_statement([](const Statement&) { return Double::json(R"({"data":{"rowset":[["1")"); });
  EXPECT_EQ(session.execute("SELECT").error().kind, ErrorKind::transient);
}

TEST_F(SnowflakeSession, NamesTheAccountWhenSomethingElseAnswers) {
  before([](const net::Request&, const std::string&) -> Answer {
    return Double::Reply{.status = 403, .body = "<html>Forbidden</html>"};
  });
  const auto entered = session.log_in();
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(entered.error().message, HasSubstr("SNOWFLAKE_ACCOUNT"));
}

TEST_F(SnowflakeSession, DoesNotTalkToAServerWhoseCertificateIsNotTrusted) {
  const net::testing::Certificate certificate("IP:127.0.0.1");
  const Double secure(
      {.certificate_file = certificate.certificate_file(), .key_file = certificate.key_file()});
  access.base_url = fmt::format("https://127.0.0.1:{}", secure.port());
  const auto entered = session.log_in();
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().kind, ErrorKind::misconfigured);
  net::HttpClient trusting({.ca_file = certificate.certificate_file()});
  Session trusted(trusting, access, clock, patience);
  EXPECT_TRUE(trusted.log_in());
}

TEST_F(SnowflakeSession, EndsItsSession) {
  ASSERT_TRUE(session.log_in());
  std::string ended;
  before([&](const net::Request& request, const std::string&) -> Answer {
    if (request.path == "/session") ended = request.headers.get("Authorization");
    return std::nullopt;
  });
  session.log_out();
  EXPECT_EQ(ended, R"(Snowflake Token="session1")");
  EXPECT_FALSE(session.is_open());
}

}  // namespace
}  // namespace candlewick::sink::snowflake
