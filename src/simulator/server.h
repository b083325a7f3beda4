// The simulated venues on sockets: one port each, all on one loop. Time moves with the steady
// clock, or, at speed "max", in steps as soon as the clients have taken what was sent; then it
// stands still while nobody is connected.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/loop.h"
#include "simulator/venue_core.h"
#include "simulator/virtual_clock.h"

namespace candlewick::simulator {

struct ServerOptions {
  // Time stands still, also before the first one, while no WebSocket client listens to a stream. So
  // a service that is killed and started again has missed next to nothing. An outage goes on: else
  // it would never end.
  bool pause_when_alone = false;
};

class SimulatorServer {
 public:
  // Core i listens on port + i; with port 0 each takes any that is free. Loop, clock and cores must
  // outlive the server; it takes over the cores' time from the moment that the loop runs. Error:
  // misconfigured, when a port cannot be had.
  static Result<std::unique_ptr<SimulatorServer>> listen(net::Loop& loop, const Clock& clock,
                                                         Speed speed, std::vector<VenueCore*> cores,
                                                         const std::string& address,
                                                         std::uint16_t port,
                                                         ServerOptions options = {});
  ~SimulatorServer();
  SimulatorServer(const SimulatorServer&) = delete;
  SimulatorServer& operator=(const SimulatorServer&) = delete;

  // On the loop's thread.
  void pause_when_alone(bool pauses);

  // In the order of the cores.
  std::vector<std::uint16_t> ports() const;

 private:
  struct Impl;
  explicit SimulatorServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace candlewick::simulator
