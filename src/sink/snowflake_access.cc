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

}  // namespace candlewick::sink::snowflake
