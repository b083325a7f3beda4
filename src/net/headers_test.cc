// Look-up without regard to case, and lists of tokens.
#include "net/headers.h"

#include <gtest/gtest.h>

namespace candlewick::net {
namespace {

TEST(Headers, AreFoundWithoutRegardToCase) {
  const Headers headers{{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(headers.get("content-type"), "text/plain");
  EXPECT_EQ(headers.get("X-a"), "1");
  EXPECT_EQ(headers.count("X-A"), 2U);
  EXPECT_EQ(headers.get("absent"), "");
  EXPECT_FALSE(headers.find("absent"));
  EXPECT_TRUE(headers.has("X-A"));
}

TEST(Headers, SetReplacesAllOfThatName) {
  Headers headers{{"X-A", "1"}, {"B", "b"}, {"x-a", "2"}};
  headers.set("x-A", "3");
  EXPECT_EQ(headers.count("X-A"), 1U);
  EXPECT_EQ(headers.get("X-A"), "3");
  EXPECT_EQ(headers.size(), 2U);
}

TEST(Headers, FindTokensInLists) {
  const Headers headers{{"Connection", "keep-alive,  Upgrade"}, {"connection", "x"}, {"Empty", ""}};
  EXPECT_TRUE(headers.has_token("Connection", "upgrade"));
  EXPECT_TRUE(headers.has_token("Connection", "KEEP-ALIVE"));
  EXPECT_TRUE(headers.has_token("Connection", "x"));
  EXPECT_FALSE(headers.has_token("Connection", "keep"));
  EXPECT_FALSE(headers.has_token("Empty", "x"));
}

}  // namespace
}  // namespace candlewick::net
