// URLs good and bad, and the rule about plain connections.
#include "net/url.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace candlewick::net {
namespace {

struct GoodUrl {
  std::string_view text;
  Url expected;
};

TEST(Url, SplitsGoodOnes) {
  const std::vector<GoodUrl> cases{
      {"wss://stream.binance.com:9443/ws/btcusdt@trade",
       {"wss", "stream.binance.com", 9443, "/ws/btcusdt@trade"}},
      {"https://api.kraken.com", {"https", "api.kraken.com", 443, "/"}},
      {"HTTPS://API.Kraken.com/0?A=b#part", {"https", "api.kraken.com", 443, "/0?A=b"}},
      {"https://a.b?x=1", {"https", "a.b", 443, "/?x=1"}},
      {"http://127.0.0.1:8000/", {"http", "127.0.0.1", 8000, "/"}},
      {"http://127.9.9.9", {"http", "127.9.9.9", 80, "/"}},
      {"ws://localhost:1/x", {"ws", "localhost", 1, "/x"}},
      {"ws://[::1]:8080/x", {"ws", "::1", 8080, "/x"}},
      {"https://[2001:db8::1]/", {"https", "2001:db8::1", 443, "/"}},
      {"https://a_b.example/", {"https", "a_b.example", 443, "/"}},
  };
  for (const GoodUrl& good : cases) {
    const Result<Url> url = parse_url(good.text);
    ASSERT_TRUE(url) << good.text << ": " << url.error().message;
    EXPECT_EQ(*url, good.expected) << good.text;
    EXPECT_EQ(*parse_url(url->text()), *url);
  }
}

TEST(Url, RefusesBadOnesAsMisconfigured) {
  for (const std::string_view bad : {
           "",
           "example.com",
           "ftp://example.com/",
           "https://",
           "https:///path",
           "https://:443/",
           "https://host:0/",
           "https://host:65536/",
           "https://host:12a/",
           "https://host:/",
           "https://[::1/",
           "https://[zz]/",
           "https://[::1]x/",
           "https://a b/",
           "https://a/\r\nX: y",
           "https://user:secret@example.com/",
           "https://example.com\\@evil.com/",
           "https://-a/",
           "https://0x7f.1/",
           "https://2130706433/",
           "https://127.1/",
           "https://\xc3\xa9.com/",
       }) {
    const Result<Url> url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().kind, ErrorKind::misconfigured) << bad;
    EXPECT_EQ(url.error().message.find("secret"), std::string::npos);
  }
}

TEST(Url, AcceptsPlainConnectionsToLoopbackOnly) {
  for (const std::string_view bad :
       {"http://example.com/", "ws://10.0.0.1/", "http://128.0.0.1/", "ws://[::2]/",
        "http://localhost.example.com/", "ws://127.0.0.1.example.com/", "http://0.0.0.0/"}) {
    const Result<Url> url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_NE(url.error().message.find(bad), std::string::npos) << "names the URL";
    EXPECT_NE(url.error().message.find("loopback"), std::string::npos);
  }
}

TEST(Url, ShowsNoQuery) {
  const Url url = *parse_url("https://a.example:8443/path?api_key=secret");
  EXPECT_EQ(url.shown(), "https://a.example:8443/path");
  EXPECT_EQ(url.path(), "/path");
  EXPECT_EQ(url.authority(), "a.example:8443");
  EXPECT_EQ(parse_url("wss://[::1]/")->authority(), "[::1]");
  const Result<Url> bad = parse_url("http://a.example/path?api_key=secret");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message.find("secret"), std::string::npos);
}

TEST(PercentEncoding, DecodesAndRefuses) {
  EXPECT_EQ(*percent_decode("BTC%2FUSDT"), "BTC/USDT");
  EXPECT_EQ(*percent_decode("a+b%20%c3%A9"), "a+b \xc3\xa9");
  for (const std::string_view bad : {"%", "%4", "%zz", "a%4g", "%%41"}) {
    const auto decoded = percent_decode(bad);
    ASSERT_FALSE(decoded) << bad;
    EXPECT_EQ(decoded.error().kind, ErrorKind::malformed);
  }
  EXPECT_EQ(percent_encode("a/b c~\xff"), "a%2Fb%20c~%FF");
}

RC_GTEST_PROP(PercentEncoding, ComesBackAsItWent, (const std::string& text)) {
  RC_ASSERT(*percent_decode(percent_encode(text)) == text);
}

TEST(Query, KeepsOrderAndRepetitions) {
  EXPECT_EQ(*parse_query("a=1&b=x%20y&a=2&flag&=v&c=a=b&&d=p+q"), (Query{{"a", "1"},
                                                                         {"b", "x y"},
                                                                         {"a", "2"},
                                                                         {"flag", ""},
                                                                         {"", "v"},
                                                                         {"c", "a=b"},
                                                                         {"d", "p q"}}));
  EXPECT_EQ(parse_query("")->size(), 0U);
  EXPECT_FALSE(parse_query("a=%4"));
  EXPECT_FALSE(parse_query("%=1"));
  EXPECT_EQ(build_query({{"symbol", "BTC/USDT"}, {"x", "1 2"}}), "symbol=BTC%2FUSDT&x=1%202");
}

RC_GTEST_PROP(Query, ComesBackAsItWent,
              (const std::vector<std::pair<std::string, std::string>>& q)) {
  Query query;
  for (const auto& [name, value] : q) {
    query.emplace_back("n" + name, value);
  }
  RC_ASSERT(*parse_query(build_query(query)) == query);
}

TEST(Loopback, IsKnown) {
  for (const std::string_view yes : {"localhost", "LOCALHOST", "127.0.0.1", "127.255.0.3", "::1"}) {
    EXPECT_TRUE(is_loopback(yes)) << yes;
  }
  for (const std::string_view no :
       {"", "localhost.", "126.0.0.1", "::2", "0.0.0.0", "127.0.0.1x"}) {
    EXPECT_FALSE(is_loopback(no)) << no;
  }
}

}  // namespace
}  // namespace candlewick::net
