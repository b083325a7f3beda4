// One venue, live: its sessions, its REST requests within the budget, one decoder a connection. No
// I/O of its own: it is told what happened, acts through a Port and hands events to a handler. The
// driver of net/ connects it to sockets, tests connect it to a simulated venue on a fake clock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/delays.h"
#include "base/observation.h"
#include "base/result.h"
#include "exchange/venue.h"
#include "feed/budget.h"
#include "feed/session.h"
#include "feed/venue_clock.h"

namespace candlewick::feed {

using RequestId = std::uint64_t;

// What a feed asks of the outside world; answers come back through VenueFeed::on_*().
class Port {
 public:
  virtual ~Port() = default;
  virtual void open(ConnectionId connection, const std::string& url) = 0;
  virtual void send(ConnectionId connection, std::string message) = 0;
  virtual void close(ConnectionId connection) = 0;
  // `url` is the whole one; method and body are the request's.
  virtual void request(RequestId request, const std::string& url,
                       const exchange::RestRequest& rest) = 0;
};

// What comes out. Calls happen inside on_*() of the feed, on its thread.
class FeedHandler {
 public:
  virtual ~FeedHandler() = default;
  // Of one stream frame, in order. Not empty.
  virtual void on_events(const Events& events) = 0;
  // Of the reply to a request made by ask().
  virtual void on_reply(RequestId request, const Events& events) = 0;
  // The venue will not answer this one, however often it is asked.
  virtual void on_request_refused(RequestId request, const Error& error) = 0;
  // The channels flow again: the first data frame of a connection has come (it follows in
  // on_events).
  virtual void on_live(const std::vector<exchange::Channel>& channels) = 0;
  // Nothing comes any more on these channels.
  virtual void on_down(const std::vector<exchange::Channel>& channels, std::string_view reason) = 0;
};

// Sees raw frames, for recordings.
class FrameTap {
 public:
  virtual ~FrameTap() = default;
  virtual void on_frame(std::string_view url, std::string_view text, Time received,
                        bool is_reply) = 0;
  virtual void on_open(std::string_view url, Time received) = 0;
};

enum class Priority : unsigned char { live, history };

struct FeedOptions {
  std::string rest_url;  // empty: the venue's own
  std::string ws_url;
  Duration silence_limit{};  // zero: the venue's own
  // Without an exchange time for so long, the venue is asked for it; zero: never.
  Duration time_silence = std::chrono::seconds{10};
  double budget_share = 0.5;
  std::size_t requests_at_once = 4;
  std::uint64_t seed = 0;
  net::BackoffOptions reconnect_backoff;
  net::BackoffOptions request_backoff;
};

struct FeedStatus {
  std::string venue;
  bool connected = false;  // data flows on every session; there may be none to need
  std::size_t sessions = 0;
  std::size_t live_sessions = 0;
  std::uint32_t reconnects = 0;
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  // of those frames
  std::uint64_t refused_frames = 0;
  std::uint64_t events = 0;
  std::uint64_t inexact_decimals = 0;
  std::optional<Time> last_frame_time;  // received
  std::optional<Time> venue_time;       // the newest exchange time seen
  int weight_used = 0;
  int weight_allowed = 0;
  std::size_t requests_waiting = 0;
  std::string last_error;
  std::string paused;  // why it was told to pause; empty: it was not
  Delays delays;       // from the newest exchange time in a stream's frame to its arrival
};

struct Moment {
  SteadyTime steady;
  Time wall;
};

class VenueFeed {
 public:
  VenueFeed(const exchange::Venue& venue, Catalogue& catalogue, FeedOptions options, Port& port,
            FeedHandler& handler, Observer& observer, FrameTap* tap = nullptr);
  ~VenueFeed();

