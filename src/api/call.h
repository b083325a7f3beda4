// One request on its way to its answer: whoever holds it answers it, on whatever thread. One that
// is dropped unanswered is answered with 500.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "api/arguments.h"
#include "api/problem.h"
#include "api/static_files.h"
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

// How long browsers and proxies may keep an answer. `private` stands in for `public` where a key
// was needed to read it.
enum class CachePolicy : unsigned char {
  never,    // true for this moment only, or about keys
  forming,  // asked about each time; 304 when nothing changed
  closed,   // the closed past, which corrections change now and then: five minutes
  fixed,    // never changes: files with a hash in their name, the past as it was known once
};

// What was found out about a request at the door, for its answer.
struct Passage {
  net::Headers headers{};
  bool is_private = false;  // a key was needed
  bool takes_gzip = false;
  bool speaks_udf = false;       // problems are told in that protocol's words as well
  StaticFiles* files = nullptr;  // outlives the call
};

class Call {
 public:
  struct Start {
    net::Request request;
    std::shared_ptr<net::Responder> responder;
    Arguments arguments;
    std::string captured;  // what stands for "{symbol}" in the route's path
    std::string request_id;
    Passage passage{};
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
  bool takes_gzip() const { return passage_.takes_gzip; }
  // Nobody waits for the answer any more.
  bool is_abandoned() const { return responder_ == nullptr || responder_->is_closed(); }

  // Of the answer, whichever it will be.
  void add_header(std::string_view name, std::string value);

  // One of these, once. All but begin() are compressed for clients that take it.
  void json(std::string body, int status = 200);  // never kept
  void json(std::string body, CachePolicy policy);
  // 200, or 304 to a client that has it already. Only what is a function of the question may be in
  // the body: its tag is made of it.
  void send_cacheable(std::string body, std::string_view content_type, CachePolicy policy);
  // The same of a file built into the program; on the loop's thread. `headers`: further ones.
  void send_file(std::string_view content, std::string_view content_type, CachePolicy policy,
                 net::Headers headers = {});
  // The same of what many answers share.
  void send_shared(const SharedContent& content, std::string_view content_type, CachePolicy policy,
                   net::Headers headers = {});
  void fail(const Problem& problem);
  void send(net::Response response);
  // An answer without a known end; the caller writes it.
  std::shared_ptr<net::Responder> begin(int status, net::Headers headers);
  std::shared_ptr<net::Responder> begin_compressed(int status, net::Headers headers);

 private:
  void count(int status);
  void complete(net::Headers& headers);
  bool has_already(std::string_view etag) const;

  net::Request request_;
  std::shared_ptr<net::Responder> responder_;  // null: answered, or moved from
  std::string request_id_;
  Passage passage_;
  const Clock* clock_;
  Traffic* traffic_;
  SteadyTime started_;
};

// The client's own id if it is one (1 to 64 letters, digits, "-._"), else empty.
std::string_view acceptable_request_id(const net::Request& request);

}  // namespace candlewick::api
