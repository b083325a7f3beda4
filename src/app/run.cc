// The service in the foreground.
#include "app/run.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "app/command.h"
#include "app/live_table.h"
#include "app/observations.h"
#include "app/service.h"
#include "simulator/server.h"
#include "simulator/synthetic_market.h"

namespace candlewick::app {

using namespace std::chrono_literals;

namespace {

// The simulated venues of a demo, on a loop of their own.
class Demo {
 public:
  static Result<std::unique_ptr<Demo>> start(Config& config, const Clock& clock, double speed) {
    std::unique_ptr<Demo> demo(new Demo);
    const Time start = std::chrono::floor<std::chrono::seconds>(clock.now());
    std::vector<simulator::VenueCore*> cores;
    for (const auto& exchange : config.exchanges) {
      auto market =
          simulator::SyntheticMarket::make({.exchange = exchange, .seed = 1, .start = start});
      if (!market) return fail(market.error());
      demo->cores_.push_back(std::make_unique<simulator::VenueCore>(
          simulator::VenueSetup{.venue = exchange,
                                .market = std::move(*market),
                                .start = start,
                                .speed = fmt::format("{}", speed)}));
      cores.push_back(demo->cores_.back().get());
    }
    auto server = simulator::SimulatorServer::listen(demo->loop_, clock, simulator::Speed{speed},
                                                     cores, "127.0.0.1", 0);
    if (!server) return fail(server.error());
    demo->server_ = std::move(*server);
    const auto ports = demo->server_->ports();
    for (std::size_t i = 0; i < config.exchanges.size(); ++i) {
      config.venues[config.exchanges[i]] = {
          .base_url = fmt::format("http://127.0.0.1:{}", ports[i]),
          .ws_url = fmt::format("ws://127.0.0.1:{}", ports[i])};
    }
    demo->loop_.start();
    return demo;
  }
  ~Demo() {
    loop_.call([this] { server_.reset(); });
    loop_.stop();
    loop_.join();
  }
  Demo(const Demo&) = delete;
  Demo& operator=(const Demo&) = delete;

 private:
  Demo() = default;
  net::Loop loop_{"simulator"};
  std::vector<std::unique_ptr<simulator::VenueCore>> cores_;
  std::unique_ptr<simulator::SimulatorServer> server_;
};

// A folder of its own, gone at the end: a demo repeats itself and leaves nothing.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = std::filesystem::temp_directory_path() / fmt::format("candlewick-demo-{}", ::getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

Severity severity_of(std::string_view text) {
  return text == "debug"     ? Severity::debug
         : text == "warning" ? Severity::warning
         : text == "error"   ? Severity::error
                             : Severity::info;
}

// Paints while the main loop runs.
class Screen {
 public:
  Screen(net::Loop& loop, const Service& service, std::string heading)
      : loop_(loop), service_(service), heading_(std::move(heading)), is_terminal_(is_terminal()) {
    tick();
  }

 private:
  void tick() {
    const TableState state{service_.board(), service_.feeds(), service_.sinks(), heading_};
    const std::string text = is_terminal_ ? live_table(state, lines_) : plain_table(state);
    lines_ = live_table_lines(state);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    timer_ = loop_.after(is_terminal_ ? Duration{500ms} : Duration{5s}, [this] { tick(); });
  }

  net::Loop& loop_;
  const Service& service_;
  std::string heading_;
  bool is_terminal_;
  std::size_t lines_ = 0;
  net::Timer timer_;
};

// Says in plain words, besides the log, that a venue cannot be reached, and when it can be again.
class ConnectionWatch {
 public:
  ConnectionWatch(net::Loop& loop, const Service& service) : loop_(loop), service_(service) {
    wait();
  }

 private:
  void wait() {
    timer_ = loop_.after(5s, [this] {
      for (const auto& feed : service_.feeds()) tell(feed);
      wait();
    });
  }
  void tell(const feed::FeedStatus& feed) {
    const bool was_told = std::ranges::find(told_, feed.venue) != told_.end();
    if (feed.connected == !was_told) return;
    if (feed.connected) {
      std::erase(told_, feed.venue);
      fmt::print(stderr, "candlewick: {} is connected\n", feed.venue);
    } else {
      told_.push_back(feed.venue);
      fmt::print(stderr, "candlewick: no connection to {} ({}); trying on until there is one\n",
                 feed.venue, feed.last_error);
    }
  }

  net::Loop& loop_;
  const Service& service_;
  net::Timer timer_;
  std::vector<std::string> told_;
};

// Venues and symbols at once; other settings count from the next start.
void reload(Service& service, const ReadConfig& read_config, Observer& observer) {
  const auto refused = [&](const Error& error) {
    observer.observe(config_not_reloaded,
                     {{"error_kind", to_text(error.kind)}, {"error", error.message}});
  };
  const auto config = read_config();
  if (!config) return refused(config.error());
  if (auto followed = service.follow_configuration(*config); !followed)
    return refused(followed.error());
  observer.observe(config_reloaded);
}

}  // namespace

int run(const LoadedConfig& loaded, const RunOptions& options) {
  const RealClock clock;
  Config config = loaded.config;
  std::optional<TemporaryFolder> demo_folder;
  std::unique_ptr<Demo> demo;
  // A demo's table and the log share the terminal: only what is wrong is told there.
  const Severity severity = options.demo ? Severity::error : severity_of(config.log_level);
  Metrics metrics;
  LogObserver log(clock, {.level = severity, .secrets = config.secrets()});
  MetricsObserver counts(metrics);
  TeeObserver observer({&log, &counts});
  for (const auto& warning : loaded.warnings)
    observer.observe(config_warning, {{"error", warning}});

  if (options.demo) {
    demo_folder.emplace();
    config.data_dir = demo_folder->path();
    config.warehouse = "sqlite";
    auto started = Demo::start(config, clock, options.demo_speed);
    if (!started) return report(started.error());
    demo = std::move(*started);
  }
  auto service = Service::start(config, clock, observer, metrics,
                                options.demo ? ReadConfig{} : options.read_config);
  if (!service) return report(service.error());

  net::Loop main_loop("main");
  main_loop.on_signals({SIGINT, SIGTERM, SIGHUP}, [&](int signal) {
    if (signal != SIGHUP) return main_loop.stop();
    if (!options.demo) reload(**service, options.read_config, observer);
  });
  net::Timer end;
  if (options.demo_for > Duration{0})
    end = main_loop.after(options.demo_for, [&] { main_loop.stop(); });
  const std::string address =
      (config.http.certificate_file.empty() ? "http://" : "https://") + (*service)->api_address();
  std::optional<Screen> screen;
  std::optional<ConnectionWatch> watch;
  if (options.demo) {
    fmt::print(
        "A made-up market at {}x speed; nothing leaves this machine.\n"
        "  the chart    {}\n"
        "  the API      {}/docs\n"
        "  one symbol   {}/latest/BTC-USDT\n"
        "Ctrl-C ends it.\n\n",
        options.demo_speed, address, address, address);
    screen.emplace(main_loop, **service, "");
  } else {
    fmt::print(stderr, "candlewick: serving on {}\n", address);
    watch.emplace(main_loop, **service);
  }
  main_loop.run();
  screen.reset();
  watch.reset();
  (*service)->stop();
  if (options.demo) fmt::print("\nstopped\n");
  return done;
}

}  // namespace candlewick::app
