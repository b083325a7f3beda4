// Small things that both ways into Snowflake need, by OpenSSL and zlib.
#include "sink/snowflake_access.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <zlib.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace candlewick::sink::snowflake {
namespace {

// A token is a JSON Web Token of Snowflake's own; nobody's password looks like that.
bool looks_like_access_token(std::string_view secret) {
  return secret.size() > 100 && secret.starts_with("eyJ");
}

}  // namespace

Authentication authentication_of(const Access& access) {
  if (!access.private_key.empty()) return Authentication::key_pair;
  if (!access.oauth_token.empty()) return Authentication::oauth;
  return looks_like_access_token(access.password.reveal()) ? Authentication::access_token
                                                           : Authentication::password;
}

std::string_view to_text(Authentication authentication) {
  switch (authentication) {
    case Authentication::key_pair:
      return "key pair";
    case Authentication::access_token:
      return "programmatic access token";
    case Authentication::oauth:
      return "OAuth token";
    case Authentication::password:
      return "password";
  }
  std::unreachable();
}

std::string new_uuid() {
  std::array<unsigned char, 16> bytes{};
  check(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "the system has randomness");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits[bytes[i] >> 4U];
    text += digits[bytes[i] & 0x0FU];
  }
  return text;
}

std::string gzip(std::string_view text) {
  constexpr int gzip_window = 15 + 16;  // "+ 16" asks for gzip's header instead of zlib's
  z_stream stream{};
  check(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8,
                     Z_DEFAULT_STRATEGY) == Z_OK,
        "zlib has memory");
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  check(deflate(&stream, Z_FINISH) == Z_STREAM_END, "the bound of zlib holds");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  const int size = text.size() % 4 != 0
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                         reinterpret_cast<const unsigned char*>(text.data()),
                                         static_cast<int>(text.size()));
  if (size < 0) return fail(ErrorKind::malformed, "not in base64");
  out.resize(static_cast<std::size_t>(size));
  // The decoder counts the padding as bytes.
  for (std::size_t i = 0; i < 2 && text.ends_with('='); ++i) {
    text.remove_suffix(1);
    out.pop_back();
  }
  return out;
}

}  // namespace candlewick::sink::snowflake
