// What contradicts itself is refused before anything listens.
#include "api/settings.h"

#include "api/origins.h"

namespace candlewick::api {
namespace {

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

Result<std::vector<AccessKey>> keys_of(const Config::Http& http) {
  std::vector<AccessKey> keys;
  for (const auto& text : http.keys) {
    auto key = parse_access_key(text);
    if (!key) return within("http.keys", std::move(key.error()));
    keys.push_back(std::move(*key));
  }
  if (!http.public_read && keys.empty()) {
    return fail(ErrorKind::misconfigured,
                "http.public_read = false needs http.keys, or nobody may read (`candlewick key` "
                "makes one)");
  }
  return keys;
}

Result<Options> options_of(const Config::Http& http) {
  Options options;
  options.server.address = http.listen.host;
  options.server.port = http.listen.port;
  options.server.max_connections = static_cast<std::size_t>(http.max_connections);
  options.server.max_body_bytes = static_cast<std::size_t>(http.max_body_bytes);
  options.server.request_timeout = http.request_timeout;
  options.server.certificate_file = http.certificate_file;
  options.server.key_file = http.key_file;
  if (http.certificate_file.empty() != http.key_file.empty()) {
    return fail(ErrorKind::misconfigured,
                "http.certificate_file and http.key_file belong together: {} is not set",
                http.key_file.empty() ? "http.key_file" : "http.certificate_file");
  }
  options.max_rows = static_cast<std::size_t>(http.max_rows);
  options.stream_subscriptions = static_cast<std::size_t>(http.stream_subscriptions);
  options.stream_queue_messages = static_cast<std::size_t>(http.stream_queue_messages);
  options.gate.requests_per_minute = http.requests_per_minute;
  options.gate.public_read = http.public_read;
  for (const auto& text : http.allowed_origins) {
    auto origin = parse_origin(text);
    if (!origin) return within("http.allowed_origins", std::move(origin.error()));
    options.gate.allowed_origins.push_back(std::move(*origin));
  }
  return options;
}

std::vector<std::string> exposure_warnings(const Config::Http& http) {
  std::vector<std::string> warnings;
  if (is_loopback(http.listen.host)) return warnings;
  const std::string where = to_text(http.listen);
  if (http.certificate_file.empty()) {
    warnings.push_back(fmt::format(
        "http.listen = {} is open to other machines without TLS: keys and data can be read on the "
        "way (http.certificate_file and http.key_file, or a proxy that ends TLS)",
        where));
  }
  if (http.public_read) {
    warnings.push_back(
        fmt::format("http.listen = {} is open to other machines and http.public_read is true: "
                    "whoever reaches it may read without a key (`candlewick key` makes one; "
                    "http.public_read = false asks for it)",
                    where));
  }
  return warnings;
}

}  // namespace candlewick::api
