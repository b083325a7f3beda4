// A simulated venue on loopback sockets, on a loop of its own, in the test's process.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "simulator/server.h"

namespace candlewick::test {

class SimulatedVenue {
 public:
  // Without a speed: as fast as the clients take it.
  SimulatedVenue(std::string exchange, std::uint64_t seed, Time start, std::optional<double> speed,
                 const std::string& faults = "", simulator::ServerOptions options = {});
  ~SimulatedVenue();

  std::string base_url() const;
  std::string ws_url() const;
  Time now();
  void pause_when_alone(bool pauses);
  // REST requests it has answered.
  std::uint64_t requests();
  // POST /_sim/faults; an empty SPEC ends them all.
  void change_faults(const std::string& spec);
  // GET /_sim/truth: JSON Lines.
  std::string truth(std::string_view symbol, std::string_view timeframe, Time start, Time end);
  // The closed one-minute candles that open in the range: open, high, low, close, volume, quote
  // volume, the takers' volumes and the number of trades.
  std::map<Time, std::string> true_candles(std::string_view symbol, Time start, Time end);

 private:
  net::Loop loop_{"simulator"};
  RealClock clock_;
  std::unique_ptr<simulator::VenueCore> core_;
  std::unique_ptr<simulator::SimulatorServer> server_;
  net::HttpClient http_;
};

}  // namespace candlewick::test
