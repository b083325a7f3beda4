// Origins are compared as text: browsers send them in one spelling, lower case and without the
// scheme's own port.
#include "api/origins.h"

#include <algorithm>

#include "net/headers.h"

namespace candlewick::api {
namespace {

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
         c == '[' || c == ']' || c == ':';
}

std::string_view scheme_of(std::string_view origin) {
  const auto end = origin.find("://");
  return end == std::string_view::npos ? std::string_view() : origin.substr(0, end);
}

}  // namespace

Result<std::string> parse_origin(std::string_view text) {
  std::string origin(text);
  std::ranges::transform(origin, origin.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (origin == "*") return origin;
  const auto scheme = scheme_of(origin);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::misconfigured, "\"{}\" {}: https://charts.example is wanted, or *", text,
                why);
  };
  if (scheme != "http" && scheme != "https") return refuse("is not an origin of http or https");
  const auto host = std::string_view(origin).substr(scheme.size() + 3);
  if (host.empty() || host.front() == ':') return refuse("names no host");
  if (!std::ranges::all_of(host, is_host_character)) {
    return refuse("is more than scheme, host and port");
  }
  const std::string_view own_port = scheme == "http" ? ":80" : ":443";
  if (origin.ends_with(own_port)) origin.resize(origin.size() - own_port.size());
  return origin;
}

Origins::Origins(std::vector<std::string> allowed)
    : allowed_(std::move(allowed)), all_(std::ranges::find(allowed_, "*") != allowed_.end()) {}

bool Origins::allow(std::string_view origin) const {
  return all_ || std::ranges::find(allowed_, origin) != allowed_.end();
}

bool Origins::allow_websocket(const net::Request& request) const {
  const auto origin = request.headers.find("Origin");
  if (!origin || allow(*origin)) return true;
  // Whoever ends TLS before us changes the scheme; the host is what a page cannot choose.
  const auto scheme = scheme_of(*origin);
  return !scheme.empty() &&
         net::equal_ignoring_case(origin->substr(scheme.size() + 3), request.headers.get("Host"));
}

bool is_preflight(const net::Request& request) {
  return request.method == "OPTIONS" && request.headers.has("Origin") &&
         request.headers.has("Access-Control-Request-Method");
}

net::Headers answer_to_preflight(std::string_view methods) {
  return {{"Access-Control-Allow-Methods", std::string(methods)},
          {"Access-Control-Allow-Headers",
           "Authorization, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-Request-Id"},
          // As long as browsers remember it at most.
          {"Access-Control-Max-Age", "7200"}};
}

std::string_view exposed_headers() {
  return "ETag, Link, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
         "X-Request-Id";
}

}  // namespace candlewick::api
