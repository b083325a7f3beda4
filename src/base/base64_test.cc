// The examples of RFC 4648, and what is none of it.
#include "base/base64.h"

#include <gtest/gtest.h>

#include <utility>

namespace candlewick {
namespace {

TEST(Base64, ReadsWhatItWrites) {
  for (const auto& [bytes, text] :
       {std::pair{"", ""}, std::pair{"f", "Zg=="}, std::pair{"fo", "Zm8="},
        std::pair{"foo", "Zm9v"}, std::pair{"foob", "Zm9vYg=="}, std::pair{"foobar", "Zm9vYmFy"},
        std::pair{"\xff\xfe\xfb", "//77"}}) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(*from_base64(text), bytes);
  }
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(*from_base64(to_base64(all)), all);
}

TEST(Base64, RefusesWhatIsNotWrittenSo) {
  for (const auto* text : {"Z", "Zg", "Zg=", "Zm8", "Z===", "====", "Zg==Zg==", "Zm9*",
                           "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "-_-_"}) {
    const auto bytes = from_base64(text);
    ASSERT_FALSE(bytes) << text;
    EXPECT_EQ(bytes.error().kind, ErrorKind::malformed);
  }
}

}  // namespace
}  // namespace candlewick
