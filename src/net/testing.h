// What the tests of net/ share: a server with replaceable handlers, a bare TCP client that can send
// what no library would, and waiting without sleeping.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "net/server.h"

namespace candlewick::net::testing {

// Long enough for a loaded machine under a sanitizer; no test that passes waits for it.
constexpr std::chrono::seconds patience{30};

// Values that threads tell a test, in order.
template <class T>
class Told {
 public:
  void tell(T value) {
    // Notifies under the lock: the waiter may destroy this as soon as it has what it wanted.
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  // Waits until there are so many; fewer are returned when patience ends.
  std::vector<T> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return values_.size() >= count; });
    return values_;
  }
  T wait_for_one() {
    std::vector<T> values = wait_for(1);
    EXPECT_FALSE(values.empty()) << "nothing came in time";
    return values.empty() ? T{} : values.front();
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

class FunctionHandler final : public Handler {
 public:
  void http(Request request, std::shared_ptr<Responder> responder) override {
    on_http(std::move(request), std::move(responder));
  }
  Upgrade websocket(const Request& request) override {
    return on_websocket ? on_websocket(request) : Handler::websocket(request);
  }

  std::function<void(Request, std::shared_ptr<Responder>)> on_http =
      [](const Request& request, const std::shared_ptr<Responder>& responder) {
        responder->send({.body = request.method + " " + request.path + " " + request.body});
      };
  std::function<Upgrade(const Request&)> on_websocket;
};

// A server on a loop with a thread of its own.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { loop.start(); }
  ~ServerTest() override { server.reset(); }

  void listen(ServerOptions options = {}) {
    auto made = Server::listen(loop, std::move(options), handler);
    ASSERT_TRUE(made) << made.error().message;
    server = std::move(*made);
  }
  std::string url(std::string_view scheme, std::string_view target = "/") const {
    return fmt::format("{}://127.0.0.1:{}{}", scheme, server->port(), target);
  }
  // Waits, a turn of the loop a millisecond, until so many connections are open.
  bool wait_for_connections(std::size_t count) {
    for (auto turns = std::chrono::milliseconds{patience}.count(); turns > 0; --turns) {
      if (server->connections() == count) {
        return true;
      }
      std::promise<void> turn;
      const Timer timer = loop.after(std::chrono::milliseconds{1}, [&] { turn.set_value(); });
      turn.get_future().wait();
    }
    return false;
  }

  FunctionHandler handler;
  Loop loop{"server"};
  std::unique_ptr<Server> server;
};

// A blocking TCP client.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // What a connection that ends meanwhile does not take is dropped.
  void try_write(std::string_view bytes) {
    static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  void half_close() { ::shutdown(socket_, SHUT_WR); }
  // Closes with a reset instead of an end.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(socket_, -1));
  }

  // Up to and including the marker, or what came before the end.
  std::string read_until(std::string_view marker) {
    while (true) {
      const std::size_t found = unread_.find(marker);
      if (found != std::string::npos) {
        std::string out = unread_.substr(0, found + marker.size());
        unread_.erase(0, found + marker.size());
        return out;
      }
      if (!receive()) {
        return std::exchange(unread_, {});
      }
    }
  }
  std::string read_exactly(std::size_t bytes) {
    while (unread_.size() < bytes && receive()) {
    }
    std::string out = unread_.substr(0, bytes);
    unread_.erase(0, bytes);
    return out;
  }
  // Until the other side closes; EXPECTs that it does.
  std::string read_to_end() {
    while (receive()) {
    }
    EXPECT_TRUE(ended_) << "the connection was not closed in time";
    return std::exchange(unread_, {});
  }

 private:
  bool receive() {
    char buffer[16384];
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) {
      ended_ = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
      return false;
    }
    unread_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  bool ended_ = false;
  std::string unread_;
};

}  // namespace candlewick::net::testing
