// Certificates made for the test, and tokens good and bad.
#include "alert/expiry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/base64.h"
#include "base/clock.h"
#include "net/testing_certificate.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;

std::string token(std::string_view payload) {
  std::string text = to_base64(payload);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return "eyJhbGciOiJIUzI1NiJ9." + text + ".c2lnbmF0dXJl";
}

TEST(Expiry, OfACertificateIsItsEnd) {
  const net::testing::Certificate made("DNS:localhost");
  const auto expires = certificate_expiry(made.certificate_file());
  ASSERT_TRUE(expires) << expires.error().message;
  const Time now = RealClock().now();
  EXPECT_GT(*expires, now + 50min);
  EXPECT_LE(*expires, now + 1h);
  // Of a chain the first to end, whatever stands around them.
  std::ofstream(made.certificate_file(), std::ios::app) << "\nof no use\n";
  EXPECT_EQ(certificate_expiry(made.certificate_file()).value(), *expires);
}

TEST(Expiry, SaysWhatIsNoCertificate) {
  const net::testing::Certificate made("DNS:localhost");
  const auto of_key = certificate_expiry(made.key_file());
  ASSERT_FALSE(of_key);
  EXPECT_EQ(of_key.error().message, made.key_file() + " holds no certificate");
  EXPECT_FALSE(certificate_expiry(made.key_file() + ".absent"));
}

TEST(Expiry, OfATokenIsWhatItSays) {
  EXPECT_EQ(token_expiry(token(R"({"role":"service_role","exp":1768478400})")),
            time_from_ms(1'768'478'400'000));
  EXPECT_EQ(token_expiry(token(R"({"exp":1768478400.75,"x":{"exp":1}})")),
            time_from_ms(1'768'478'400'000));
  // Every length of padding, and the two digits that differ from the usual alphabet.
  for (const auto* filler : {"", "a", "ab", "abc", "?\?>>~~"}) {
    EXPECT_TRUE(token_expiry(token(std::string(R"({"exp":1,"f":")") + filler + "\"}"))) << filler;
  }
}

TEST(Expiry, IsUnknownOfWhatIsNoToken) {
  for (const std::string& text :
       {std::string{}, std::string("sb_secret_abc"), std::string("a.b"), std::string("a.b.c"),
        std::string(".."), token("no json"), token("[1]"), token("{}"), token(R"({"exp":"soon"})"),
        token(R"({"exp":-5})"), token(R"({"exp":1e300})")}) {
    EXPECT_EQ(token_expiry(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace candlewick::alert
