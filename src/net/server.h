// An HTTP/1.1 and WebSocket server on one loop. It knows framing, limits and slow clients; what is
// answered is the Handler's. Requests of a connection are answered one after the other, in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/headers.h"
#include "net/loop.h"
#include "net/url.h"

namespace candlewick::net {

struct Request {
  std::string method{};  // as sent: "GET"; CONNECT, TRACE and absurdly long ones never get here
  std::string target{};  // as sent: "/latest/BTC%2FUSDT?exchange=okx"
  std::string path{};    // decoded: "/latest/BTC/USDT"
  Query query{};         // decoded, in the order written
  Headers headers{};
  std::string body{};
  std::string remote_address{};  // "127.0.0.1"

  // The first of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

// Content-Length, Connection and Transfer-Encoding are the server's. A HEAD request may be answered
// like a GET: the body is left out, its length told.
struct Response {
  int status = 200;
  Headers headers{};
  std::string body{};
  // Instead of `body`, for bytes that many answers share.
  std::shared_ptr<const std::string> shared_body{};
};

// The way to answer one request: send() once, or begin(), write()..., end(). From any thread, after
// the connection has gone too (then nothing happens). One that is dropped unanswered is answered
// with 500; one that is dropped between begin() and end() cuts the connection, so that the client
// sees that something is missing.
class Responder {
 public:
  enum class Room {
    more,    // taken
    full,    // not taken and not moved from: try again at on_drain
    closed,  // not taken: the client has gone
  };

  virtual ~Responder() = default;

  virtual void send(Response response) = 0;

  // Starts an answer whose length is not known: chunked (to HTTP/1.0: until the connection closes).
  virtual void begin(int status, Headers headers) = 0;
  // The same, compressed on the thread that writes, each chunk so that it can be read at once. For
  // clients that take it (gzip.h); Content-Encoding comes by itself.
  virtual void begin_gzip(int status, Headers headers) = 0;
  // Bounded by ServerOptions::max_queued_bytes; a chunk is taken while less than that is waiting.
  virtual Room write(std::string&& chunk) = 0;
  virtual void end() = 0;
  // Called on the loop's thread each time that everything written so far has been handed to the
  // system. Set it before the first write().
  virtual void on_drain(std::move_only_function<void()> callback) = 0;
  // Called on the loop's thread, at most once, if the client goes before the answer is complete;
  // at once if it has gone already. Not called after the answer is complete.
  virtual void on_close(std::move_only_function<void()> callback) = 0;
  virtual bool is_closed() const = 0;
};

struct PeerClosed {
  int close_code = 0;    // of the client's close frame; 0: none came
  std::string reason{};  // the client's, or in words why the connection ended
};

// All on the server's loop thread.
struct PeerEvents {
  // The payload is valid during the call only.
  std::function<void(std::string_view payload, bool binary)> on_frame{};
  // Exactly once, unless the server is destroyed before; also after close() and abort().
  std::function<void(const PeerClosed&)> on_close{};
  // Everything that was queued has been handed to the system.
  std::function<void()> on_drain{};
  // A pong came: the client lives.
  std::function<void(std::string_view payload)> on_pong{};
};

// A WebSocket client of ours. On the loop's thread only.
class Peer {
 public:
  virtual ~Peer() = default;

  // Set once, inside Upgrade::on_open.
  virtual void listen(PeerEvents events) = 0;
  // Queues a message; false, and nothing is queued: the queue is over its bound
  // (ServerOptions::max_queued_bytes) or the peer is closing. The caller decides to drop or close.
  virtual bool send(std::shared_ptr<const std::string> message, bool binary = false) = 0;
  virtual bool send(std::string message, bool binary = false) = 0;
  // False when the ping before has not been written yet. Payload: at most 125 bytes.
  virtual bool ping(std::string_view payload) = 0;
  // After what is queued: a close frame, and on_close at the answer or after a few seconds.
  virtual void close(int code, std::string_view reason) = 0;
  // Drops the TCP connection now; on_close comes from the loop, not from inside this call.
  virtual void abort() = 0;
  // Queued and not yet handed to the system.
  virtual std::size_t buffered_bytes() const = 0;
  virtual const std::string& remote_address() const = 0;
};

// The answer to a request to become a WebSocket.
struct Upgrade {
  // Answered instead, when set.
  std::optional<Response> refusal{};
  // One of those that the client offered (has_token("Sec-WebSocket-Protocol", ...)); empty: none.
  std::string subprotocol{};
  // Of the answer that accepts.
  Headers headers{};
  std::function<void(std::shared_ptr<Peer>)> on_open{};
};

// "Not Found"; empty for a number without a name.
std::string_view status_text(int status);

class Handler {
 public:
  virtual ~Handler() = default;

  // On the loop's thread; answer now or later. What it throws becomes a 500.
  virtual void http(Request request, std::shared_ptr<Responder> responder) = 0;
  // A refusal with 404 unless overridden.
  virtual Upgrade websocket(const Request& request);
  // The body for what the server itself refuses (400, 404, 405, 408, 413, 426, 431, 500, 501, 503);
  // `reason` is a short phrase for people. Plain text unless overridden.
  virtual Response error(int status, std::string_view reason);
};

struct ServerOptions {
  std::string address = "127.0.0.1";                    // of this machine; "::" for all
  std::uint16_t port = 0;                               // 0: any free one
  std::size_t max_header_bytes = 16U << 10U;            // more: 431
  std::size_t max_body_bytes = 1U << 20U;               // more: 413
  Duration request_timeout = std::chrono::seconds{15};  // first to last byte of a request: 408
  Duration idle_timeout = std::chrono::seconds{75};     // between requests: closed
  Duration write_timeout = std::chrono::seconds{30};    // a client that takes nothing: dropped
  // A WebSocket client from which nothing comes is sent a ping after half of this, and dropped
  // after all of it.
  Duration websocket_idle_timeout = std::chrono::seconds{60};
  Duration websocket_close_timeout = std::chrono::seconds{3};  // the answer to our close frame
  std::size_t max_connections = 10'000;                        // more: 503
  std::size_t max_queued_bytes = 4U << 20U;                    // per connection, not yet written
  std::size_t max_message_bytes = 1U << 20U;  // of a WebSocket client; more: closed with 1009
  bool websocket_deflate = false;             // permessage-deflate for clients that offer it
  std::string certificate_file{};             // PEM, chain included; with key_file: TLS
  std::string key_file{};                     // PEM
  // Of every answer, the server's own refusals too, unless the answer has one of that name.
  Headers headers{};
};

class Server {
 public:
  // Listens at once; answers as soon as the loop runs. Error: misconfigured (address in use, not
  // ours, certificate). Loop and handler must outlive the server.
  static Result<std::unique_ptr<Server>> listen(Loop& loop, ServerOptions options,
                                                Handler& handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Drops all connections, from any thread. No callback comes after, except on_close of Responders.
  ~Server();

  std::uint16_t port() const;
  // "127.0.0.1:8000", IPv6 in brackets.
  std::string address() const;
  // Any thread.
  std::size_t connections() const;
  // No new connections; idle ones are closed, requests under way are answered, WebSocket clients
  // are told 1001 (going away). Any thread; returns at once: watch connections().
  void drain();

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace candlewick::net
