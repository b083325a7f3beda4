// What is particular to a venue's protocol. A venue is one class made from these parts; sessions,
// faults, budgets and time are the same for all of them (venue_core.h).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
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
// client gets from then on; their names are the protocol's own.
struct Connection {
  SessionId id = 0;
  std::string path;                  // that it was opened at
  std::vector<std::string> streams;  // in the order subscribed
  bool wraps = false;                // frames name their stream
  bool in_microseconds = false;
  std::deque<SteadyTime> messages;                   // the newest ones, for limits
  std::map<std::string, std::uint64_t> channel_ids;  // of venues that number subscriptions
  std::uint64_t next_number = 0;                     // of venues that number frames
  bool is_numbered = false;
  bool is_stamped = false;     // frames tell when they were sent
  bool has_checksums = false;  // of books, for those who ask for them
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
  // Writes the frame of next() and moves on; false or no text when there was nothing to say after
  // all.
  virtual bool emit(std::string& out) = 0;
  // Among frames of one instant the lower comes first.
  virtual int rank() const { return 5; }
};

// What a request is about, for the faults that are particular to it.
enum class RestSubject : unsigned char { other, candles, book };

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
  // What a client hears first, once connected.
  virtual std::vector<std::string> greet(Connection& connection, Time now) {
    static_cast<void>(connection), static_cast<void>(now);
    return {};
  }
  // `now` counts for limits, `at` is the venue's time: a book's snapshot that belongs to a new
  // stream is among the answers, as of the last frame that the stream has sent (or would have).
  virtual Answer receive(Connection& connection, std::string_view text, SteadyTime now,
                         Time at) = 0;
  // Null for a stream that does not exist: subscribers hear nothing.
  virtual std::unique_ptr<Feed> feed(std::string_view stream, bool in_microseconds, Time now) = 0;
  virtual std::string wrap(std::string_view stream, std::string_view payload) const {
    static_cast<void>(stream);
    return std::string(payload);
  }
  // Makes a frame of a stream this connection's own: frame numbers, channel ids. Called for each
  // frame before faults take it, if dresses_frames().
  virtual void dress(Connection& connection, std::string_view stream, std::string& frame) const {
    static_cast<void>(connection), static_cast<void>(stream), static_cast<void>(frame);
  }
  virtual bool dresses_frames() const { return false; }
  // The binary form in which frames leave; nullopt: they are text.
  virtual std::optional<std::string> packed(std::string_view text) const {
    static_cast<void>(text);
    return std::nullopt;
  }
  // Empty: the venue says nothing before it goes.
  virtual std::string shutdown_notice(const Connection& connection, Time now) const {
    static_cast<void>(connection), static_cast<void>(now);
    return {};
  }

  virtual int weight(const Request& request) const = 0;
  virtual RestSubject subject(const Request& request) const = 0;
  virtual Reply rest(const Request& request, const RestView& view) = 0;
  virtual Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const = 0;
  // Tells how much of the budget is used, where the venue does.
  virtual void stamp(Reply& reply, int used_weight) const {
    static_cast<void>(reply), static_cast<void>(used_weight);
  }
};

// Null for a venue that is not simulated. Market and faults must outlive the protocol.
std::unique_ptr<Protocol> make_protocol(std::string_view venue, Market& market,
                                        const Faults& faults);
// Their names, for messages.
std::vector<std::string_view> simulated_venues();
// How a venue writes the symbol of a pair: "BTCUSDT", "BTC-USDT", "tBTCUST".
std::string spelled(std::string_view venue, std::string_view base, std::string_view quote);
// Whether it has rows for candles without trades.
bool fills_quiet_candles(std::string_view venue);

}  // namespace candlewick::simulator
