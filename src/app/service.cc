// Wiring and order: what must be durable is opened first and closed last.
#include "app/service.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "api/service.h"
#include "api/settings.h"
#include "app/alert_source.h"
#include "app/counters.h"
#include "app/folder_lock.h"
#include "app/ingest.h"
#include "app/maintenance.h"
#include "app/observations.h"
#include "app/past_rows.h"
#include "app/sinks.h"
#include "app/warehouse_choice.h"
#include "base/guarded.h"
#include "exchange/registry.h"
#include "log/sqlite_log.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "sink/runner.h"
#include "stream/intake.h"
#include "warehouse/database.h"

namespace candlewick::app {

namespace {

// As rows have them: two markets of one exchange have one name.
std::vector<std::string> exchange_names(const Config& config) {
  std::vector<std::string> names;
  for (const auto& key : config.exchanges) {
    const auto* venue = exchange::find_venue(key);
    std::string name(venue == nullptr ? key : venue->name);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

struct Service::Impl {
  Impl(const Config& settings, const Clock& real_clock, Observer& tell, Metrics& counts)
      : config(settings), clock(real_clock), observer(tell), metrics(counts) {}

  const Config config;
  ReadConfig read_config;
  Guarded<std::vector<std::string>> secrets;  // of every configuration that was read
  const Clock& clock;
  Observer& observer;
  Metrics& metrics;
  std::unique_ptr<FolderLock> folder;
  pipeline::LatestBoard board;
  std::unique_ptr<log::Writer> writer;
  std::vector<std::unique_ptr<sink::Runner>> sinks;
  std::unique_ptr<net::Loop> ingest_loop;
  std::unique_ptr<net::HttpClient> http;
  std::unique_ptr<stream::Intake> intake;
  std::unique_ptr<Ingest> ingest;
  std::unique_ptr<api::Service> api;
  std::unique_ptr<Maintenance> maintenance;
  std::unique_ptr<alert::Watch> alerts;
  std::string warehouse_words = "SQLite";
  bool is_stopped = false;

  Result<void> start();
  Result<void> open_log();
  Result<void> catch_up() const;
  Result<std::unique_ptr<warehouse::Database>> open_memory();
  Result<void> start_sinks();
  Result<void> start_api();
  void start_alerts(alert::Plan plan);
  std::mutex orders;  // one at a time
  Result<void> follow(const Wanted& wanted);
  Result<void> unkept(const Error& error) const;
  Result<std::unique_ptr<warehouse::Database>> open_memory_of_now() const;
  std::vector<sink::SinkStatistics> sink_statistics() const {
    std::vector<sink::SinkStatistics> all;
    const auto last = writer->statistics().last_sequence;
    for (const auto& runner : sinks) {
      auto& known = all.emplace_back(runner->statistics());
      // A sink that hangs or waits does not look at the log; what it lacks grows all the same.
      if (last <= known.last_sequence) continue;
      known.lag_rows += last - known.last_sequence;
      known.last_sequence = last;
    }
    return all;
  }
};

Result<void> Service::Impl::open_log() {
  log::SqliteLogOptions options;
  options.path = log_path(config);
  options.budget_bytes = static_cast<std::uint64_t>(config.log.disk_budget_mib) << 20;
  options.at_budget = config.log.when_full == "drop_oldest_for_sink" ? log::AtBudget::drop_oldest
                                                                     : log::AtBudget::refuse;
  auto opened = log::open_sqlite_log(options);
  if (!opened) return fail(opened.error());
  writer = std::make_unique<log::Writer>(std::move(*opened), clock);
  return {};
}

// What the log holds goes into the warehouse before it is asked what it remembers.
Result<void> Service::Impl::catch_up() const {
  auto target = make_warehouse_sink(config, clock);
  if (!target) return fail(target.error());
  auto source = log::open_sqlite_log({.path = log_path(config)});
  if (!source) return fail(source.error());
  sink::Delivery delivery(std::move(*target), std::move(*source), clock);
  return delivery.drain();
}

// Null while a server cannot be reached: the venues are listened to all the same, rows wait in the
// log, and history is read anew.
Result<std::unique_ptr<warehouse::Database>> Service::Impl::open_memory() {
  const auto unreachable = [&](const Error& error) -> Result<std::unique_ptr<warehouse::Database>> {
    if (!is_on_postgres(config) || error.kind != ErrorKind::transient) return fail(error);
    observer.observe(warehouse_unreachable,
                     {{"error_kind", to_text(error.kind)}, {"error", error.message}});
    return std::unique_ptr<warehouse::Database>{};
  };
  if (is_on_postgres(config)) {
    const auto server = warehouse::inspect_postgres(postgres_location(config));
    if (!server) return unreachable(server.error());
    warehouse_words = warehouse::describe(*server);
    observer.observe(warehouse_found, {{"stage", warehouse_words}});
  }
  if (auto caught_up = catch_up(); !caught_up) return unreachable(caught_up.error());
  auto memory = open_for_reading(config);
  if (!memory) return unreachable(memory.error());
  return memory;
}

Result<void> Service::Impl::start_sinks() {
  const auto configured = configured_sinks(config, clock);
  if (!configured) return fail(configured.error());
  std::vector<std::string> names;
  for (const auto& wanted : *configured) {
    auto target = make_sink(wanted);
    if (!target) return fail(target.error());
    auto source = log::open_sqlite_log({.path = log_path(config)});
    if (!source) return fail(source.error());
    auto options = wanted.options;
    options.observer = &observer;
    options.remake = remake_sink(wanted.name, read_config, clock);
    options.redact = [this](std::string message) {
      return without(std::move(message), secrets.with([](const auto& known) { return known; }));
    };
    options.open_past = [this](Time since) -> Result<std::unique_ptr<sink::PastRows>> {
      return past_rows([this] { return open_for_reading(config); }, since);
    };
    sinks.push_back(std::make_unique<sink::Runner>(std::move(*target), std::move(*source), clock,
                                                   std::move(options)));
    names.emplace_back(wanted.name);
  }
  // Those that are not set up any more keep their place, as long as there is room for their rows.
  auto log = log::open_sqlite_log({.path = log_path(config)});
  if (!log) return fail(log.error());
  if (auto set = (*log)->set_active_sinks(names); !set) return set;
  writer->listen([this](const log::Commit&) {
    for (auto& runner : sinks) runner->wake();
  });
  return {};
}

Result<void> Service::Impl::start_api() {
  auto options = api::options_of(config.http);
  if (!options) return fail(options.error());
  auto keys = api::keys_of(config.http);
  if (!keys) return fail(keys.error());
  for (const auto& warning : api::exposure_warnings(config.http)) {
    observer.observe(config_warning, {{"error", warning}});
  }
  auto started = api::Service::start(
      api::Backend{.clock = clock,
                   .board = board,
                   .metrics = metrics,
                   .observer = observer,
                   .feeds = [this] { return ingest->feeds(); },
                   .pipelines = [this] { return ingest->pipelines(); },
                   .sinks = [this] { return sink_statistics(); },
                   .log = [this] { return writer->statistics(); },
                   .open_database = [this] { return open_for_reading(config); },
                   .intake = intake.get(),
                   .followed = [this] { return ingest->followed(); },
                   .follow = [this](const Wanted& wanted) { return follow(wanted); },
                   .keys = *std::move(keys),
                   .exchanges = exchange_names(config),
                   .timeframes = config.timeframes,
                   .keeps_trades = config.pipeline.keep_trades,
                   .warehouse = warehouse_words,
                   .version = "0.1.0"},
      *std::move(options));
  if (!started) return fail(started.error());
  api = std::move(*started);
  return {};
}

void Service::Impl::start_alerts(alert::Plan plan) {
  std::vector<std::string> names;
  for (const auto& runner : sinks) names.emplace_back(runner->name());
  begin_counters(metrics, config, names);
  alerts = app::start_alerts(std::move(plan),
                             {.config = config,
                              .clock = clock,
                              .observer = observer,
                              .metrics = metrics,
                              .board = board,
                              .feeds = [this] { return ingest->feeds(); },
                              .pipelines = [this] { return ingest->pipelines(); },
                              .sinks = [this] { return sink_statistics(); },
                              .log = [this] { return writer->statistics(); },
                              .open_database = [this] { return open_for_reading(config); }});
}

Result<void> Service::Impl::start() {
  auto plan = alert::read_plan(config.alerts);
  if (!plan) return fail(plan.error());
  auto locked = FolderLock::take(config.data_dir);
  if (!locked) return fail(locked.error());
  folder = std::move(*locked);
  if (auto opened = open_log(); !opened) return opened;
  auto memory = open_memory();
  if (!memory) return fail(memory.error());
  if (auto started = start_sinks(); !started) return started;
  http = std::make_unique<net::HttpClient>(
      net::HttpClientOptions{.ca_file = config.ca_file, .user_agent = "candlewick/0.1.0"});
  ingest_loop = std::make_unique<net::Loop>("ingest");
  ingest = std::make_unique<Ingest>(
      Ingest::Parts{.config = config,
                    .clock = clock,
                    .observer = observer,
                    .loop = *ingest_loop,
                    .http = *http,
                    .writer = *writer,
                    .board = board,
                    .open_memory = [this] { return open_memory_of_now(); }});
  auto wanted = stored_order(config);
  if (!wanted) return fail(wanted.error());
  if (*wanted) observer.observe(order_remembered);
  const Wanted first = wanted->value_or(wanted_by(config));
  auto prepared = ingest->prepare(first, memory->get());
  if (!prepared) return prepared;
  begin_venue_counters(metrics, first.exchanges);
  // What the board remembers is where live streams begin.
  intake = std::make_unique<stream::Intake>(board);
  ingest->tell(*intake);
  if (auto started = start_api(); !started) return started;
  writer->start();
  for (auto& runner : sinks) runner->start();
  ingest_loop->start();
  ingest_loop->call([this] { ingest->start(); });
  if (is_on_postgres(config)) {
    maintenance = std::make_unique<Maintenance>(postgres_location(config), retention_of(config),
                                                clock, observer);
  }
  start_alerts(std::move(*plan));
  observer.observe(service_started);
  return {};
}

// An order that cannot be kept is not obeyed either: a restart would undo it silently.
Result<void> Service::Impl::follow(const Wanted& wanted) {
  const std::scoped_lock lock(orders);
  if (auto written = write_order(config, wanted); !written) return unkept(written.error());
  auto followed = ingest->follow(wanted);
  if (!followed) return followed;
  begin_venue_counters(metrics, wanted.exchanges);
  auto kept = keep_order(config);
  return kept ? kept : unkept(kept.error());
}

// Files are no business of who gives orders.
Result<void> Service::Impl::unkept(const Error& error) const {
  observer.observe(order_not_kept, {{"error", error.message}});
  return fail(ErrorKind::transient, "the order cannot be kept; the log says why");
}

// What was written is in the warehouse before it is asked what it remembers: what joins goes on
// behind its own newest rows.
Result<std::unique_ptr<warehouse::Database>> Service::Impl::open_memory_of_now() const {
  constexpr int looks = 1000;
  const auto last = writer->statistics().last_sequence;
  for (int look = 0; look < looks; ++look) {
    if (sinks.front()->statistics().cursor >= last) return open_for_reading(config);
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return fail(ErrorKind::transient, "the warehouse is too far behind; try again later");
}

Result<std::unique_ptr<Service>> Service::start(const Config& config, const Clock& clock,
                                                Observer& observer, Metrics& metrics,
                                                ReadConfig read_config) {
  auto impl = std::make_unique<Impl>(config, clock, observer, metrics);
  impl->secrets.with([&](auto& known) { known = config.secrets(); });
  if (read_config) {
    impl->read_config = [read = std::move(read_config), &secrets = impl->secrets] {
      auto again = read();
      if (!again) return again;
      secrets.with([&](auto& known) {
        for (auto& secret : again->secrets()) {
          if (std::ranges::find(known, secret) == known.end()) known.push_back(std::move(secret));
        }
      });
      return again;
    };
  }
  std::unique_ptr<Service> service(new Service(std::move(impl)));
  if (auto started = service->impl_->start(); !started) return fail(started.error());
  return service;
}

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() {
  stop();
}

void Service::stop() {
  Impl& impl = *impl_;
  if (std::exchange(impl.is_stopped, true)) return;
  // First of all: an end in order is nothing to be told of.
  impl.alerts.reset();
  if (impl.api) {
    // Clients are told, and those that listen hang up.
    impl.api->drain();
    constexpr int looks = 100;
    for (int look = 0; look < looks && impl.api->connections() > 0; ++look)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  impl.api.reset();
  impl.maintenance.reset();
  if (impl.ingest) impl.ingest->end_changes();
  if (impl.ingest_loop && impl.ingest) impl.ingest_loop->call([&] { impl.ingest->stop(); });
  if (impl.ingest_loop) {
    impl.ingest_loop->stop();
    impl.ingest_loop->join();
  }
  impl.http.reset();
  if (impl.writer) {
    if (auto stopped = impl.writer->stop(); !stopped) {
      impl.observer.observe(log_failing, {{"error_kind", to_text(stopped.error().kind)},
                                          {"error", stopped.error().message}});
    }
  }
  for (auto& runner : impl.sinks) runner->begin_stop();
  for (auto& runner : impl.sinks) runner->stop();
  impl.observer.observe(service_stopped);
}

Result<void> Service::follow(const Wanted& wanted) {
  return impl_->follow(wanted);
}

Result<void> Service::follow_configuration(const Config& config) {
  const std::scoped_lock lock(impl_->orders);
  auto followed = impl_->ingest->follow(wanted_by(config));
  if (!followed) return followed;
  begin_venue_counters(impl_->metrics, config.exchanges);
  forget_order(impl_->config);
  return followed;
}

std::string Service::api_address() const {
  return impl_->api->address();
}
const pipeline::LatestBoard& Service::board() const {
  return impl_->board;
}
std::vector<feed::FeedStatus> Service::feeds() const {
  return impl_->ingest->feeds();
}
std::vector<sink::SinkStatistics> Service::sinks() const {
  return impl_->sink_statistics();
}
log::WriterStatistics Service::log() const {
  return impl_->writer->statistics();
}

}  // namespace candlewick::app
