// One set of channels kept alive over one WebSocket at a time: connect, subscribe at the venue's
// pace, watch for silence, come back with capped jittered back-off, and hand over to a second
// connection before the venue cuts the first, with overlap. Written without I/O: it is told what
// happened and when, and says what to do, so that whole fault schedules run on a fake clock. Steady
// time only.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/venue.h"
#include "net/backoff.h"

namespace candlewick::feed {

using ConnectionId = std::uint64_t;

struct SessionOptions {
  std::string ws_url;
  Duration silence_limit{};  // without any frame; see also Session::data_limit()
  Duration handover_age{};   // a connection older than this is replaced
  Duration handover_patience =
      std::chrono::seconds{60};  // for the replacement to bring its first frame
  net::BackoffOptions backoff;
  std::uint64_t seed = 0;
};

// Why a connection is gone, as far as policy cares.
struct Disconnect {
  ErrorKind kind = ErrorKind::transient;
  std::string reason;
  int http_status = 0;
  std::optional<Duration> retry_after;
};

class Session {
 public:
  struct Action {
    enum class Kind : unsigned char { open, send, close } kind;
    ConnectionId connection;
    std::string text;  // the URL to open, or the message to send
  };

  // Connection ids are taken from `next_id`, which sessions of one feed share.
  Session(const exchange::Venue& venue, std::vector<exchange::Channel> channels,
          SessionOptions options, ConnectionId& next_id);

  void start(SteadyTime now);
  void on_open(ConnectionId connection, SteadyTime now);
  // Any frame, also a ping or an acknowledgement. Returns true for the frame that makes the
  // connection the one that carries the channels (the first frame of data after a (re)connect).
  bool on_frame(ConnectionId connection, bool is_data, SteadyTime now);
  void on_closed(ConnectionId connection, const Disconnect& why, SteadyTime now);
  // The venue announced that it will close this connection.
  void on_shutdown_notice(ConnectionId connection, SteadyTime now);
  void on_tick(SteadyTime now);
  // Takes a channel off and on again, on the connection in charge; before it is live nothing needs
  // to be done.
  void subscribe_again(const exchange::Channel& channel, SteadyTime now);
  // From the next connection on, instead of what the venue's facts say.
  void speak_every(Duration interval) { heartbeat_interval_ = interval; }
  // More channels of the same line, and fewer; some must be left.
  void add(std::vector<exchange::Channel> channels, SteadyTime now);
  void remove(std::span<const exchange::Channel> channels, SteadyTime now);
  // What the connection carried cannot be trusted: another one is made.
  void abandon(ConnectionId connection, std::string reason, SteadyTime now);
  // Opens no more; closes what is open.
  void stop();

  // When on_tick has something to do.
  std::optional<SteadyTime> next_wake() const;
  // What the owner is to do, in order; empties the list.
  std::vector<Action> take_actions();

  bool owns(ConnectionId connection) const;
  // Data flows on the connection in charge.
  bool is_live() const { return current_.has_value() && current_->state == State::live; }
  bool is_stopped() const { return stopped_; }
  std::uint32_t reconnects() const { return reconnects_; }
  const std::string& last_error() const { return last_error_; }
  const std::vector<exchange::Channel>& channels() const { return channels_; }
  std::optional<SteadyTime> last_frame_time() const { return last_frame_; }

 private:
  enum class State : unsigned char { connecting, subscribing, live };
  struct Connection {
    ConnectionId id = 0;
    State state = State::connecting;
    SteadyTime opened{};
    SteadyTime last_frame{};
    SteadyTime last_data{};
    SteadyTime handover_at{};
    std::deque<std::string> unsent;
    SteadyTime next_send{};
    SteadyTime next_heartbeat{};
  };

  Connection connect(SteadyTime now);
  void send_due(Connection& connection, SteadyTime now);
  using ControlText = std::vector<std::string> (*)(std::span<const exchange::Channel> channels,
                                                   std::uint64_t first_id);
  void queue(Connection& connection, ControlText text, std::span<const exchange::Channel> channels);
  void tell_open_ones(ControlText text, std::span<const exchange::Channel> channels,
                      SteadyTime now);
  void lose_current(SteadyTime now);
  void retire(std::optional<Connection>& connection);
  void schedule_reconnect(SteadyTime now, std::optional<Duration> at_least);
  Connection* find(ConnectionId connection);
  Duration send_interval() const;
  Duration data_limit() const;
  SteadyTime silent_at(const Connection& connection) const;
  void note_data(Connection& connection, SteadyTime now);
  void try_again_later(SteadyTime now, std::optional<Duration> at_least);

  const exchange::Venue& venue_;
  std::vector<exchange::Channel> channels_;
  Duration heartbeat_interval_ = venue_.heartbeat.interval;
  SessionOptions options_;
  ConnectionId& next_id_;
  net::Backoff backoff_;
  net::Backoff handover_backoff_;
  std::optional<Connection> current_;
  std::optional<Connection> replacement_;
  std::optional<SteadyTime> reconnect_at_;
  std::optional<SteadyTime> last_frame_;
  // The longest pause between two frames of data lately, however quiet the market is.
  std::optional<Duration> longest_pause_;
  std::vector<Action> actions_;
  std::uint32_t reconnects_ = 0;
  std::uint64_t next_request_ = 1;
  std::string last_error_;
  bool stopped_ = false;
};

}  // namespace candlewick::feed
