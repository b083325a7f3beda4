// A strict URL parser: what it cannot split without doubt is refused, since the same text must mean
// the same host to the rule about plain connections and to those who connect.
#include "net/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace candlewick::net {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" || scheme == "wss" ? 443 : 80;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '.' && host.front() != '-' &&
         std::ranges::all_of(host, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
         });
}

// The last label decides: "1", "0x7f.1" or "127.1" would be read as addresses by some resolvers.
bool looks_like_odd_address(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return false;
  }
  const std::string_view last = std::string_view(host).substr(host.rfind('.') + 1);
  return last.empty() ? false
                      : std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; }) ||
                            last.starts_with("0x");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

// What may be shown of a text that is no URL: nothing after the query, nothing before an "@".
std::string redacted(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  const std::size_t at = text.rfind('@');
  return std::string(at == std::string_view::npos ? text : text.substr(at + 1)).substr(0, 200);
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(ErrorKind::malformed, "a \"%\" without two hex digits after it");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != default_port(scheme)) {
    out += ":" + std::to_string(port);
  }
  return out;
}

std::string Url::path() const {
  return target.substr(0, target.find('?'));
}

std::string Url::shown() const {
  return scheme + "://" + authority() + path();
}

std::string Url::text() const {
  return scheme + "://" + authority() + target;
}

Result<Url> parse_url(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::misconfigured, "URL \"{}\": {}", redacted(text), why);
  };
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) {
    return refuse("no scheme such as https://");
  }
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c == '\x7f' || c == '\\'; })) {
    return refuse("a space, backslash or control character in it");
  }
  Url url;
  url.scheme = to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss") {
    return refuse("the scheme is none of https, wss, http, ws");
  }
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t slash = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, slash);
  url.target = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  if (url.target.front() == '?') {
    url.target.insert(0, "/");
  }
  if (authority.find('@') != std::string_view::npos) {
    return refuse("a user name or password in it");
  }
  std::string_view port_text;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) {
      return refuse("a \"[\" without \"]\"");
    }
    url.host = to_lower(authority.substr(1, bracket - 1));
    port_text = authority.substr(bracket + 1);
    if (!is_ipv6(url.host) || (!port_text.empty() && port_text.front() != ':')) {
      return refuse("no valid host");
    }
  } else {
    const std::size_t port_colon = authority.find(':');
    url.host = to_lower(authority.substr(0, port_colon));
    port_text =
        port_colon == std::string_view::npos ? std::string_view{} : authority.substr(port_colon);
    if (!is_host_name(url.host) || looks_like_odd_address(url.host)) {
      return refuse("no valid host");
    }
  }
  url.port = default_port(url.scheme);
  if (!port_text.empty()) {
    const std::optional<std::uint16_t> port = parse_port(port_text.substr(1));
    if (!port) {
      return refuse("no valid port");
    }
    url.port = *port;
  }
  if (!url.is_secure() && !is_loopback(url.host)) {
    return refuse("plain http:// and ws:// are accepted for loopback addresses only");
  }
  return url;
}

bool is_loopback(std::string_view host) {
  if (to_lower(host) == "localhost") {
    return true;
  }
  const std::string owned(host);
  in_addr v4{};
  if (inet_pton(AF_INET, owned.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24U) == 127;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, owned.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += hex_digits[byte >> 4U];
      out += hex_digits[byte & 15U];
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}

Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = pair.find('=');
    Result<std::string> name = decode(pair.substr(0, equals), true);
    Result<std::string> value = decode(
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name) {
      return fail(std::move(name.error()));
    }
    if (!value) {
      return fail(std::move(value.error()));
    }
    query.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::string build_query(const Query& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (!out.empty()) {
      out += '&';
    }
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

}  // namespace candlewick::net
