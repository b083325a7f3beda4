// A simulated venue without its sockets: calls in, frames out, time told. The program drives it
// from a server (server.h), tests drive it directly, thousands of fault schedules a second.
//
//   VenueCore core({.venue = "binance", .market = std::move(market), .start = start});
//   auto id = core.open(*make_request("GET", "/ws/btcusdt@trade"), steady);
//   for (auto& delivery : core.advance_to(start + 1min)) ...  // frames and disconnects, in order
//   auto reply = core.http(*make_request("GET", "/api/v3/time"), steady);
//
// Everything is a function of the market, the settings and the sequence of calls: same calls, same
// bytes. Virtual time moves only in advance_to(); the steady time that some calls are given is real
// time and counts for budgets, message rates and the number of connections alone. Delays, lags,
// disconnects, outages and a connection's longest life are in virtual time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "simulator/faults.h"
#include "simulator/market.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

struct Delivery {
  enum class Kind : unsigned char {
    frame,
    close,  // the venue says goodbye with `close_code`
    cut,    // the connection is gone, without a word
  };
  SessionId session = 0;
  Kind kind = Kind::frame;
  std::shared_ptr<const std::string> text;
  bool is_binary = false;
  int close_code = 0;
  std::string reason;
  Time at;
};

struct VenueSetup {
  std::string venue = "binance";
  std::unique_ptr<Market> market;
  Time start;
  std::string speed = "1";  // only told in /_sim/state
};

class VenueCore {
 public:
  // The venue must be one of simulated_venues().
  explicit VenueCore(VenueSetup setup);
  ~VenueCore();
  VenueCore(const VenueCore&) = delete;
  VenueCore& operator=(const VenueCore&) = delete;

  const std::string& venue() const { return setup_.venue; }
  Market& market() { return *setup_.market; }
  const Faults& faults() const { return faults_; }
  // See Faults::change. Takes effect at once.
  Result<void> change_faults(std::string_view text);
  Duration ping_interval() const { return protocol_->limits().ping_interval; }
  Time now() const { return now_; }
  Time start() const { return setup_.start; }
  bool in_outage() const { return faults_.in_outage(now_ - setup_.start); }
  const std::string& speed() const { return setup_.speed; }

  // REST, and the simulator's own /_sim/ (control.h).
  Reply http(const Request& request, SteadyTime steady);
  // A connection, or the reply that refuses it.
  std::variant<SessionId, Reply> open(const Request& request, SteadyTime steady);
  // What the client said. The answers come back at once; unknown sessions are silence.
  std::vector<Delivery> receive(SessionId session, std::string_view text, SteadyTime steady);
  // The client went.
  void close(SessionId session);

  // Moves the clock on and returns all that the venue sends meanwhile, in order. Going back:
  // nothing.
  std::vector<Delivery> advance_to(Time time);
  // The instant of the next thing that would happen, for drivers that skip idle time.
  std::optional<Time> next_event() const;

  // One-off faults; they show in the next advance_to().
  void cut_all();
  void silence_all();
  // Tells everyone that the server shuts down, and closes their connections ten seconds later.
  void announce_shutdown();

  std::size_t connections() const { return sessions_.size(); }
  std::size_t streams() const { return topics_.size(); }
  std::uint64_t frames_sent() const { return frames_sent_; }
  std::uint64_t requests_answered() const { return requests_; }

 private:
  struct Topic;
  struct Session;
  using TopicKey = std::pair<std::string, bool>;  // stream, in microseconds
  using AgendaEntry = std::tuple<Time, int, std::uint64_t, Topic*>;

  void synchronise(Session& session);
  void subscribe(Session& session, const std::string& stream);
  void unsubscribe(Session& session, const std::string& stream);
  void forget(SessionId session);
  void schedule_cut(Session& session);
  std::optional<Reply> over_connections(SteadyTime steady);
  void end_session(SessionId session, std::vector<Delivery>& out);
  void run_topic(std::vector<Delivery>& out);
  void send_data(Session& session, Topic& topic, const std::shared_ptr<const std::string>& text,
                 std::vector<Delivery>& out);
  Delivery frame(SessionId session, std::shared_ptr<const std::string> text, Time at) const;
  void put(Session& session, std::shared_ptr<const std::string> text, std::vector<Delivery>& out);
  void disconnect(SessionId session, Delivery::Kind kind, std::string reason,
                  std::vector<Delivery>& out);
  Reply answer(const Request& request, SteadyTime steady);
  std::optional<Reply> over_budget(int weight, SteadyTime steady);
  std::optional<Time> next_outage() const;

  VenueSetup setup_;
  Faults faults_;
  std::unique_ptr<Protocol> protocol_;
  Time now_;
  SessionId last_session_ = 0;
  std::uint64_t topic_count_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t openings_ = 0;
  std::uint64_t frames_sent_ = 0;
  std::map<SessionId, Session> sessions_;
  std::map<TopicKey, Topic> topics_;
  std::set<AgendaEntry> agenda_;
  std::set<std::pair<Time, SessionId>> cuts_;
  std::multimap<Time, Delivery> delayed_;
  std::vector<Delivery> pending_;
  std::deque<SteadyTime> opened_;  // the newest ones, for the limit

  std::int64_t budget_minute_ = -1;  // of the steady clock
  int used_weight_ = 0;
  int refused_in_minute_ = 0;
  std::optional<SteadyTime> banned_until_;
};

}  // namespace candlewick::simulator
