// OpenSSL reads the certificates, we read the tokens.
#include "alert/expiry.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "base/config.h"
#include "base/json.h"

namespace candlewick::alert {
namespace {

constexpr double last_second = 9e9;  // that a Time can hold, and a little less

template <auto Free>
struct Freed {
  void operator()(auto* object) const { Free(object); }
};

std::optional<Time> end_of(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return std::nullopt;
  // 9999-12-31 is how certificates say that they never end (RFC 5280).
  const auto last = static_cast<std::int64_t>(last_second);
  return Time{std::chrono::seconds{std::min<std::int64_t>(::timegm(&parts), last)}};
}

}  // namespace

Result<Time> certificate_expiry(const std::string& path) {
  const auto text = read_text_file(path);
  if (!text) return fail(text.error());
  const std::unique_ptr<BIO, Freed<BIO_free>> memory(
      BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  std::optional<Time> earliest;
  while (true) {
    const std::unique_ptr<X509, Freed<X509_free>> certificate(
        PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    const auto end = end_of(*certificate);
    if (end && (!earliest || *end < *earliest)) earliest = end;
  }
  ERR_clear_error();  // the end of the file is one
  if (!earliest) return fail(ErrorKind::misconfigured, "{} holds no certificate", path);
  return *earliest;
}

LoadedCertificate::LoadedCertificate(std::string name, std::string path)
    : name_(std::move(name)), path_(std::move(path)) {
  if (const auto loaded = certificate_expiry(path_)) in_use_ = *loaded;
}

Credential LoadedCertificate::look() {
  const auto on_disk = certificate_expiry(path_);
  if (!on_disk) return {.name = name_, .expires = in_use_, .problem = on_disk.error().message};
  if (!in_use_) in_use_ = *on_disk;
  return {.name = name_,
          .expires = std::min(*in_use_, *on_disk),
          .problem = {},
          .is_renewed_on_disk = *on_disk > *in_use_};
}

// header.payload.signature, each in base64 with the alphabet for URLs and without padding.
std::optional<Time> token_expiry(std::string_view token) {
  const auto first = token.find('.');
  const auto second = token.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  std::string payload(token.substr(first + 1, second - first - 1));
  std::ranges::replace(payload, '-', '+');
  std::ranges::replace(payload, '_', '/');
  payload.append((4 - payload.size() % 4) % 4, '=');
  const auto text = from_base64(payload);
  if (!text) return std::nullopt;
  std::optional<Time> expires;
  json::Reader reader;
  const auto read = reader.read(*text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key != "exp") return;
      // Some write a fraction, some a time that is for ever.
      const double seconds = value.floating();
      if (seconds >= 0 && seconds < last_second)
        expires = Time{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
    });
  });
  return read ? expires : std::nullopt;
}

}  // namespace candlewick::alert
