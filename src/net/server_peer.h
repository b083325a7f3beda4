// A WebSocket client of the server, as the Handler sees it.
// For the .cc files of net/ only; everything on the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "net/server.h"
#include "net/websocket.h"

namespace candlewick::net {

class ServerPeer final : public Peer,
                         public WebSocket::Owner,
                         public std::enable_shared_from_this<ServerPeer> {
 public:
  ServerPeer(std::shared_ptr<Wire> wire, WebSocketSettings settings, std::string remote_address,
             std::function<void()> gone);

  // Answers the upgrade with these headers; then `opened`, unless the handshake fails.
  void accept(const Request& request, Headers answer,
              std::function<void(std::shared_ptr<Peer>)> opened);
  // Drops the connection without a word to anyone.
  void forget();
  void abort_because(std::string words);

  void listen(PeerEvents events) override { events_ = std::move(events); }
  bool send(std::shared_ptr<const std::string> message, bool binary) override;
  bool send(std::string message, bool binary) override;
  bool ping(std::string_view payload) override;
  void close(int code, std::string_view reason) override;
  void abort() override;
  std::size_t buffered_bytes() const override;
  const std::string& remote_address() const override { return remote_address_; }

  void on_frame(std::string_view payload, bool binary) override;
  void on_control(ControlFrame kind, std::string_view payload) override;
  void on_drained() override;
  void on_end(const WebSocketClosed& closed) override;

 private:
  std::shared_ptr<WebSocket> line_;
  std::string remote_address_;
  std::function<void()> gone_;
  PeerEvents events_;
};

}  // namespace candlewick::net
