// New keys (sb_...) are no JWTs: as a bearer token the gateway refuses them, so they go into the
// header apikey alone; a JWT goes into both. Bodies are never compressed: PostgREST refuses that.
#include "sink/supabase_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/fault_point.h"
#include "base/json.h"
#include "net/url.h"

namespace candlewick::sink {
namespace {

// The gateway's own limit for a statement; a longer wait gets no answer.
constexpr Duration request_timeout = std::chrono::seconds{60};
constexpr std::size_t largest_answer = std::size_t{8} << 20;
// Keys made for servers are refused where the user agent looks like a browser's.
constexpr const char* user_agent = "candlewick/0.1.0";

// Of base64url without padding; nullopt for anything else.
std::optional<std::string> decode_base64url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<std::uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      value = static_cast<std::uint32_t>(c - '0') + 52;
    } else if (c == '-') {
      value = 62;
    } else if (c == '_') {
      value = 63;
    } else {
      return std::nullopt;
    }
    bits = bits << 6U | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
    }
  }
  return out;
}

}  // namespace

SupabaseKey inspect_supabase_key(std::string_view key) {
  SupabaseKey found;
  if (key.starts_with("sb_secret_")) {
    found.form = SupabaseKey::Form::secret;
    return found;
  }
  if (key.starts_with("sb_publishable_")) {
    found.form = SupabaseKey::Form::publishable;
    return found;
  }
  const auto first = key.find('.');
  const auto second = first == std::string_view::npos ? first : key.find('.', first + 1);
  if (second == std::string_view::npos) return found;
  const auto payload = decode_base64url(key.substr(first + 1, second - first - 1));
  if (!payload) return found;
  json::Reader reader;
  const auto read = reader.read(*payload, [&](json::Value root) {
    root.members([&](std::string_view name, json::Value value) {
      if (name == "role" && value.type() == json::Type::string) found.role = value.string();
      if (name == "exp" && value.type() == json::Type::number) {
        found.expires = time_from_ms(static_cast<std::int64_t>(value.floating()) * 1000);
      }
    });
  });
  if (read) found.form = SupabaseKey::Form::jwt;
  return read ? found : SupabaseKey{};
}

SupabaseClient::SupabaseClient(SupabaseLocation location, const Clock& clock)
    : location_(std::move(location)),
      clock_(clock),
      http_(std::make_unique<net::HttpClient>(net::HttpClientOptions{
          .ca_file = location_.ca_file, .user_agent = user_agent, .max_connections_per_host = 1})) {
}

Result<void> SupabaseClient::check_key() const {
  if (location_.key.empty()) {
    return fail(ErrorKind::misconfigured, "SUPABASE_SERVICE_ROLE_KEY is not set");
  }
  const SupabaseKey found = key();
  if (found.form == SupabaseKey::Form::publishable) {
    return fail(ErrorKind::misconfigured,
                "SUPABASE_SERVICE_ROLE_KEY is a publishable key, which may only read: the sink "
                "needs a secret key (sb_secret_...) or the service_role key");
  }
  if (found.role == "anon" || found.role == "authenticated") {
    return fail(ErrorKind::misconfigured,
                "SUPABASE_SERVICE_ROLE_KEY is a key of the role {}, which may only read: the sink "
                "needs the service_role key or a secret key (sb_secret_...)",
                found.role);
  }
  return {};
}

std::string SupabaseClient::shown_url() const {
  return location_.url;
}

Result<SupabaseReply> SupabaseClient::get(std::string_view path) {
  return ask({.method = "GET",
              .url = fmt::format("{}/rest/v1/{}", location_.url, path),
              .headers = {{"Accept-Profile", location_.schema}}});
}

Result<SupabaseReply> SupabaseClient::post(std::string_view path, std::string_view prefer,
                                           std::string body) {
  fault_point("supabase.before_request");
  auto reply = ask({.method = "POST",
                    .url = fmt::format("{}/rest/v1/{}", location_.url, path),
                    .headers = {{"Content-Profile", location_.schema},
                                {"Content-Type", "application/json"},
                                {"Prefer", std::string(prefer)}},
                    .body = std::move(body)});
  fault_point("supabase.after_request");
  return reply;
}

Result<SupabaseReply> SupabaseClient::patch(std::string_view path, std::string body) {
  return ask({.method = "PATCH",
              .url = fmt::format("{}/rest/v1/{}", location_.url, path),
              .headers = {{"Content-Profile", location_.schema},
                          {"Content-Type", "application/json"},
                          {"Prefer", "return=minimal"}},
              .body = std::move(body)});
}

Result<SupabaseReply> SupabaseClient::broadcast(std::string body) {
  return ask({.method = "POST",
              .url = location_.url + "/realtime/v1/api/broadcast",
              .headers = {{"Content-Type", "application/json"}},
              .body = std::move(body)});
}

Result<SupabaseReply> SupabaseClient::ask(net::HttpRequest request) {
  request.headers.add("apikey", location_.key.reveal());
  if (!location_.key.reveal().starts_with("sb_")) {
    request.headers.add("Authorization", "Bearer " + location_.key.reveal());
  }
  request.timeout = request_timeout;
  request.max_body_bytes = largest_answer;
  retry_after_.reset();
  const auto response = http_->fetch(std::move(request));
  if (!response) {
    // An answer that is no HTTP is no judgement about the rows.
    Error error = response.error();
    if (error.kind == ErrorKind::malformed) error.kind = ErrorKind::transient;
    return fail(std::move(error));
  }
  return read_supabase_reply(*response, clock_.now());
}

Error SupabaseClient::refusal(const SupabaseReply& reply, const SupabaseTable* table) {
  Error error = supabase_error(reply, table, location_.schema);
  if (error.kind == ErrorKind::transient) retry_after_ = reply.retry_after;
  if (reply.message.find("expired") != std::string::npos) {
    if (const auto expires = key().expires) {
      error.message += fmt::format(
          "; the key says that it is valid until {}, and this machine's "
          "clock shows {}",
          to_rfc3339(*expires), to_rfc3339(clock_.now()));
    }
  }
  return error;
}

std::string filter_time(Time time) {
  std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

Result<std::string> supabase_base_url(std::string_view text) {
  const auto parsed = net::parse_url(text);
  if (!parsed) return within("SUPABASE_URL", parsed.error());
  if (parsed->scheme != "https" && parsed->scheme != "http") {
    return fail(ErrorKind::misconfigured, "SUPABASE_URL: {} is not an address of HTTP",
                parsed->shown());
  }
  std::string url = parsed->shown();
  const auto strip = [&url](std::string_view tail) {
    if (url.ends_with(tail)) url.resize(url.size() - tail.size());
  };
  while (url.ends_with('/')) strip("/");
  strip("/rest/v1");
  while (url.ends_with('/')) strip("/");
  return url;
}

}  // namespace candlewick::sink
