// candlewick-sim: venues on loopback that speak their own protocols. Exit status: 0 done, 1 failed,
// 2 wrong use.
#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "net/loop.h"
#include "simulator/candle_market.h"
#include "simulator/recorded_market.h"
#include "simulator/server.h"
#include "simulator/synthetic_market.h"

namespace {

using namespace candlewick;
using namespace candlewick::simulator;

// Where a synthetic market begins unless told otherwise, so that runs repeat themselves.
constexpr std::int64_t default_start_ms = 1'768'478'400'000;  // 2026-01-15T12:00:00Z
constexpr int wrong_use = 2;

struct Options {
  std::vector<std::string> exchanges;
  std::uint64_t seed = 1;
  std::vector<std::string> recordings;
  std::vector<std::string> candles;
  std::string speed = "1";
  std::uint16_t port = 9400;
  std::string address = "127.0.0.1";
  std::string faults;
  std::string start;
  std::vector<std::string> symbols;
  double activity = 1.0;
  bool pause_when_alone = false;
};

struct Simulation {
  std::vector<std::unique_ptr<VenueCore>> cores;
  Speed speed;
  std::string source;
};

Result<Time> start_of(const Options& options, const Clock& clock, Time otherwise) {
  if (options.start.empty()) return otherwise;
  if (options.start == "now") {
    const Time now = std::chrono::floor<std::chrono::milliseconds>(clock.now());
    return now;
  }
  auto time = parse_time(options.start);
  if (!time) return fail(ErrorKind::misconfigured, "--start: {}", time.error().message);
  return time;
}

template <class M>
Result<std::unique_ptr<simulator::Market>> as_market(Result<std::unique_ptr<M>> made) {
  if (!made) return fail(std::move(made.error()));
  return std::unique_ptr<simulator::Market>(*std::move(made));
}

Result<std::unique_ptr<simulator::Market>> make_market(const Options& options,
                                                       const std::string& exchange,
                                                       Time synthetic_start) {
  if (!options.recordings.empty()) {
    return as_market(RecordedMarket::load(exchange, options.recordings));
  }
  if (!options.candles.empty()) return as_market(CandleMarket::load(exchange, options.candles));
  return as_market(SyntheticMarket::make({.exchange = exchange,
                                          .seed = options.seed,
                                          .start = synthetic_start,
                                          .symbols = options.symbols,
                                          .activity = options.activity}));
}

Result<Simulation> build(const Options& options, const Clock& clock) {
  Simulation simulation;
  const auto speed = parse_speed(options.speed);
  if (!speed) return fail(speed.error());
  simulation.speed = *speed;
  simulation.source = !options.recordings.empty() ? "recording"
                      : !options.candles.empty()  ? "candles"
                                                  : fmt::format("synthetic seed {}", options.seed);
  for (const auto& exchange : options.exchanges) {
    const auto known = simulated_venues();
    if (std::ranges::find(known, exchange) == known.end()) {
      return fail(ErrorKind::misconfigured, "--exchange: \"{}\" is not simulated (one of {})",
                  exchange, fmt::join(known, " "));
    }
    const auto synthetic_start = start_of(options, clock, time_from_ms(default_start_ms));
    if (!synthetic_start) return fail(synthetic_start.error());
    auto market = make_market(options, exchange, *synthetic_start);
    if (!market) return fail(std::move(market.error()));
    const auto start = start_of(options, clock, (*market)->default_start());
    if (!start) return fail(start.error());
    auto core = std::make_unique<VenueCore>(VenueSetup{.venue = exchange,
                                                       .market = *std::move(market),
                                                       .start = *start,
                                                       .speed = simulation.speed.text()});
    const auto faults = core->change_faults(options.faults);
    if (!faults) return fail(ErrorKind::misconfigured, "--faults: {}", faults.error().message);
    simulation.cores.push_back(std::move(core));
  }
  return simulation;
}

int complain(const Error& error) {
  fmt::print(stderr, "candlewick-sim: {}\n", error.message);
  return error.kind == ErrorKind::misconfigured ? wrong_use : 1;
}

int serve(const Options& options) {
  const RealClock clock;
  auto simulation = build(options, clock);
  if (!simulation) return complain(simulation.error());
  net::Loop loop("simulator");
  std::vector<VenueCore*> cores;
  for (auto& core : simulation->cores) cores.push_back(core.get());
  auto server =
      SimulatorServer::listen(loop, clock, simulation->speed, cores, options.address, options.port,
                              {.pause_when_alone = options.pause_when_alone});
  if (!server) return complain(server.error());
  loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.stop(); });
  const auto ports = (*server)->ports();
  for (std::size_t i = 0; i < cores.size(); ++i) {
    fmt::print(stderr, "candlewick-sim: {0} on http://{1}:{2} ws://{1}:{2} ({3}, speed {4})\n",
               cores[i]->venue(), options.address, ports[i], simulation->source,
               simulation->speed.text());
  }
  std::fflush(stderr);
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Exchanges on loopback, speaking their own REST and WebSocket protocols.",
               "candlewick-sim"};
  app.add_option("--exchange", options.exchanges,
                 "venues, one port each (binance, binance-usdm, kraken, …), and coingecko")
      ->required()
      ->delimiter(',');
  auto* synthetic =
      app.add_option("--synthetic", options.seed, "seed of a made-up market (default 1)");
  auto* recording = app.add_option("--recording", options.recordings, "recordings to play");
  auto* candles =
      app.add_option("--candles", options.candles, "CSV files of candles: FILE or SYMBOL=FILE");
  recording->excludes(synthetic);
  candles->excludes(synthetic)->excludes(recording);
  app.add_option("--speed", options.speed, "virtual seconds a second, or max")
      ->capture_default_str();
  app.add_option("--port", options.port, "of the first venue; 0: any free ones")
      ->capture_default_str();
  app.add_flag("--pause-when-alone", options.pause_when_alone,
               "time stands still while no WebSocket client listens");
  app.add_option("--address", options.address, "to listen on")->capture_default_str();
  app.add_option("--faults", options.faults,
                 "drop=0.01,double=0.01,reorder=0.01,delay=200ms:0.05,truncate=0.001,silent=0.001,"
                 "refuse=0.1,unclosed=0.1,429=0.02,418=0.01,5xx=0.02,book=0.1,retry=1,"
                 "disconnect=30s,lag=5s,unfinal=4s:0.5,skew=2s,vanish=BTCUSDT+ETHUSDT,"
                 "outage=60s+30s,blackout=60s+1h,jump=90s+1000,weight=600,seed=7");
  app.add_option("--start", options.start,
                 "virtual start: RFC 3339, epoch, or now (default: 2026-01-15T12:00:00Z, a "
                 "recording's first frame, the end of the last candle)");
  app.add_option("--symbols", options.symbols, "of a made-up market, instead of the default ones")
      ->delimiter(',');
  app.add_option("--activity", options.activity, "times as many made-up trades")
      ->check(CLI::Range(0.001, 1000.0))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : wrong_use;
  }
  return serve(options);
}
