// Keys: what is printed is let in, what is wrong is named.
#include "api/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candlewick::api {
namespace {

using ::testing::HasSubstr;

TEST(AccessKey, IsKnownByItsHashAlone) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string key = make_key();
  EXPECT_EQ(key.size(), 46U);
  EXPECT_TRUE(key.starts_with("cw_"));
  EXPECT_NE(key, make_key());
  const auto entry = parse_access_key("ops:admin:" + sha256_hex(key));
  ASSERT_TRUE(entry);
  EXPECT_EQ(to_text(*entry), "ops:admin:" + sha256_hex(key));
  const std::vector<AccessKey> keys{*parse_access_key("x:read:" + sha256_hex("other")), *entry};
  EXPECT_EQ(holder_of(key, keys), &keys[1]);
  EXPECT_EQ(holder_of(key + "x", keys), nullptr);
  EXPECT_EQ(holder_of("", keys), nullptr);
  EXPECT_EQ(holder_of(entry->sha256, keys), nullptr) << "who has the hash has not the key";
}

TEST(AccessKey, ComesInEitherHeader) {
  net::Request request;
  EXPECT_EQ(key_of(request), "");
  request.headers.add("Authorization", "Basic eDp5");
  EXPECT_EQ(key_of(request), "");
  net::Request bearer;
  bearer.headers.add("authorization", "bearer cw_1");
  EXPECT_EQ(key_of(bearer), "cw_1");
  bearer.headers.add("x-api-key", "cw_2");
  EXPECT_EQ(key_of(bearer), "cw_2");
}

TEST(AccessKey, LeavesTheAddressThatShowedIt) {
  net::Request request{.target = "/v1/stream?a=1&key=cw_1&key=cw_2",
                       .query = {{"a", "1"}, {"key", "cw_1"}, {"key", "cw_2"}}};
  take_key_from_query(request);
  EXPECT_EQ(key_of(request), "cw_1");
  EXPECT_EQ(request.query, (net::Query{{"a", "1"}, {"key", "cw_2"}}));
  EXPECT_EQ(request.target, "");
  net::Request both{.query = {{"key", "cw_1"}}, .headers = {{"Authorization", "Bearer cw_3"}}};
  take_key_from_query(both);
  EXPECT_EQ(key_of(both), "cw_3") << "the header is meant for it";
  EXPECT_TRUE(both.query.empty());
  net::Request none{.target = "/v1/stream"};
  take_key_from_query(none);
  EXPECT_EQ(key_of(none), "");
  EXPECT_EQ(none.target, "/v1/stream");
}

TEST(AccessKey, IsRefusedWithWhatIsWrongAndWithoutItsText) {
  const auto told = [](std::string_view text) {
    const auto read = parse_access_key(text);
    return read ? std::string("nothing") : read.error().message;
  };
  const std::string pasted = told("cw_0123456789");
  EXPECT_THAT(pasted, HasSubstr("as `candlewick key` prints it"));
  EXPECT_EQ(pasted.find("0123456789"), std::string::npos) << "somebody pasted the key itself";
  EXPECT_THAT(told("ops:root:" + sha256_hex("k")), HasSubstr("none of read, write and admin"));
  EXPECT_THAT(told("ops:admin:abc"), HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(told(":admin:" + sha256_hex("k")), HasSubstr("a name"));
}

}  // namespace
}  // namespace candlewick::api
