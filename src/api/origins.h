// Which web pages may use the API. A browser asks first (CORS), but not before it opens a
// WebSocket: that is refused here, or any page could listen with its visitor's reach.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/server.h"

namespace candlewick::api {

// "https://charts.example:8443" in lower case, or "*". Error: misconfigured.
Result<std::string> parse_origin(std::string_view text);

class Origins {
 public:
  // Of parse_origin().
  explicit Origins(std::vector<std::string> allowed);

  bool are_any() const { return !allowed_.empty(); }
  bool are_all() const { return all_; }
  // Pages of that origin, which is as a browser sends it.
  bool allow(std::string_view origin) const;
  // No page asks, one of this very server, or one that is allowed.
  bool allow_websocket(const net::Request& request) const;

 private:
  std::vector<std::string> allowed_;
  bool all_;
};

// Asks whether a request would be allowed, instead of making it.
bool is_preflight(const net::Request& request);
net::Headers answer_to_preflight(std::string_view methods);
// What pages may read of an answer besides its body.
std::string_view exposed_headers();

}  // namespace candlewick::api
