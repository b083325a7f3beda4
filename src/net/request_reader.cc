// HTTP/1 requests by Beast's parser, with stricter rules on top.
#include "net/request_reader.h"

#include <algorithm>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace candlewick::net {

namespace http = boost::beast::http;

namespace {

// Beast lets quoted extensions hold line ends, at which others see the chunk begin.
struct ChunkHeader {
  void operator()(std::uint64_t, boost::beast::string_view extensions,
                  boost::system::error_code& error) const {
    const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; };
    if (std::ranges::any_of(extensions, is_control)) {
      error = http::error::bad_chunk_extension;
    }
  }
};

}  // namespace

struct RequestReader::Parser {
  ChunkHeader chunk_header;  // outlives the parser that calls it
  std::optional<http::request_parser<http::string_body>> http;
};

namespace {

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// The path and query of "/path?query" or "http://host/path?query"; empty: neither.
std::string_view origin_form(std::string_view target) {
  if (target.starts_with('/')) {
    return target;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      const std::size_t slash = target.find('/', scheme.size());
      return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
  }
  return {};
}

// Each line ends with CRLF and holds no other CR, LF or NUL, and none is folded into the one
// before: what others unfold, cut or join would be another request to them.
bool has_plain_lines(std::string_view raw) {
  while (!raw.empty()) {
    const std::size_t end = raw.find('\n');
    if (end == std::string_view::npos || end == 0 || raw[end - 1] != '\r') {
      return false;
    }
    const std::string_view line = raw.substr(0, end - 1);
    if (line.starts_with(' ') || line.starts_with('\t') || line.find('\r') != line.npos ||
        line.find('\0') != line.npos) {
      return false;
    }
    raw.remove_prefix(end + 1);
  }
  return true;
}

// A name or address with a port perhaps; lists, users and paths are no hosts.
bool is_plain_host(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return c > ' ' && c < '\x7f' &&
           std::string_view(",/\\@?#\"<>{}|^`").find(c) == std::string_view::npos;
  });
}

RequestReader::Refusal refusal_for(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return {431, "the header is too large"};
  }
  if (error == http::error::body_limit) {
    return {413, "the body is too large"};
  }
  if (error == http::error::bad_version) {
    return {505, "not HTTP/1.0 or HTTP/1.1"};
  }
  return {400, "not a valid HTTP request"};
}

}  // namespace

RequestReader::RequestReader(Limits limits)
    : limits_(limits), parser_(std::make_unique<Parser>()) {}
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader::~RequestReader() = default;

bool RequestReader::has_begun() const {
  return parser_->http.has_value();
}

RequestReader::Step RequestReader::refuse(int status, std::string_view reason) {
  refusal_ = {status, reason};
  return Step::refused;
}

RequestReader::Step RequestReader::read(std::string_view bytes, std::size_t& used) {
  used = 0;
  if (!parser_->http) {
    // Some clients send a line end too many after a body.
    while (used < bytes.size() && (bytes[used] == '\r' || bytes[used] == '\n')) {
      ++used;
    }
    if (used == bytes.size()) {
      return Step::need_more;
    }
    header_accepted_ = false;
    parser_->http.emplace();
    parser_->http->header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
    parser_->http->body_limit(limits_.max_body_bytes);
    parser_->http->on_chunk_header(parser_->chunk_header);
  }
  auto& parser = *parser_->http;
  while (true) {
    // Not eager before the header is accepted: its body must not be read by doubtful rules.
    parser.eager(header_accepted_);
    boost::system::error_code error;
    const std::size_t taken =
        parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += taken;
    if (error && error != http::error::need_more) {
      refusal_ = refusal_for(error);
      return Step::refused;
    }
    if (parser.is_header_done() && !header_accepted_) {
      if (!accept_header(bytes.substr(used - taken, taken))) {
        return Step::refused;
      }
      header_accepted_ = true;
      if (!parser.is_done() && used == bytes.size() && !is_http_1_0_ &&
          equal_ignoring_case(view(parser.get()[http::field::expect]), "100-continue")) {
        return Step::expects_continue;
      }
      if (!parser.is_done() && used < bytes.size()) {
        continue;
      }
    }
    if (parser.is_done()) {
      return Step::done;
    }
    if (taken == 0 || used == bytes.size()) {
      // A chunk header (or trailer) that does not end within the header's limit is an attack.
      return bytes.size() - used > limits_.max_header_bytes ? refuse(400, "a chunk header too long")
                                                            : Step::need_more;
    }
  }
}

bool RequestReader::accept_header(std::string_view raw) {
  if (!has_plain_lines(raw)) {
    refuse(400, "a folded line, or a control character, in the header");
    return false;
  }
  const auto& message = parser_->http->get();
  request_ = Request{};
  is_http_1_0_ = message.version() == 10;
  if (message.version() != 10 && message.version() != 11) {
    refuse(505, "not HTTP/1.0 or HTTP/1.1");
    return false;
  }
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t hosts = 0;
  request_.headers.reserve(static_cast<std::size_t>(std::distance(message.begin(), message.end())));
  for (const auto& field : message) {
    lengths += field.name() == http::field::content_length ? 1 : 0;
    codings += field.name() == http::field::transfer_encoding ? 1 : 0;
    hosts += field.name() == http::field::host ? 1 : 0;
    request_.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  }
  // "1, 1" is one number to some and none to others.
  if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0) ||
      view(message[http::field::content_length]).find_first_not_of("0123456789") !=
          std::string_view::npos) {
    refuse(400, "not exactly one length of the body");
    return false;
  }
  if (codings > 0 &&
      (is_http_1_0_ ||
       !equal_ignoring_case(view(message[http::field::transfer_encoding]), "chunked"))) {
    refuse(400, "a transfer encoding other than chunked");
    return false;
  }
  if (hosts > 1 || (hosts == 0 && !is_http_1_0_)) {
    refuse(400, "not exactly one Host header");
    return false;
  }
  if (!is_plain_host(view(message[http::field::host]))) {
    refuse(400, "a Host header that names no host");
    return false;
  }
  // Whether a resource has a method is for the handler to say, which knows what to allow instead.
  constexpr std::size_t longest_method = 32;
  if (message.method() == http::verb::connect || message.method() == http::verb::trace ||
      message.method_string().size() > longest_method) {
    refuse(405, "this method is not allowed");
    return false;
  }
  request_.method = std::string(view(message.method_string()));
  request_.target = std::string(view(message.target()));
  keep_alive_ = message.keep_alive();
  if (request_.target == "*" && message.method() == http::verb::options) {
    request_.path = "*";
    return true;
  }
  const std::string_view target = origin_form(request_.target);
  const std::size_t mark = target.find('?');
  auto path = percent_decode(target.substr(0, mark));
  auto query = parse_query(mark == std::string_view::npos ? "" : target.substr(mark + 1));
  if (target.empty() || !path || !query || path->find('\0') != std::string::npos) {
    refuse(400, "a malformed target");
    return false;
  }
  request_.path = std::move(*path);
  request_.query = std::move(*query);
  return true;
}

Request RequestReader::take() {
  request_.body = std::move(parser_->http->get().body());
  parser_->http.reset();
  return std::move(request_);
}

}  // namespace candlewick::net
