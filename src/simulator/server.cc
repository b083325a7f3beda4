// Everything happens on the loop's thread: requests, client messages and the timer that moves time.
// A client that does not take its frames is dropped, as a venue would.
#include "simulator/server.h"

#include <algorithm>
#include <unordered_map>

#include "net/server.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

constexpr Duration tick = 5ms;
// At speed "max": how far time goes at once, and how much a client may have waiting.
constexpr Duration stride = 250ms;
constexpr std::size_t most_waiting_bytes = 256U << 10U;
// Strides before other work on the loop gets its turn.
constexpr int strides_in_a_row = 8;

net::Response to_response(Reply reply) {
  net::Response response;
  response.status = reply.status;
  response.headers = std::move(reply.headers);
  response.body = std::move(reply.body);
  return response;
}

Request to_request(const net::Request& request) {
  Request made;
  made.method = request.method;
  made.target = request.target;
  made.path = request.path;
  made.query = request.query;
  made.headers = request.headers;
  made.body = request.body;
  return made;
}

// Ends the session of a client that went before its connection was up.
struct Opening {
  VenueCore& core;
  SessionId id;
  bool is_done = false;

  Opening(VenueCore& venue, SessionId session) : core(venue), id(session) {}
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;
  ~Opening() {
    if (!is_done) core.close(id);
  }
};

// One venue's port.
class Door final : public net::Handler {
 public:
  Door(const Clock& clock, VenueCore& core, std::function<void()> catch_up)
      : clock_(clock), core_(core), catch_up_(std::move(catch_up)) {}

  void http(net::Request request, std::shared_ptr<net::Responder> responder) override {
    catch_up_();
    responder->send(to_response(core_.http(to_request(request), clock_.steady())));
    // What the request did to the connections is told without delay.
    deliver(core_.advance_to(core_.now()));
  }

  net::Upgrade websocket(const net::Request& request) override {
    catch_up_();
    auto opened = core_.open(to_request(request), clock_.steady());
    net::Upgrade upgrade;
    if (auto* reply = std::get_if<Reply>(&opened)) {
      upgrade.refusal = to_response(std::move(*reply));
      return upgrade;
    }
    const SessionId id = std::get<SessionId>(opened);
    auto opening = std::make_shared<Opening>(core_, id);
    upgrade.on_open = [this, id, opening](std::shared_ptr<net::Peer> peer) {
      opening->is_done = true;
      net::PeerEvents events;
      events.on_frame = [this, id](std::string_view payload, bool) {
        catch_up_();
        deliver(core_.receive(id, payload, clock_.steady()));
      };
      events.on_close = [this, id](const net::PeerClosed&) {
        core_.close(id);
        peers_.erase(id);
        catch_up_();
      };
      peer->listen(std::move(events));
      peers_.emplace(id, Client{std::move(peer), clock_.steady() + core_.ping_interval()});
    };
    return upgrade;
  }

  void advance_to(Time time) { deliver(core_.advance_to(time)); }

  void ping() {
    const SteadyTime now = clock_.steady();
    for (auto& [id, client] : peers_) {
      if (now < client.next_ping) continue;
      client.next_ping = now + core_.ping_interval();
      client.peer->ping(std::to_string(to_ms(core_.now())));
    }
  }

  bool is_busy() const {
    return std::ranges::any_of(peers_, [](const auto& entry) {
      return entry.second.peer->buffered_bytes() > most_waiting_bytes;
    });
  }
  // Somebody who listens to something: for others time need not move.
  bool has_listeners() const { return !peers_.empty() && core_.streams() != 0; }
  VenueCore& core() const { return core_; }

 private:
  struct Client {
    std::shared_ptr<net::Peer> peer;
    SteadyTime next_ping;
  };

  void deliver(std::vector<Delivery> deliveries) {
    for (auto& delivery : deliveries) {
      const auto found = peers_.find(delivery.session);
      if (found == peers_.end()) continue;
      const auto peer = found->second.peer;
      if (delivery.kind == Delivery::Kind::close) {
        peer->close(delivery.close_code, delivery.reason);
      } else if (delivery.kind == Delivery::Kind::cut) {
        peer->abort();
      } else if (!peer->send(std::move(delivery.text), delivery.is_binary)) {
        peer->abort();
      }
    }
  }

