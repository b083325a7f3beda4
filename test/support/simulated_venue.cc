// The simulator, started and asked.
#include "test/support/simulated_venue.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "simulator/synthetic_market.h"

namespace candlewick::test {

SimulatedVenue::SimulatedVenue(std::string exchange, std::uint64_t seed, Time start, double speed,
                               const std::string& faults) {
  auto market =
      simulator::SyntheticMarket::make({.exchange = exchange, .seed = seed, .start = start});
  if (!market) throw std::runtime_error(market.error().message);
  core_ = std::make_unique<simulator::VenueCore>(
      simulator::VenueSetup{.venue = exchange,
                            .market = std::move(*market),
                            .start = start,
                            .speed = fmt::format("{}", speed)});
  if (auto changed = core_->change_faults(faults); !changed)
    throw std::runtime_error(changed.error().message);
  auto server = simulator::SimulatorServer::listen(loop_, clock_, simulator::Speed{speed},
                                                   {core_.get()}, "127.0.0.1", 0);
  if (!server) throw std::runtime_error(server.error().message);
  server_ = std::move(*server);
  loop_.start();
}

SimulatedVenue::~SimulatedVenue() {
  loop_.call([this] { server_.reset(); });
  loop_.stop();
  loop_.join();
}

std::string SimulatedVenue::base_url() const {
  return fmt::format("http://127.0.0.1:{}", server_->ports().front());
}
std::string SimulatedVenue::ws_url() const {
  return fmt::format("ws://127.0.0.1:{}", server_->ports().front());
}

void SimulatedVenue::change_faults(const std::string& spec) {
  const auto reply =
      http_.fetch({.method = "POST", .url = base_url() + "/_sim/faults", .body = spec});
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_EQ(reply->status, 200) << reply->body;
}

std::string SimulatedVenue::truth(std::string_view symbol, std::string_view timeframe, Time start,
                                  Time end) {
  const auto reply =
      http_.fetch({.url = fmt::format("{}/_sim/truth?symbol={}&timeframe={}&start={}&end={}",
                                      base_url(), symbol, timeframe, to_ms(start), to_ms(end))});
  if (!reply || reply->status != 200) {
    ADD_FAILURE() << (reply ? reply->body : reply.error().message);
    return {};
  }
  return reply->body;
}

}  // namespace candlewick::test
