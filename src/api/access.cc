// Hashes and headers.
#include "api/access.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/base64.h"

namespace candlewick::api {
namespace {

constexpr std::array<std::string_view, 3> scope_names{"read", "write", "admin"};

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string_view to_text(Scope scope) {
  return scope_names[static_cast<std::size_t>(scope)];
}

std::string to_text(const AccessKey& key) {
  return fmt::format("{}:{}:{}", key.name, to_text(key.scope), key.sha256);
}

Result<AccessKey> parse_access_key(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) {
    return fail(ErrorKind::misconfigured,
                "not NAME:SCOPE:SHA-256 as `candlewick key` prints it (the key itself does not "
                "belong here)");
  }
  AccessKey key;
  key.name = text.substr(0, first);
  const auto scope = text.substr(first + 1, second - first - 1);
  const auto* const known = std::ranges::find(scope_names, scope);
  if (known == scope_names.end())
    return fail(ErrorKind::misconfigured, "the scope \"{}\" is none of read, write and admin",
                scope);
  key.scope = static_cast<Scope>(known - scope_names.begin());
  key.sha256 = text.substr(second + 1);
  if (key.name.empty() || key.sha256.size() != 64 || !is_hex(key.sha256)) {
    return fail(ErrorKind::misconfigured,
                "\"{}\": a name and 64 hexadecimal digits of the key's SHA-256 are needed",
                key.name);
  }
  return key;
}

std::string make_key() {
  std::array<unsigned char, 32> random{};
  // Fails only where a machine has no source of randomness at all.
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return {};
  std::string key = "cw_";
  for (const char c : to_base64({reinterpret_cast<const char*>(random.data()), random.size()})) {
    if (c != '=') key += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return key;
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest.at(i));
  return hex;
}

std::string_view key_of(const net::Request& request) {
  if (const auto key = request.headers.get("X-API-Key"); !key.empty()) return key;
  const auto authorization = request.headers.get("Authorization");
  constexpr std::string_view bearer = "bearer ";
  const bool is_bearer =
      authorization.size() > bearer.size() &&
      std::ranges::equal(authorization.substr(0, bearer.size()), bearer, {},
                         [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : int{c}; });
  return is_bearer ? authorization.substr(bearer.size()) : std::string_view{};
}

void take_key_from_query(net::Request& request) {
  const auto found = std::ranges::find(request.query, "key", &net::Query::value_type::first);
  if (found == request.query.end()) return;
  if (key_of(request).empty()) request.headers.set("X-API-Key", std::move(found->second));
  request.query.erase(found);
  request.target.clear();
}

const AccessKey* holder_of(std::string_view key, const std::vector<AccessKey>& keys) {
  if (key.empty()) return nullptr;
  const std::string hash = sha256_hex(key);
  const AccessKey* holder = nullptr;
  for (const auto& known : keys) {
    const bool is_same = hash.size() == known.sha256.size() &&
                         CRYPTO_memcmp(hash.data(), known.sha256.data(), hash.size()) == 0;
    if (is_same) holder = &known;
  }
  return holder;
}

}  // namespace candlewick::api
