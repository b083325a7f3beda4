// One WebSocket connection as a client: resolve, connect, TLS, upgrade, then frames. No retries:
// whoever owns it decides when to make the next one. All callbacks come on the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/headers.h"
#include "net/loop.h"

namespace candlewick::net {

struct WebSocketOptions {
  std::string url{};  // wss://, or ws:// to a loopback address
  Headers headers{};  // in addition to those of the handshake; a User-Agent here replaces ours
  Duration connect_deadline = std::chrono::seconds{10};    // name look-up and TCP
  Duration handshake_deadline = std::chrono::seconds{10};  // TLS and upgrade
  Duration close_deadline = std::chrono::seconds{3};       // the answer to our close frame
  std::size_t max_message_bytes = 16U << 20U;              // larger ones end the connection
  std::size_t max_queued_bytes = 4U << 20U;                // not yet written; see send()
  std::string ca_file{};       // PEM, trusted in addition to the system's; empty: none
  bool offer_deflate = false;  // permessage-deflate, used if the server agrees
};

enum class ControlFrame { ping, pong };

// Why a connection ended or never began. `error.kind` is misconfigured when another attempt cannot
// help (URL, certificate), malformed when the peer broke the protocol or a limit, else transient.
struct WebSocketClosed {
  Error error{};
  int http_status = 0;         // of a refused upgrade: 403, 429, 451, ...; 0: there was none
  int close_code = 0;          // of the peer's close frame; 0: none came
  std::string close_reason{};  // of the peer's close frame
  std::string retry_after{};   // the header of a refused upgrade, as sent
  bool was_open = false;
};

struct WebSocketEvents {
  std::function<void()> on_open{};
  // The payload is valid during the call only.
  std::function<void(std::string_view payload, bool binary)> on_frame{};
  // Pings are answered by themselves, with the same payload; this tells of them.
  std::function<void(ControlFrame, std::string_view payload)> on_control{};
  // Exactly once, last, also when connecting failed; never from inside the constructor.
  std::function<void(const WebSocketClosed&)> on_close{};
  // Everything that was queued has been handed to the system.
  std::function<void()> on_drain{};
};

class WebSocketClient {
 public:
  // Begins to connect. The loop must outlive the client. From any thread; all else except the
  // destructor on the loop's thread only.
  WebSocketClient(Loop& loop, WebSocketOptions options, WebSocketEvents events);
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;
  // Drops the connection. No callback comes after; allowed inside of one, and on any thread.
  ~WebSocketClient();

  bool is_open() const;
  // Queues a text (or binary) message. False, and nothing is queued: not open, closing, or the
  // queue is full.
  bool send(std::string message, bool binary = false);
  // False when not open or when the ping before has not been written yet. Payload: 125 bytes.
  bool ping(std::string_view payload = {});
  // After what is queued: sends a close frame and waits for the answer (close_deadline), then
  // on_close; frames that come meanwhile are dropped. Before the connection is open: drops it.
  void close(int code = 1000, std::string_view reason = {});
  std::size_t queued_bytes() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace candlewick::net