  // Splits the channels over as few connections as the venue allows and connects; those that have
  // room take some first. Not from within a call of the handler, nor is unsubscribe().
  void subscribe(std::vector<exchange::Channel> channels, Moment now);
  // A connection that carries nothing any more is closed. What the handler is told of channels that
  // are gone, it may have been told before.
  void unsubscribe(std::span<const exchange::Channel> channels, Moment now);
  // Takes one channel off and on again, for a venue whose answer to that is a new snapshot.
  void subscribe_again(const exchange::Channel& channel, Moment now);
  // Queues a request. It is sent when the budget has room, live ones first; transient failures are
  // tried again, each request with a back-off of its own, until it is answered or refused. nullopt
  // when the venue has no such.
  std::optional<RequestId> ask(const exchange::RestQuery& query, Priority priority, Moment now);
  // The tickers of all instruments, whose reply comes like one to ask(); false when the venue has
  // no such request.
  bool ask_for_tickers(Moment now);
  void stop();
  // Hangs up and asks for nothing until resume(), which connects anew; what was asked before waits.
  // Not from within a call of the handler.
  void pause(std::string_view reason, Moment now);
  void resume(Moment now);

  void on_open(ConnectionId connection, Moment now);
  void on_frame(ConnectionId connection, std::string_view text, bool is_binary, Moment now);
  // A ping or pong: the connection lives.
  void on_control(ConnectionId connection, Moment now);
  void on_closed(ConnectionId connection, const Disconnect& why, Moment now);
  // `headers`: what the reply said about the budget.
  struct Reply {
    int status = 0;
    std::string_view body;
    std::optional<std::int64_t> used_weight;
    std::optional<Duration> retry_after;
  };
  void on_reply(RequestId request, const Reply& reply, Moment now);
  void on_request_error(RequestId request, const Error& error, Moment now);
  void on_tick(Moment now);
  std::optional<SteadyTime> next_wake() const;

  // The newest exchange time seen; decisions about the venue's minutes use it.
  std::optional<Time> venue_time() const { return clock_.now(); }
  FeedStatus status(Moment now);
  const exchange::Venue& venue() const { return venue_; }
  Catalogue& catalogue() { return catalogue_; }

 private:
  struct Request;

  RequestId queue(exchange::RestRequest rest, Priority priority, Moment now);
  void act(Session& session, Moment now);
  void shake_hands(ConnectionId connection, Moment now);
  void hands_shaken(ConnectionId connection, const Reply& reply, Moment now);
  void report_loss(Session& session, std::uint32_t losses_before, bool was_live);
  void send_requests(Moment now);
  void retry(RequestId id, Duration at_least, Moment now);
  // The newest exchange time in them.
  std::optional<Time> note_times(const Events& events);
  void ask_for_the_time(Moment now);
  void told(const Error& error, Moment now);
  Session* session_of(ConnectionId connection);
  int line_of(const exchange::Channel& channel) const;
  void fill(std::vector<exchange::Channel>& channels, Moment now);
  void went_down(const Session& session, std::string_view reason);

  const exchange::Venue& venue_;
  Catalogue& catalogue_;
  FeedOptions options_;
  Port& port_;
  FeedHandler& handler_;
  Observer& observer_;
  FrameTap* tap_;
  ConnectionId next_connection_ = 1;
  RequestId next_request_ = 1;
  std::vector<std::unique_ptr<Session>> sessions_;
  struct Line {
    std::string url;  // empty while it is being asked for
    std::unique_ptr<exchange::Decoder> decoder;
  };
  std::unordered_map<ConnectionId, Line> lines_;
  std::unique_ptr<exchange::Decoder> reply_decoder_;
  std::map<RequestId, ConnectionId> handshakes_;
  std::map<RequestId, Request> requests_;
  std::deque<RequestId> waiting_live_;
  std::deque<RequestId> waiting_history_;
  std::size_t under_way_ = 0;
  std::optional<SteadyTime> send_at_;
  Budget budget_;
  net::Backoff request_backoff_;
  Events events_;
  VenueClock clock_;
  // Minutes end also while no stream tells the time: then the venue is asked for it.
  std::optional<SteadyTime> ask_for_the_time_at_;
  std::optional<RequestId> time_asked_;
  bool is_time_told_ = false;  // by an event since the last look
  std::optional<Time> last_frame_time_;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
  Delays delays_;
  std::uint64_t refused_ = 0;
  std::uint64_t event_count_ = 0;
  std::uint64_t inexact_of_closed_ = 0;
  std::string last_error_;
  bool stopped_ = false;
  std::string paused_;                        // the reason; empty: it runs
  std::vector<exchange::Channel> resumable_;  // what is subscribed to then
  std::uint32_t reconnects_of_closed_ = 0;
};

}  // namespace candlewick::feed
