// Passes what happens on the line to the Handler's callbacks. What those throw closes the peer.
#include "net/server_peer.h"

#include <exception>
#include <utility>

namespace candlewick::net {
namespace {

constexpr int internal_error = 1011;

// False when it threw.
template <class Callback, class... Args>
bool call(const Callback& callback, Args&&... args) {
  if (!callback) {
    return true;
  }
  try {
    callback(std::forward<Args>(args)...);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

ServerPeer::ServerPeer(std::shared_ptr<Wire> wire, WebSocketSettings settings,
                       std::string remote_address, std::function<void()> gone)
    : line_(WebSocket::make(std::move(wire), settings, *this)),
      remote_address_(std::move(remote_address)),
      gone_(std::move(gone)) {}

void ServerPeer::accept(const Request& request, Headers answer,
                        std::function<void(std::shared_ptr<Peer>)> opened) {
  line_->accept(
      request, std::move(answer),
      [self = shared_from_this(), opened = std::move(opened)](const WebSocketHandshake& outcome) {
        if (!self->gone_) {
          return;
        }
        if (outcome.error) {
          const auto gone = std::exchange(self->gone_, nullptr);
          gone();
          return;
        }
        self->line_->start_reading();
        if (!call(opened, self)) {
          self->line_->close(internal_error, "internal error");
        }
      });
}

void ServerPeer::forget() {
  line_->detach();
  gone_ = nullptr;
  events_ = {};
}

void ServerPeer::abort_because(std::string words) {
  line_->abort(std::move(words));
}

bool ServerPeer::send(std::shared_ptr<const std::string> message, bool binary) {
  return line_->send(std::move(message), binary);
}

bool ServerPeer::send(std::string message, bool binary) {
  return line_->send(std::move(message), binary);
}

bool ServerPeer::ping(std::string_view payload) {
  return line_->ping(payload);
}

void ServerPeer::close(int code, std::string_view reason) {
  line_->close(code, reason);
}

void ServerPeer::abort() {
  line_->abort("dropped by the server");
}

std::size_t ServerPeer::buffered_bytes() const {
  return line_->buffered();
}

void ServerPeer::on_frame(std::string_view payload, bool binary) {
  const auto self = shared_from_this();
  if (!call(events_.on_frame, payload, binary)) {
    line_->close(internal_error, "internal error");
  }
}

void ServerPeer::on_control(ControlFrame kind, std::string_view payload) {
  const auto self = shared_from_this();
  if (kind == ControlFrame::pong && !call(events_.on_pong, payload)) {
    line_->close(internal_error, "internal error");
  }
}

void ServerPeer::on_drained() {
  const auto self = shared_from_this();
  if (!call(events_.on_drain)) {
    line_->close(internal_error, "internal error");
  }
}

void ServerPeer::on_end(const WebSocketClosed& closed) {
  const auto self = shared_from_this();
  const auto gone = std::exchange(gone_, nullptr);
  // Callbacks often hold the peer: letting go of them here ends the circle.
  const PeerEvents events = std::exchange(events_, PeerEvents{});
  call(events.on_close,
       PeerClosed{closed.close_code,
                  closed.close_code != 0 ? closed.close_reason : closed.error.message});
  if (gone) {
    gone();
  }
}

}  // namespace candlewick::net