  const Clock& clock_;
  VenueCore& core_;
  std::function<void()> catch_up_;
  std::unordered_map<SessionId, Client> peers_;
};

}  // namespace

struct SimulatorServer::Impl {
  net::Loop& loop;
  const Clock& clock;
  VirtualClock time;
  ServerOptions options;
  std::vector<std::unique_ptr<Door>> doors;
  std::vector<std::unique_ptr<net::Server>> servers;
  net::Timer timer;

  // At a speed; "max" moves in steps only.
  void catch_up() {
    if (!time.speed().factor) return;
    const SteadyTime steady = clock.steady();
    if (options.pause_when_alone && !has_listeners() && !in_outage()) {
      time.pause(steady);
    } else {
      time.resume(steady);
    }
    const Time now = time.at(steady);
    for (auto& door : doors) door->advance_to(now);
  }

  bool has_listeners() const {
    return std::ranges::any_of(doors, [](const auto& door) { return door->has_listeners(); });
  }
  bool in_outage() const {
    return std::ranges::any_of(doors, [](const auto& door) { return door->core().in_outage(); });
  }
  bool clients_can_take_more() const {
    return has_listeners() &&
           std::ranges::none_of(doors, [](const auto& door) { return door->is_busy(); });
  }

  void run() {
    catch_up();
    bool moved = false;
    for (int i = 0; !time.speed().factor && i < strides_in_a_row && clients_can_take_more(); ++i) {
      for (auto& door : doors) door->advance_to(door->core().now() + stride);
      moved = true;
    }
    for (auto& door : doors) door->ping();
    timer = loop.after(moved ? Duration{0} : tick, [this] { run(); });
  }
};

SimulatorServer::SimulatorServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SimulatorServer::~SimulatorServer() {
  impl_->loop.call([this] {
    impl_->timer.cancel();
    impl_->servers.clear();
  });
}

Result<std::unique_ptr<SimulatorServer>> SimulatorServer::listen(
    net::Loop& loop, const Clock& clock, Speed speed, std::vector<VenueCore*> cores,
    const std::string& address, std::uint16_t port, ServerOptions server_options) {
  const Time start = cores.empty() ? Time{} : cores.front()->now();
  const SteadyTime since = clock.steady();
  auto impl = std::make_unique<Impl>(Impl{.loop = loop,
                                          .clock = clock,
                                          .time = VirtualClock(start, speed, since),
                                          .options = server_options,
                                          .doors = {},
                                          .servers = {},
                                          .timer = {}});
  if (server_options.pause_when_alone) impl->time.pause(since);
  for (std::size_t i = 0; i < cores.size(); ++i) {
    impl->doors.push_back(
        std::make_unique<Door>(clock, *cores[i], [raw = impl.get()] { raw->catch_up(); }));
    net::ServerOptions options;
    options.address = address;
    options.port = port == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(port + i);
    options.max_queued_bytes = 16U << 20U;
    // Three times the venue's own interval, as it drops who does not answer its pings.
    options.websocket_idle_timeout = 3 * cores[i]->ping_interval();
    auto server = net::Server::listen(loop, std::move(options), *impl->doors.back());
    if (!server) return fail(std::move(server.error()));
    impl->servers.push_back(*std::move(server));
  }
  auto* raw = impl.get();
  impl->timer = loop.after(tick, [raw] { raw->run(); });
  return std::unique_ptr<SimulatorServer>(new SimulatorServer(std::move(impl)));
}

void SimulatorServer::pause_when_alone(bool pauses) {
  impl_->options.pause_when_alone = pauses;
}

std::vector<std::uint16_t> SimulatorServer::ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& server : impl_->servers) ports.push_back(server->port());
  return ports;
}

}  // namespace candlewick::simulator
