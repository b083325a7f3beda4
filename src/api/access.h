// Keys of callers, kept as hashes: who holds a copy of the configuration cannot use them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/server.h"

namespace candlewick::api {

// Each may do what those before it may.
enum class Scope : unsigned char { read, write, admin };
std::string_view to_text(Scope scope);

struct AccessKey {
  std::string name;  // for logs: "grafana"
  Scope scope = Scope::read;
  std::string sha256;  // of the key, 64 lower-case hexadecimal digits
};

// "grafana:read:9f86d0…": what `candlewick key` prints. Error: misconfigured.
Result<AccessKey> parse_access_key(std::string_view text);
std::string to_text(const AccessKey& key);

// A new key: "cw_" and 43 characters of 256 random bits.
std::string make_key();
std::string sha256_hex(std::string_view text);

// The key that a request bears: `Authorization: Bearer …` or `X-API-Key`. Empty: none.
std::string_view key_of(const net::Request& request);
// Browsers can set no headers where they open a WebSocket or an EventSource: `?key=…` becomes the
// header X-API-Key, and nothing keeps the address that showed it.
void take_key_from_query(net::Request& request);
// Whose it is. Takes the same time whichever character is wrong.
const AccessKey* holder_of(std::string_view key, const std::vector<AccessKey>& keys);

}  // namespace candlewick::api
