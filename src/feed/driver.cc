// A feed on real sockets.
#include "feed/driver.h"

#include <charconv>

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;

// Seconds; the other form of Retry-After, a date, is not sent by any venue here.
std::optional<Duration> retry_after(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end == text.data() || seconds < 0) return std::nullopt;
  return std::chrono::seconds{std::min<std::int64_t>(seconds, 7 * 86'400)};
}

std::optional<std::int64_t> number(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end == text->data()) return std::nullopt;
  return value;
}

}  // namespace

Driver::Driver(net::Loop& loop, net::HttpClient& http, const Clock& clock, std::string ca_file)
    : Link(loop, clock),
      http_(http),
      ca_file_(std::move(ca_file)),
      self_(std::make_shared<Driver*>(this)) {}

Driver::~Driver() {
  *self_ = nullptr;
}

void Driver::open(ConnectionId connection, const std::string& url) {
  net::WebSocketOptions options;
  options.url = url;
  options.ca_file = ca_file_;
  net::WebSocketEvents events;
  events.on_open = [this, connection] {
    feed().on_open(connection, now());
    rearm();
  };
  events.on_frame = [this, connection](std::string_view payload, bool binary) {
    feed().on_frame(connection, payload, binary, now());
    rearm();
  };
  events.on_control = [this, connection](net::ControlFrame /*kind*/, std::string_view /*payload*/) {
    feed().on_control(connection, now());
  };
  events.on_close = [this, connection](const net::WebSocketClosed& closed) {
    const Disconnect why{.kind = closed.error.kind,
                         .reason = closed.error.message,
                         .http_status = closed.http_status,
                         .retry_after = retry_after(closed.retry_after)};
    sockets_.erase(connection);
    feed().on_closed(connection, why, now());
    rearm();
  };
  sockets_[connection] =
      std::make_unique<net::WebSocketClient>(loop(), std::move(options), std::move(events));
}

void Driver::send(ConnectionId connection, std::string message) {
  const auto socket = sockets_.find(connection);
  if (socket == sockets_.end()) return;
  // A full queue means that the venue does not read: its connection is as good as lost.
  if (!socket->second->send(std::move(message)))
    socket->second->close(1001, "the peer does not read");
}

void Driver::close(ConnectionId connection) {
  // Destroying it drops the connection without a further callback.
  sockets_.erase(connection);
}

void Driver::request(RequestId request, const std::string& url, const exchange::RestRequest& rest) {
  net::HttpRequest http;
  http.method = rest.method;
  http.url = url;
  if (!rest.body.empty() || rest.method != "GET") {
    http.headers.add("Content-Type", "application/json");
    http.body = rest.body;
  }
  http.timeout = 20s;
  http_.send(std::move(http), loop(),
             [self = std::weak_ptr<Driver*>(self_), request](Result<net::HttpResponse> response) {
               const auto alive = self.lock();
               if (alive && *alive != nullptr) (*alive)->on_reply(request, std::move(response));
             });
}

void Driver::on_reply(RequestId request, Result<net::HttpResponse> response) {
  if (!response) {
    feed().on_request_error(request, response.error(), now());
  } else {
    VenueFeed::Reply reply;
    reply.status = response->status;
    reply.body = response->body;
    reply.retry_after = retry_after(response->headers.get("Retry-After"));
    if (const auto name = feed().venue().used_weight_header; !name.empty()) {
      reply.used_weight = number(response->headers.find(name));
    }
    feed().on_reply(request, reply, now());
  }
  rearm();
}

}  // namespace candlewick::feed
