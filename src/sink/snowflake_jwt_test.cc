// Tokens are checked by OpenSSL's verification, and a fingerprint against its command line's.
#include "sink/snowflake_jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "sink/snowflake_access.h"
#include "sink/snowflake_testing.h"

namespace candlewick::sink::snowflake {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string from_base64url(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return from_base64(text).value();
}

class KeyPair : public ::testing::Test {
 protected:
  KeyPair() : key(EVP_RSA_gen(2048)), pem(pem_of(key)) {}
  ~KeyPair() override { EVP_PKEY_free(key); }

  bool verifies(std::string_view text, const std::string& signature) const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
    const int good = EVP_DigestVerify(
        context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
        reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    return good == 1;
  }

  EVP_PKEY* key;
  std::string pem;
};

TEST_F(KeyPair, SignsWhatThePublicKeyVerifies) {
  const auto signing = SigningKey::parse(Secret(pem));
  ASSERT_TRUE(signing) << signing.error().message;
  const std::string token =
      make_jwt(*signing, "myorg-account1", "loader", Time{std::chrono::seconds{1'700'000'000}});
  const auto first = token.find('.');
  const auto second = token.rfind('.');
  EXPECT_EQ(from_base64url(token.substr(0, first)), R"({"alg":"RS256","typ":"JWT"})");
  EXPECT_EQ(from_base64url(token.substr(first + 1, second - first - 1)),
            fmt::format(R"({{"iss":"MYORG-ACCOUNT1.LOADER.{}","sub":"MYORG-ACCOUNT1.LOADER",)"
                        R"("iat":1700000000,"exp":1700003540}})",
                        signing->fingerprint()));
  EXPECT_TRUE(verifies(token.substr(0, second), from_base64url(token.substr(second + 1))));
  EXPECT_FALSE(verifies("something else", from_base64url(token.substr(second + 1))));
}

TEST_F(KeyPair, IsReadWithLineEndsThatWereWrittenAsLetters) {
  std::string written;
  for (const char c : pem) written += c == '\n' ? std::string("\\n") : std::string(1, c);
  const auto signing = SigningKey::parse(Secret(written));
  ASSERT_TRUE(signing) << signing.error().message;
  EXPECT_EQ(signing->fingerprint(), SigningKey::parse(Secret(pem))->fingerprint());
  EXPECT_THAT(signing->public_key(), StartsWith("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"));
}

TEST(SnowflakeKey, HasTheFingerprintThatOtherToolsCompute) {
  // Of a key that is used nowhere: openssl rsa -pubout -outform DER | openssl dgst -sha256 -binary
  // | base64
  constexpr std::string_view known = R"(-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQDHh9rAFQ7fNkI3
ACcAVUEP25XbJwdOtAv0nNS27beEwP/EGMqvgBiecrN6ojrJHANJVBTez8o006Ze
AZaycQvMTW3O8nmCc6C+D58wBTuYSm3esi88d/XjAyMUASw/cu6JHod3fAVDreIt
JY8w2Xio8Ditv5sDeuZ88AQf9+kpMgFcbDnq7I35l2WVFrE010VOHw2ar2xIa2T8
uX2b/DyPnwbkP1+13xoKU11B0fGbtEQJZnSZNbVFZwr7mhy12LPPhlv4koSx8GdK
N2pqehHjlUNZ9NisqOGXj55wWNROUhz1vsQR75lw4aDkhdyXWQFX/trgROC3hsDa
oN84FRBVAgMBAAECggEAFtTjAUTHmV9rj0CbYIyLhTAtbdDW+LizKi/sn+wD/72t
O/f8RWhv02hbmjuduhfUVnE3xtEvGawNpvHL7SpGB9WPrEpkVhA7bf7P9TORa1k6
SO0fE5kZz/qyv7Nsp+v+WJQKO0Vmks/UXYclOJlB7HmPJW6TOIA5MfBYVdIijNMs
ap/oeibWVWOkBXPLvpOvuoQY19wJHt0vXp3CGemRpjhm0qMfPUS2IaaVJWFSdLsZ
sg02vs5s00J0x/3Ohb5c6gb+fWWZXgS4nd/Y7V54hoxFOPtj8Y0P1zaEyR6KcTai
8/8UzhJM/gsBGzQ61OEteqn3mGD7ehxNRHu4pU5LpwKBgQD+yCqXQ3slAxyJSxCo
IFNLU549wVHno/xehoujRh8YDe0w0ujZQQmuPWguXR/t2yy2aY1+KxtjMYlCRB1o
cRSVDj5nuBTLeNWRJeF80hQxri5fYiOnkr0s56YA/iJSh5/uRXM/4g5JGVlUSmvM
J38W/oDvcGDsBQtLtH9hl53kUwKBgQDIfBCZf2I8j0uvoQFqH/zraYGImccVCkQE
D88TOYwGZjCV/D49qaazwT3+0ufDcoHWd8SW9ZCCnrcWldeMXFAw1ZiF2ER1+vSG
Ora5mk6zRx7P5e5exeXPOZ7vNhMtuMytsPiKnd3IvkM0zpT05s6zVOWFz3dQTQ6Z
NfWewBKjtwKBgF0TtyuHhYdh+ZzWhYFGPee45ohdBZUAPYQy1vSQ+28IN2yswFAO
CIFVAahecPmuJkmFiiFbkifMwv4ocC3lkcVabMXrY/1paWwbUKMPBD2aCmriKXBg
lSfAgM7ACL3pui2LxazC4sElt5KplXQBwdYep+/RODdBKH1BtX9rqkztAoGAadeN
z+u/SieAlqUSoRtoJERcHWjKAKKdy+MouIaOFSbICbbUiStSld20RB7GOpnuT/KE
+AmGlF8EW8kZtcFamJ17W1YUtpCZnW/L3erIF7+5VZqXILOrop5R+Qn8UAwbCqu+
WzgCyaMgyfUyEKT1hRmR3vXrkJpN1bb2CCxw6rsCgYA3/WKzhHNrGKDcD9Mknc03
v68b5tBqENPd0L6TSsNnRgAGT73B1J8cNWp4jhf/izp2LG0Ow7pBuwGrwH48WaFq
wH5EYsWdYXnX+KiA5AoEEw3PojR3bh5xQkIoSr94IEiRKwpUBZQ1dYq1SO9BEY3B
/ao76NTTj8tVzPe2dDnz0A==
-----END PRIVATE KEY-----
)";
  const auto signing = SigningKey::parse(Secret(std::string(known)));
  ASSERT_TRUE(signing) << signing.error().message;
  EXPECT_EQ(signing->fingerprint(), "SHA256:cZsZ03l9VJ+8xfWUCHBIoOAdqVhHB943146MPClUTCs=");
}

TEST(SnowflakeKey, IsRefusedWhenItIsNoUsableOne) {
  EVP_PKEY* const weak = EVP_RSA_gen(1024);
  const std::string small = pem_of(weak);
  EVP_PKEY_free(weak);
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {"", "no private key"},
           {"hello", "no private key"},
           {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII\n", "encrypted"},
           {small, "2048 bits"}}) {
    const auto parsed = SigningKey::parse(Secret(text));
    ASSERT_FALSE(parsed) << words;
    EXPECT_EQ(parsed.error().kind, ErrorKind::misconfigured);
    EXPECT_THAT(parsed.error().message, HasSubstr(words));
    EXPECT_THAT(parsed.error().message, HasSubstr("snowflake.private_key"));
  }
}

TEST(SnowflakeAccount, IsNamedInClaimsAsSnowflakeDoes) {
  for (const auto& [written, claim] :
       std::vector<std::pair<std::string, std::string>>{{"myaccount.eu-central-1", "MYACCOUNT"},
                                                        {"myorg-my_account", "MYORG-MY_ACCOUNT"},
                                                        {"xy12345.us-east-2.aws", "XY12345"},
                                                        {"xy12345-abcdef.global", "XY12345"},
                                                        {"plain", "PLAIN"}}) {
    EXPECT_EQ(account_claim(written), claim) << written;
  }
}

TEST(SnowflakeAccess, TellsCredentialsApart) {
  const std::string token = "eyJ" + std::string(200, 'x');
  EXPECT_EQ(authentication_of({.password = Secret("hush")}), Authentication::password);
  EXPECT_EQ(authentication_of({.password = Secret(token)}), Authentication::access_token);
  EXPECT_EQ(authentication_of({.password = Secret("hush"), .oauth_token = Secret("t")}),
            Authentication::oauth);
  EXPECT_EQ(authentication_of({.password = Secret("hush"), .private_key = Secret("k")}),
            Authentication::key_pair);
}

TEST(SnowflakeAccess, EncodesBytesAsOthersReadThem) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd\xFF"}) {
    EXPECT_EQ(from_base64(to_base64(text)).value(), text);
  }
  EXPECT_EQ(to_base64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
  EXPECT_FALSE(from_base64("a"));
  EXPECT_EQ(gunzip(gzip("")), "");
  EXPECT_EQ(gunzip(gzip(std::string(100'000, 'x'))), std::string(100'000, 'x'));
  EXPECT_NE(new_uuid(), new_uuid());
  EXPECT_EQ(new_uuid().size(), 36U);
}

}  // namespace
}  // namespace candlewick::sink::snowflake
