// Key-pair login: a short-lived JSON Web Token (RS256) that names the public key by its
// fingerprint.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace candlewick::sink::snowflake {

// A private RSA key.
class SigningKey {
 public:
  // PEM (PKCS#8 or PKCS#1, not encrypted); line ends may be written as \n, as variables often hold
  // them. Error: misconfigured.
  static Result<SigningKey> parse(const Secret& pem);

  // "SHA256:…", as DESC USER shows it (RSA_PUBLIC_KEY_FP).
  const std::string& fingerprint() const { return fingerprint_; }
  std::string sign(std::string_view text) const;
  // The public half as PEM without its frame: what ALTER USER … SET RSA_PUBLIC_KEY takes.
  std::string public_key() const;

 private:
  struct Key;
  SigningKey() = default;
  std::shared_ptr<const Key> key_;
  std::string fingerprint_;
};

// "myaccount.eu-central-1" → "MYACCOUNT", "myorg-account1" → "MYORG-ACCOUNT1".
std::string account_claim(std::string_view account);

// Good for 59 minutes from `now`, a little less than the most that Snowflake grants.
std::string make_jwt(const SigningKey& key, std::string_view account, std::string_view user,
                     Time now);

}  // namespace candlewick::sink::snowflake
