// A source of fundamentals on real sockets, on one loop.
#pragma once

#include <memory>

#include "base/clock.h"
#include "fundamentals/fundamentals.h"
#include "net/http_client.h"
#include "net/loop.h"

namespace candlewick::fundamentals {

class Driver {
 public:
  // All outlive the driver. It is made, started and destroyed on the loop's thread, or while the
  // loop does not run.
  Driver(Source& source, net::Loop& loop, net::HttpClient& http, const Clock& clock);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void start() { turn(); }

 private:
  void turn();
  void send(net::HttpRequest request);

  Source& source_;
  net::Loop& loop_;
  net::HttpClient& http_;
  const Clock& clock_;
  net::Timer timer_;
  std::shared_ptr<Driver*> self_;  // callbacks may come after the end
};

}  // namespace candlewick::fundamentals
