// What [http] may say, what it may not, and what people are warned of.
#include "api/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candlewick::api {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string some_key = "ops:admin:" + sha256_hex("k");

TEST(Settings, OfHttpReachTheServerAndTheDoor) {
  Config::Http http;
  http.listen = {"::1", 9000};
  http.max_connections = 7;
  http.max_body_bytes = 8;
  http.request_timeout = std::chrono::seconds{9};
  http.requests_per_minute = 10;
  http.max_rows = 11;
  http.stream_queue_messages = 13;
  http.keys = {some_key};
  http.public_read = false;
  http.allowed_origins = {"https://Charts.example"};
  http.certificate_file = "chain.pem";
  http.key_file = "key.pem";
  const auto options = options_of(http);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->server.address, "::1");
  EXPECT_EQ(options->server.port, 9000);
  EXPECT_EQ(options->server.max_connections, 7U);
  EXPECT_EQ(options->server.max_body_bytes, 8U);
  EXPECT_EQ(options->server.request_timeout, std::chrono::seconds{9});
  EXPECT_EQ(options->server.certificate_file, "chain.pem");
  EXPECT_EQ(options->server.key_file, "key.pem");
  EXPECT_EQ(options->max_rows, 11U);
  EXPECT_EQ(options->stream_queue_messages, 13U);
  EXPECT_EQ(options->gate.requests_per_minute, 10);
  EXPECT_FALSE(options->gate.public_read);
  EXPECT_THAT(options->gate.allowed_origins, ElementsAre("https://charts.example"));
  const auto keys = keys_of(http);
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ(to_text(keys->front()), some_key);
}

TEST(Settings, ThatContradictThemselvesAreRefusedByName) {
  Config::Http http;
  http.certificate_file = "chain.pem";
  const auto refusal = [&] {
    const auto options = options_of(http);
    if (!options) {
      EXPECT_EQ(options.error().kind, ErrorKind::misconfigured);
      return options.error().message;
    }
    const auto keys = keys_of(http);
    EXPECT_FALSE(keys);
    return keys ? std::string() : keys.error().message;
  };
  EXPECT_THAT(refusal(), AllOf(HasSubstr("http.certificate_file"), HasSubstr("http.key_file"),
                               HasSubstr("http.key_file is not set")));
  http.certificate_file.clear();
  http.key_file = "key.pem";
  EXPECT_THAT(refusal(), HasSubstr("http.certificate_file is not set"));
  http.key_file.clear();
  http.allowed_origins = {"https://charts.example/"};
  EXPECT_THAT(refusal(), StartsWith("http.allowed_origins: \"https://charts.example/\""));
  http.allowed_origins.clear();
  http.public_read = false;
  EXPECT_THAT(refusal(), StartsWith("http.public_read = false needs http.keys"));
  http.keys = {"cw_secret"};
  EXPECT_THAT(refusal(), AllOf(StartsWith("http.keys: "), Not(HasSubstr("cw_secret"))));
}

TEST(Settings, WarnOfAnOpenDoorButNotAtHome) {
  Config::Http http;
  for (const std::string home : {"127.0.0.1", "127.0.0.2", "::1", "localhost"}) {
    http.listen.host = home;
    EXPECT_THAT(exposure_warnings(http), IsEmpty()) << home;
  }
  http.listen = {"0.0.0.0", 80};
  EXPECT_THAT(exposure_warnings(http),
              ElementsAre(AllOf(HasSubstr("0.0.0.0:80"), HasSubstr("without TLS")),
                          HasSubstr("http.public_read is true")));
  http.keys = {some_key};
  EXPECT_THAT(exposure_warnings(http),
              ElementsAre(HasSubstr("without TLS"), HasSubstr("http.public_read is true")));
  http.public_read = false;
  EXPECT_THAT(exposure_warnings(http), ElementsAre(HasSubstr("without TLS")));
  http.certificate_file = "chain.pem";
  http.key_file = "key.pem";
  EXPECT_THAT(exposure_warnings(http), IsEmpty());
  http.public_read = true;
  EXPECT_THAT(exposure_warnings(http), ElementsAre(HasSubstr("http.public_read is true")));
}

}  // namespace
}  // namespace candlewick::api
