// Connects a VenueFeed to the network: sockets and requests, all on one loop's thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "feed/link.h"
#include "net/http_client.h"
#include "net/websocket_client.h"

namespace candlewick::feed {

class Driver final : public Link {
 public:
  // Loop, client and clock must outlive the driver; make, use and destroy it on the loop's thread.
  Driver(net::Loop& loop, net::HttpClient& http, const Clock& clock, std::string ca_file);
  ~Driver() override;

  void open(ConnectionId connection, const std::string& url) override;
  void send(ConnectionId connection, std::string message) override;
  void close(ConnectionId connection) override;
  void request(RequestId request, const std::string& url,
               const exchange::RestRequest& rest) override;

 private:
  void on_reply(RequestId request, Result<net::HttpResponse> response);

  net::HttpClient& http_;
  std::string ca_file_;
  std::unordered_map<ConnectionId, std::unique_ptr<net::WebSocketClient>> sockets_;
  // Replies that arrive after the driver is gone find this expired.
  std::shared_ptr<Driver*> self_;
};

}  // namespace candlewick::feed
