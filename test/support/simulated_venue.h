// A simulated venue on loopback sockets, on a loop of its own, in the test's process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "simulator/server.h"

namespace candlewick::test {

class SimulatedVenue {
 public:
  SimulatedVenue(std::string exchange, std::uint64_t seed, Time start, double speed,
                 const std::string& faults = "");
  ~SimulatedVenue();

  std::string base_url() const;
  std::string ws_url() const;
  // POST /_sim/faults; an empty SPEC ends them all.
  void change_faults(const std::string& spec);
  // GET /_sim/truth: JSON Lines.
  std::string truth(std::string_view symbol, std::string_view timeframe, Time start, Time end);

 private:
  net::Loop loop_{"simulator"};
  RealClock clock_;
  std::unique_ptr<simulator::VenueCore> core_;
  std::unique_ptr<simulator::SimulatorServer> server_;
  net::HttpClient http_;
};

}  // namespace candlewick::test
