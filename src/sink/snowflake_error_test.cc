// The meaning of codes: kinds are policy, words name the setting to change.
#include "sink/snowflake_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace candlewick::sink::snowflake {
namespace {

using ::testing::HasSubstr;

struct Case {
  std::string code;
  ErrorKind kind;
  std::string words;
};

TEST(SnowflakeError, HasAKindAndNamesTheSettingToChange) {
  const std::vector<Case> cases{
      {"390100", ErrorKind::misconfigured, "programmatic access token into SNOWFLAKE_PASSWORD"},
      {"390144", ErrorKind::misconfigured, "this machine's clock"},
      {"390318", ErrorKind::misconfigured, "SNOWFLAKE_OAUTH_TOKEN"},
      {"390999", ErrorKind::misconfigured, "said"},
      {"000606", ErrorKind::misconfigured, "SNOWFLAKE_WAREHOUSE"},
      {"000607", ErrorKind::misconfigured, "snowflake.warehouse"},
      {"090105", ErrorKind::misconfigured, "SNOWFLAKE_DATABASE"},
      {"002003", ErrorKind::misconfigured, "candlewick migrate snowflake --print"},
      {"000904", ErrorKind::misconfigured, "candlewick migrate snowflake --print"},
      {"003001", ErrorKind::misconfigured, "snowflake.role"},
      {"000630", ErrorKind::transient, "STATEMENT_TIMEOUT"},
      {"000625", ErrorKind::transient, "lock"},
      {"000603", ErrorKind::transient, "said"},
      {"390505", ErrorKind::transient, "requests"},
      {"100038", ErrorKind::rejected, "said"},
      {"100078", ErrorKind::rejected, "said"},
      {"100072", ErrorKind::rejected, "said"},
      {"", ErrorKind::transient, "said"},
  };
  for (const auto& [code, kind, words] : cases) {
    const Error error = describe(code, "what it said");
    EXPECT_EQ(error.kind, kind) << code;
    EXPECT_THAT(error.message, HasSubstr(words)) << code;
    EXPECT_THAT(error.message, HasSubstr("what it said")) << code;
  }
}

TEST(SnowflakeError, TellsEndsOfSessionsFromExpiredTokens) {
  for (const std::string_view code : {"390104", "390111", "390114"}) {
    EXPECT_TRUE(is_session_lost(code)) << code;
  }
  EXPECT_FALSE(is_session_lost(session_token_expired));
  EXPECT_FALSE(is_session_lost("000606"));
  EXPECT_TRUE(is_in_progress("333333"));
  EXPECT_TRUE(is_in_progress("333334"));
}

}  // namespace
}  // namespace candlewick::sink::snowflake
