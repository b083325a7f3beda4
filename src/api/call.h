// One request on its way to its answer: whoever holds it answers it, on whatever thread. One that
// is dropped unanswered is answered with 500.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "api/arguments.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "net/server.h"

namespace candlewick::api {

// What is counted of a route.
struct Traffic {
  std::string route;
  std::array<Counter, 6> by_class;  // [4]: 4xx
  Histogram seconds;

  Traffic(Metrics& metrics, std::string_view route);
};

class Call {
 public:
  struct Start {
    net::Request request;
    std::shared_ptr<net::Responder> responder;
    Arguments arguments;
    std::string captured;  // what stands for "{symbol}" in the route's path
    std::string request_id;
    const Clock* clock = nullptr;
    Traffic* traffic = nullptr;
  };
  explicit Call(Start start);
  Call(Call&& other) noexcept = default;
  Call& operator=(Call&& other) = delete;
  ~Call();

  Arguments arguments;
  const std::string captured;
  const net::Request& request() const { return request_; }
  const std::string& request_id() const { return request_id_; }
  // Nobody waits for the answer any more.
  bool is_abandoned() const { return responder_ == nullptr || responder_->is_closed(); }

  // One of these, once.
  void json(std::string body, int status = 200);
  void fail(const Problem& problem);
  void send(net::Response response);
  // An answer without an end; the caller writes it.
  std::shared_ptr<net::Responder> begin(int status, net::Headers headers);

 private:
  void count(int status);

  net::Request request_;
  std::shared_ptr<net::Responder> responder_;  // null: answered, or moved from
  std::string request_id_;
  const Clock* clock_;
  Traffic* traffic_;
  SteadyTime started_;
};

// The client's own id if it is one (1 to 64 letters, digits, "-._"), else empty.
std::string_view acceptable_request_id(const net::Request& request);

}  // namespace candlewick::api
