// The simulator, started and asked.
#include "test/support/simulated_venue.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/json.h"
#include "simulator/synthetic_market.h"

namespace candlewick::test {

SimulatedVenue::SimulatedVenue(std::string exchange, std::uint64_t seed, Time start,
                               std::optional<double> speed, const std::string& faults,
                               simulator::ServerOptions options) {
  auto market =
      simulator::SyntheticMarket::make({.exchange = exchange, .seed = seed, .start = start});
  if (!market) throw std::runtime_error(market.error().message);
  core_ = std::make_unique<simulator::VenueCore>(
      simulator::VenueSetup{.venue = exchange,
                            .market = std::move(*market),
                            .start = start,
                            .speed = simulator::Speed{speed}.text()});
  if (auto changed = core_->change_faults(faults); !changed)
    throw std::runtime_error(changed.error().message);
  auto server = simulator::SimulatorServer::listen(loop_, clock_, simulator::Speed{speed},
                                                   {core_.get()}, "127.0.0.1", 0, options);
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

Time SimulatedVenue::now() {
  Time time{};
  loop_.call([&] { time = core_->now(); });
  return time;
}
void SimulatedVenue::pause_when_alone(bool pauses) {
  loop_.call([&] { server_->pause_when_alone(pauses); });
}
std::uint64_t SimulatedVenue::requests() {
  std::uint64_t count = 0;
  loop_.call([&] { count = core_->requests_answered(); });
  return count;
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

std::map<Time, std::string> SimulatedVenue::true_candles(std::string_view symbol, Time start,
                                                         Time end) {
  const std::string lines = truth(symbol, "1m", start, end);
  std::map<Time, std::string> candles;
  json::Reader reader;
  for (std::size_t at = 0; at < lines.size();) {
    const auto line_end = std::min(lines.find('\n', at), lines.size());
    const auto line = std::string_view(lines).substr(at, line_end - at);
    at = line_end + 1;
    Time open_time{};
    std::map<std::string, std::string, std::less<>> values;
    const auto read = reader.read(line, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "open_time") {
          open_time = value.time_text();
        } else {
          values[std::string(key)] = value.raw();
        }
      });
    });
    EXPECT_TRUE(read) << line;
    std::string text;
    for (const auto* key : {"open", "high", "low", "close", "volume", "quote_volume",
                            "taker_buy_volume", "taker_buy_quote_volume"}) {
      text += Decimal::parse(values[key]).value_or(Decimal{}).to_string() + " ";
    }
    EXPECT_TRUE(candles.emplace(open_time, text + values["trade_count"]).second)
        << "twice in the truth: " << line;
  }
  return candles;
}

}  // namespace candlewick::test
