// Origins as they are configured, and as browsers send them.
#include "api/origins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candlewick::api {
namespace {

using ::testing::HasSubstr;

TEST(Origins, AreReadAsBrowsersSpellThem) {
  for (const auto& [text, origin] : std::vector<std::pair<std::string, std::string>>{
           {"https://charts.example", "https://charts.example"},
           {"HTTPS://Charts.Example", "https://charts.example"},
           {"https://charts.example:443", "https://charts.example"},
           {"http://charts.example:80", "http://charts.example"},
           {"http://charts.example:443", "http://charts.example:443"},
           {"http://[::1]:5173", "http://[::1]:5173"},
           {"*", "*"}}) {
    const auto read = parse_origin(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, origin);
  }
  for (const std::string_view bad :
       {"", "charts.example", "ftp://charts.example", "https://", "https://charts.example/",
        "https://charts.example/page", "https://*.example", "https://user@charts.example", "null",
        "https://:443", "https://a b", "https://a,https://b", "file:///page.html"}) {
    const auto read = parse_origin(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().kind, ErrorKind::misconfigured);
    EXPECT_THAT(read.error().message, HasSubstr("\"" + std::string(bad) + "\""));
  }
}

TEST(Origins, AllowWhatIsListedAndNothingThatLooksLikeIt) {
  const Origins origins({"https://charts.example"});
  EXPECT_TRUE(origins.allow("https://charts.example"));
  for (const std::string_view other :
       {"http://charts.example", "https://charts.example:444", "https://evil-charts.example",
        "https://charts.example.evil", "https://sub.charts.example", "null", ""}) {
    EXPECT_FALSE(origins.allow(other)) << other;
  }
  EXPECT_FALSE(Origins({}).allow("https://charts.example"));
  EXPECT_TRUE(Origins({"*"}).allow("null"));
}

TEST(Origins, LetAWebSocketComeFromItsOwnPagesAllowedOnesOrNone) {
  const auto is_let_in = [](const Origins& origins, net::Headers headers) {
    headers.add("Host", "Data.example:8000");
    return origins.allow_websocket({.headers = std::move(headers)});
  };
  const Origins none({});
  EXPECT_TRUE(is_let_in(none, {}));
  EXPECT_TRUE(is_let_in(none, {{"Origin", "http://data.example:8000"}}));
  EXPECT_TRUE(is_let_in(none, {{"Origin", "https://data.example:8000"}})) << "TLS ends elsewhere";
  for (const std::string other :
       {"http://data.example", "http://data.example:8001", "https://charts.example", "null", "",
        "data.example:8000", "http://evil.example/data.example:8000"}) {
    EXPECT_FALSE(is_let_in(none, {{"Origin", other}})) << other;
  }
  const Origins listed({"https://charts.example"});
  EXPECT_TRUE(is_let_in(listed, {{"Origin", "https://charts.example"}}));
  EXPECT_FALSE(is_let_in(listed, {{"Origin", "https://evil.example"}}));
  EXPECT_TRUE(is_let_in(Origins({"*"}), {{"Origin", "https://evil.example"}}));
}

}  // namespace
}  // namespace candlewick::api
