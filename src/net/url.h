// URLs, percent-encoding and query strings, as far as HTTP and WebSocket need them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace candlewick::net {

struct Url {
  std::string scheme{};  // "http", "https", "ws" or "wss", lower case
  std::string host{};    // lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string target{};  // path and query, starts with "/"; never the fragment

  bool is_secure() const { return scheme == "https" || scheme == "wss"; }
  // "host:port", without a port that is the scheme's own, IPv6 in brackets: for the Host header.
  std::string authority() const;
  std::string path() const;
  // Without query, which may hold keys: for messages and logs.
  std::string shown() const;
  std::string text() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// Error: misconfigured, naming the URL. User names and passwords in URLs are refused, as are
// plain http:// and ws:// to anything but a loopback address.
Result<Url> parse_url(std::string_view text);

// 127.0.0.0/8, ::1 and "localhost".
bool is_loopback(std::string_view host);

// Everything but the unreserved characters (letters, digits, "-._~") becomes %XX.
std::string percent_encode(std::string_view text);
// Error: malformed (a "%" without two hex digits). "+" stays: only in queries does it mean a space.
Result<std::string> percent_decode(std::string_view text);

using Query = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=x%20y&a=2" in the order written, decoded; "+" means a space. Error: malformed.
Result<Query> parse_query(std::string_view text);
std::string build_query(const Query& query);

}  // namespace candlewick::net
