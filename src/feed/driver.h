// Connects a VenueFeed to the network: sockets, requests and the one timer that it needs, all on
// one loop's thread. The only part of feed/ that does I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "feed/venue_feed.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/websocket_client.h"

namespace candlewick::feed {

class Driver final : public Port {
 public:
  // Loop, client and clock must outlive the driver; make, use and destroy it on the loop's thread.
  Driver(net::Loop& loop, net::HttpClient& http, const Clock& clock, std::string ca_file);
  ~Driver() override;

  // Before the feed does anything.
  void attach(VenueFeed& feed) { feed_ = &feed; }
  // After calls to the feed from outside: its next wake may have moved.
  void rearm();
  Moment now() const { return {clock_.steady(), clock_.now()}; }

  void open(ConnectionId connection, const std::string& url) override;
  void send(ConnectionId connection, std::string message) override;
  void close(ConnectionId connection) override;
  void request(RequestId request, const std::string& url) override;

 private:
  void on_reply(RequestId request, Result<net::HttpResponse> response);

  net::Loop& loop_;
  net::HttpClient& http_;
  const Clock& clock_;
  std::string ca_file_;
  VenueFeed* feed_ = nullptr;
  std::unordered_map<ConnectionId, std::unique_ptr<net::WebSocketClient>> sockets_;
  net::Timer timer_;
  std::optional<SteadyTime> armed_for_;
  // Replies that arrive after the driver is gone find this expired.
  std::shared_ptr<Driver*> self_;
};

}  // namespace candlewick::feed
