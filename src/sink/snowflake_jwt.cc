// OpenSSL does the signature and the digest of the public key's DER form.
#include "sink/snowflake_jwt.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/base64.h"
#include "base/check.h"
#include "base/json_text.h"
#include "sink/snowflake_access.h"

namespace candlewick::sink::snowflake {
namespace {

constexpr std::chrono::minutes lifetime{59};
constexpr int least_bits = 2048;

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return out;
}

std::string base64url(std::string_view bytes) {
  std::string out = to_base64(bytes);
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  while (out.ends_with('=')) out.pop_back();
  return out;
}

std::string with_line_ends(std::string_view pem) {
  std::string out;
  for (std::size_t i = 0; i < pem.size(); ++i) {
    if (pem[i] == '\\' && i + 1 < pem.size() && pem[i + 1] == 'n') {
      out += '\n';
      ++i;
    } else {
      out += pem[i];
    }
  }
  return out;
}

// An encrypted key must not make OpenSSL ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

struct SigningKey::Key {
  explicit Key(EVP_PKEY* its_key) : key(its_key) {}
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { EVP_PKEY_free(key); }

  std::string der() const {
    unsigned char* bytes = nullptr;
    const int size = i2d_PUBKEY(key, &bytes);
    check(size > 0, "a key has a public half");
    std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
  }

  EVP_PKEY* key;
};

Result<SigningKey> SigningKey::parse(const Secret& pem) {
  const std::string text = with_line_ends(pem.reveal());
  if (text.find("ENCRYPTED") != std::string::npos) {
    return fail(ErrorKind::misconfigured,
                "snowflake.private_key is encrypted: give it without a passphrase "
                "(openssl pkcs8 -topk8 -nocrypt)");
  }
  BIO* const bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  EVP_PKEY* const read = PEM_read_bio_PrivateKey(bio, nullptr, no_passphrase, nullptr);
  BIO_free(bio);
  if (read == nullptr) {
    return fail(
        ErrorKind::misconfigured,
        "snowflake.private_key is no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  }
  auto key = std::make_shared<const Key>(read);
  if (EVP_PKEY_base_id(read) != EVP_PKEY_RSA || EVP_PKEY_bits(read) < least_bits) {
    return fail(ErrorKind::misconfigured,
                "snowflake.private_key is not an RSA key of at least {} bits", least_bits);
  }
  const std::string der = key->der();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check(EVP_Digest(der.data(), der.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
        "OpenSSL has SHA-256");
  SigningKey made;
  made.key_ = std::move(key);
  made.fingerprint_ =
      "SHA256:" + to_base64(std::string_view(reinterpret_cast<const char*>(digest.data()), size));
  return made;
}

std::string SigningKey::sign(std::string_view text) const {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  std::size_t size = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  bool good = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_->key) == 1 &&
              EVP_DigestSign(context, nullptr, &size, bytes, text.size()) == 1;
  std::string signature(size, '\0');
  good = good && EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                                bytes, text.size()) == 1;
  EVP_MD_CTX_free(context);
  check(good, "an RSA key signs");
  signature.resize(size);
  return signature;
}

std::string SigningKey::public_key() const {
  return to_base64(key_->der());
}

std::string account_claim(std::string_view account) {
  std::string_view name = account;
  const auto point = name.find('.');
  if (point != std::string_view::npos) {
    // "locator-suffix.global" is a locator with a suffix of its own.
    const bool is_global = name.find(".global") != std::string_view::npos;
    name = name.substr(0, point);
    if (is_global) name = name.substr(0, name.find('-'));
  }
  return upper(name);
}

std::string make_jwt(const SigningKey& key, std::string_view account, std::string_view user,
                     Time now) {
  const std::string subject = account_claim(account) + "." + upper(user);
  const std::int64_t issued = to_ms(now) / 1000;
  std::string claims;
  json::Members members(claims);
  members("iss", subject + "." + key.fingerprint())("sub", subject)("iat", issued);
  members("exp", issued + std::chrono::seconds{lifetime}.count());
  members.close();
  std::string token = base64url(R"({"alg":"RS256","typ":"JWT"})") + "." + base64url(claims);
  token += "." + base64url(key.sign(token));
  return token;
}

}  // namespace candlewick::sink::snowflake
