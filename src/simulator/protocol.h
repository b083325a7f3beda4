// What is particular to a venue's protocol. A venue is one class made from these parts; sessions,
// faults, budgets and time are the same for all of them (venue_core.h).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "net/headers.h"
#include "net/url.h"
#include "simulator/faults.h"
#include "simulator/market.h"

namespace candlewick::simulator {

using SessionId = std::uint64_t;

struct Request {
  std::string method = "GET";
  std::string target;
  std::string path;  // decoded
  net::Query query;  // decoded
  net::Headers headers;
  std::string body;

  std::optional<std::string_view> parameter(std::string_view name) const;
};

// Error: malformed percent-encoding.
Result<Request> make_request(std::string_view method, std::string_view target,
                             std::string_view body = "");

struct Reply {
  int status = 200;
  net::Headers headers;
  std::string body;
};

// A WebSocket client as the protocol sees it. Whatever the protocol does to `streams` is what the
// client gets from then on.
struct Connection {
  SessionId id = 0;
  std::vector<std::string> streams;  // in the order subscribed
  bool wraps = false;                // frames name their stream
  bool in_microseconds = false;
  std::deque<SteadyTime> messages;  // the newest ones, for limits
};

struct Answer {
  std::vector<std::string> frames;
  struct Close {
    int code = 1000;
    std::string reason;
  };
  std::optional<Close> close;
};

// One stream's frames, in order of time.
class Feed {
 public:
  virtual ~Feed() = default;
  // When the next frame may be due; nullopt: never again.
  virtual std::optional<Time> next() = 0;
  // Writes the frame of next() and moves on; false when there was nothing to say after all.
  virtual bool emit(std::string& out) = 0;
  // Among frames of one instant the lower comes first.
  virtual int rank() const { return 5; }
};

struct RestView {
  Time now;                   // the venue's clock, before skew
  Time as_of;                 // how new the data is
  bool stale_levels = false;  // the book is to be wrong
  Duration unfinal{};         // candles that closed so recently lack as much of their end
};

enum class Refusal : unsigned char {
  too_many_requests,
  banned,
  internal,
  bad_gateway,
  unavailable,
  timeout,
  too_many_connections
};

struct ProtocolLimits {
  int weight_per_minute = 6000;
  Duration ping_interval = std::chrono::seconds{20};
  Duration connection_life = std::chrono::hours{24};  // in the venue's time
  std::size_t connections_in_5_minutes = 300;         // in real time, refused ones too
};

class Protocol {
 public:
  virtual ~Protocol() = default;

  virtual ProtocolLimits limits() const = 0;

  // Reads the URL into the connection; a reply refuses it.
  virtual std::optional<Reply> open(const Request& request, Connection& connection) = 0;
  virtual Answer receive(Connection& connection, std::string_view text, SteadyTime now) = 0;
  // Null for a stream that does not exist: subscribers hear nothing.
  virtual std::unique_ptr<Feed> feed(std::string_view stream, bool in_microseconds, Time now) = 0;
  virtual std::string wrap(std::string_view stream, std::string_view payload) const = 0;
  virtual std::string shutdown_notice(const Connection& connection, Time now) const = 0;

  virtual int weight(const Request& request) const = 0;
  virtual Reply rest(const Request& request, const RestView& view) = 0;
  virtual Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const = 0;
  // Tells how much of the budget is used.
  virtual void stamp(Reply& reply, int used_weight) const = 0;
};

// Null for a venue that is not simulated. Market and faults must outlive the protocol.
std::unique_ptr<Protocol> make_protocol(std::string_view venue, Market& market,
                                        const Faults& faults);
// Their names, for messages.
std::vector<std::string_view> simulated_venues();

}  // namespace candlewick::simulator
