// The WebSocket protocol on a Wire, for both sides: queue, frames, control frames, closing.
// For the .cc files of net/ only; everything on the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/server.h"
#include "net/url.h"
#include "net/websocket_client.h"
#include "net/wire.h"

namespace candlewick::net {

struct WebSocketSettings {
  std::size_t max_message_bytes = 0;
  std::size_t max_queued_bytes = 0;
  Duration close_deadline{};
  bool deflate = false;
};

// The outcome of a handshake. A status is that of an answer that was no upgrade.
struct WebSocketHandshake {
  SystemError error{};
  std::string words{};  // why, if `error` is Beast's
  int http_status = 0;
  std::string retry_after{};
};

class WebSocket {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_frame(std::string_view payload, bool binary) = 0;
    virtual void on_control(ControlFrame kind, std::string_view payload) = 0;
    virtual void on_drained() = 0;
    // Once, last.
    virtual void on_end(const WebSocketClosed& closed) = 0;
  };

  static std::shared_ptr<WebSocket> make(std::shared_ptr<Wire> wire, WebSocketSettings settings,
                                         Owner& owner);
  virtual ~WebSocket() = default;

  virtual void connect(const Url& url, const Headers& headers,
                       std::move_only_function<void(const WebSocketHandshake&)> done) = 0;
  virtual void accept(const Request& request, Headers answer,
                      std::move_only_function<void(const WebSocketHandshake&)> done) = 0;
  // After a handshake that went well.
  virtual void start_reading() = 0;

  virtual bool send(std::string message, bool binary) = 0;
  virtual bool send(std::shared_ptr<const std::string> message, bool binary) = 0;
  virtual bool ping(std::string_view payload) = 0;
  virtual void close(int code, std::string_view reason) = 0;
  // Ends the connection now, for the reason given in words; on_end comes later.
  virtual void abort(std::string words) = 0;
  // The same, and the owner is never called again.
  virtual void detach() = 0;
  virtual std::size_t buffered() const = 0;
  virtual bool is_open() const = 0;
};

}  // namespace candlewick::net
