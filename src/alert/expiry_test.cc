// Certificates made for the test, and tokens good and bad.
#include "alert/expiry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
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

// Its signature is wrong then, which is nothing to the end.
void end_at(const std::string& path, Time end) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  ASSERT_NE(file, nullptr);
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  ASSERT_NE(certificate, nullptr);
  ASN1_TIME* time = ASN1_TIME_set(
      nullptr, std::chrono::floor<std::chrono::seconds>(end.time_since_epoch()).count());
  X509_set1_notAfter(certificate, time);
  i2d_re_X509_tbs(certificate, nullptr);  // what was read is not written as it was
  file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  ASN1_TIME_free(time);
  X509_free(certificate);
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

TEST(Expiry, OfALoadedCertificateIsNotThatOfTheFileThatReplacedIt) {
  const net::testing::Certificate made("DNS:localhost");
  const auto& path = made.certificate_file();
  const Time first = certificate_expiry(path).value();
  LoadedCertificate loaded("http.certificate_file", path);
  EXPECT_EQ(loaded.look().name, "http.certificate_file");
  EXPECT_EQ(loaded.look().expires, first);
  EXPECT_FALSE(loaded.look().is_renewed_on_disk);
  ASSERT_NO_FATAL_FAILURE(end_at(path, first + 48h));
  ASSERT_EQ(certificate_expiry(path).value(), first + 48h);
  EXPECT_EQ(loaded.look().expires, first) << "it is served until a restart";
  EXPECT_TRUE(loaded.look().is_renewed_on_disk);
  EXPECT_EQ(LoadedCertificate("", path).look().expires, first + 48h) << "that was a restart";
  // A restart would make it worse.
  ASSERT_NO_FATAL_FAILURE(end_at(path, first - 10min));
  EXPECT_EQ(loaded.look().expires, first - 10min);
  EXPECT_FALSE(loaded.look().is_renewed_on_disk);
  std::filesystem::remove(path);
  EXPECT_NE(loaded.look().problem, "");
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
