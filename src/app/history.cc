// The feed and its sockets live on the loop's thread; answers come over through a queue.
#include "app/history.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "app/command.h"
#include "app/folder_lock.h"
#include "app/warehouse_choice.h"
#include "base/queue.h"
#include "exchange/registry.h"
#include "feed/driver.h"
#include "log/sqlite_log.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "pipeline/candle_reply.h"
#include "sink/delivery.h"

namespace candlewick::app {
namespace {

using namespace std::chrono_literals;

// Sent at once; the feed's budget decides when each one leaves.
constexpr std::size_t requests_at_once = 4;
// Longer than a budget's minute, with retries.
constexpr Duration patience = 5min;

// What the loop's thread has to say.
struct Told {
  feed::RequestId request = 0;
  Events events;
  std::optional<Time> venue_time;
  std::optional<Error> error;
  bool is_interrupt = false;
};
using ToldQueue = BoundedQueue<Told>;

class Listener final : public feed::FeedHandler {
 public:
  explicit Listener(ToldQueue& told) : told_(told) {}
  void attach(const feed::VenueFeed& feed) { feed_ = &feed; }

  void on_events(const Events& /*events*/) override {}
  void on_live(const std::vector<exchange::Channel>& /*channels*/) override {}
  void on_down(const std::vector<exchange::Channel>& /*channels*/,
               std::string_view /*reason*/) override {}
  void on_reply(feed::RequestId request, const Events& events) override {
    told_.try_push(
        {.request = request, .events = events, .venue_time = feed_->venue_time(), .error = {}});
  }
  void on_request_refused(feed::RequestId request, const Error& error) override {
    told_.try_push({.request = request, .events = {}, .venue_time = {}, .error = error});
  }

 private:
  ToldQueue& told_;
  const feed::VenueFeed* feed_ = nullptr;
};

Result<void> write_to_warehouse(const Config& config, const Clock& clock) {
  auto target = make_warehouse_sink(config, clock);
  if (!target) return fail(target.error());
  auto source = log::open_sqlite_log({.path = log_path(config)});
  if (!source) return fail(source.error());
  sink::Delivery delivery(std::move(*target), std::move(*source), clock);
  return delivery.drain();
}

// Log lines come from the loop's thread.
void write_above(void* progress, std::string_view line) {
  static_cast<Progress*>(progress)->write_above(line);
}

feed::FeedOptions feed_options(const Config& config, std::string_view exchange,
                               const Clock& clock) {
  feed::FeedOptions options;
  if (const auto urls = config.venues.find(std::string(exchange)); urls != config.venues.end())
    options.rest_url = urls->second.base_url;
  options.budget_share = static_cast<double>(config.feed.request_budget_percent) / 100.0;
  options.seed = static_cast<std::uint64_t>(to_ns(clock.now()));
  return options;
}

}  // namespace

Result<HistorySeries> read_series(const HistoryArguments& arguments) {
  const auto venue = venue_of(arguments.exchange, arguments.symbol);
  if (!venue) return fail(venue.error());
  HistorySeries series{.venue = *venue, .catalogue = exchange::make_catalogue(**venue)};
  const auto instrument = instrument_named(**venue, *series.catalogue, arguments.symbol);
  if (!instrument) return fail(instrument.error());
  series.instrument = *instrument;
  const auto timeframe = parse_timeframe(arguments.timeframe);
  if (!timeframe)
    return fail(ErrorKind::misconfigured, "--timeframe: {}", timeframe.error().message);
  series.timeframe = *timeframe;
  const auto start = parse_time(arguments.start);
  if (!start)
    return fail(ErrorKind::misconfigured, "{}: {}", arguments.start_flag, start.error().message);
  series.start = open_of(*timeframe, *start);
  if (series.start < *start) series.start = next_open(*timeframe, series.start);
  if (arguments.end.empty()) return series;
  const auto end = parse_time(arguments.end);
  if (!end)
    return fail(ErrorKind::misconfigured, "{}: {}", arguments.end_flag, end.error().message);
  if (*end <= *start) {
    return fail(ErrorKind::misconfigured, "{}: is not after {}", arguments.end_flag,
                arguments.start_flag);
  }
  series.end = *end;
  return series;
}

struct History::Impl {
  Impl(const LoadedConfig& loaded, HistorySeries asked)
      : config(loaded.config),
        series(std::move(asked)),
        progress(clock, Progress::on_terminal()),
        observer(clock, {.level = Severity::warning, .secrets = loaded.config.secrets()},
                 write_above, &progress),
        http({.ca_file = loaded.config.ca_file, .user_agent = "candlewick/0.1.0"}) {}

  const Config& config;
  HistorySeries series;
  RealClock clock;
  Progress progress;
  LogObserver observer;
  std::unique_ptr<FolderLock> folder;  // null while a service has it
  std::unique_ptr<log::Log> log;
  std::unique_ptr<warehouse::Database> warehouse;
  net::HttpClient http;
  ToldQueue told{{.items = 64, .weight = 64}};
  Listener listener{told};
  net::Loop loop{"history"};
  // Of the loop's thread.
  std::unique_ptr<feed::Driver> driver;
  std::unique_ptr<feed::VenueFeed> feed;
  net::Timer patience_timer;

  std::optional<Time> venue_time;
  bool is_interrupted = false;
  pipeline::CoverageSequence sequence;

  void connect();
  Result<std::optional<feed::RequestId>> send(const exchange::RestQuery& query);
  Told wait();
};

void History::Impl::connect() {
  loop.on_signals({SIGINT, SIGTERM}, [this](int) {
    told.try_push({.events = {}, .venue_time = {}, .error = {}, .is_interrupt = true});
  });
  loop.start();
  loop.call([this] {
    driver = std::make_unique<feed::Driver>(loop, http, clock, config.ca_file);
    feed = std::make_unique<feed::VenueFeed>(
        *series.venue, *series.catalogue,
        feed_options(config, exchange::key_of(*series.venue), clock), *driver, listener, observer);
    listener.attach(*feed);
    driver->attach(*feed);
  });
}

Result<std::optional<feed::RequestId>> History::Impl::send(const exchange::RestQuery& query) {
  std::optional<feed::RequestId> request;
  loop.call([&] {
    const auto priority = query.kind == exchange::RestKind::server_time ? feed::Priority::live
                                                                        : feed::Priority::history;
    request = feed->ask(query, priority, driver->now());
    driver->rearm();
  });
  return request;
}

// The next thing told, or that nothing comes.
Told History::Impl::wait() {
  loop.call([this] {
    patience_timer = loop.after(patience, [this] {
      const auto status = feed->status(driver->now());
      told.try_push({.events = {},
                     .venue_time = {},
                     .error = Error{ErrorKind::transient,
                                    fmt::format("{} does not answer: {}", series.venue->name,
                                                status.last_error.empty() ? "no reason is known"
                                                                          : status.last_error)}});
    });
  });
  told.wait();
  loop.call([this] { patience_timer.cancel(); });
  auto next = told.pop_all({.items = 1, .weight = 64});
  return std::move(next.front());
}

History::History(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

History::~History() {
  impl_->loop.call([this] {
    impl_->patience_timer.cancel();
    impl_->feed.reset();
    impl_->driver.reset();
  });
  impl_->loop.stop();
  impl_->loop.join();
}

Result<std::unique_ptr<History>> History::open(const LoadedConfig& loaded, HistorySeries series) {
  auto impl = std::make_unique<Impl>(loaded, std::move(series));
  const Config& config = impl->config;
  auto folder = FolderLock::take(config.data_dir);
  if (folder) {
    impl->folder = std::move(*folder);
  } else if (!FolderLock::is_taken(config.data_dir)) {
    return fail(folder.error());
  }
  auto log = log::open_sqlite_log({.path = log_path(config)});
  if (!log) return fail(log.error());
  impl->log = std::move(*log);
  std::unique_ptr<History> history(new History(std::move(impl)));
  if (auto delivered = history->deliver(); !delivered) return fail(delivered.error());
  auto stored = open_for_reading(config);
  if (!stored) return fail(stored.error());
  history->impl_->warehouse = std::move(*stored);
  history->impl_->connect();
  exchange::RestQuery time_query;
  time_query.kind = exchange::RestKind::server_time;
  // Not every venue tells the time by REST; ours stands for it then.
  if (!history->impl_->series.venue->request(time_query)) return history;
  const auto asked =
      history->ask({&time_query, 1}, [](const auto&, const auto&) -> Result<void> { return {}; });
  if (!asked) return fail(asked.error());
  return history;
}

const HistorySeries& History::series() const {
  return impl_->series;
}

const Clock& History::clock() const {
  return impl_->clock;
}

warehouse::Database& History::warehouse() const {
  return *impl_->warehouse;
}

Progress& History::progress() const {
  return impl_->progress;
}

Time History::venue_time() const {
  return impl_->venue_time.value_or(impl_->clock.now());
}

Time History::certain_until() const {
  return open_of(impl_->series.timeframe,
                 venue_time() - pipeline::certainly_final_after(impl_->series.timeframe));
}

bool History::is_interrupted() const {
  return impl_->is_interrupted;
}

Result<void> History::ask(std::span<const exchange::RestQuery> queries, const Take& take) {
  std::map<feed::RequestId, const exchange::RestQuery*> under_way;
  std::size_t next = 0;
  while (!impl_->is_interrupted && (next < queries.size() || !under_way.empty())) {
    if (next < queries.size() && under_way.size() < requests_at_once) {
      const auto request = impl_->send(queries[next]);
      if (!request) return fail(request.error());
      if (!*request) {
        return fail(ErrorKind::rejected, "{} has no candle history", impl_->series.venue->name);
      }
      under_way.emplace(**request, &queries[next++]);
      continue;
    }
    const Told told = impl_->wait();
    if (told.is_interrupt) impl_->is_interrupted = true;
    if (told.error) return fail(*told.error);
    const auto answered = under_way.find(told.request);
    if (answered == under_way.end()) continue;
    if (told.venue_time) impl_->venue_time = told.venue_time;
    const exchange::RestQuery& query = *answered->second;
    under_way.erase(answered);
    if (auto taken = take(query, told.events); !taken) return taken;
  }
  return {};
}

exchange::RestQuery History::query_from(Time start) const {
  exchange::RestQuery query;
  query.kind = exchange::RestKind::candles;
  query.instrument = impl_->series.instrument;
  query.timeframe = impl_->series.timeframe;
  query.start = start;
  return query;
}

Time History::page_end(Time start) const {
  Time end = start;
  for (int i = 0; i < std::max(1, impl_->series.venue->limits.max_candles); ++i) {
    end = next_open(impl_->series.timeframe, end);
  }
  return end;
}

std::vector<exchange::RestQuery> History::pages_of(const pipeline::SpanSet& wanted,
                                                   Time end) const {
  std::vector<exchange::RestQuery> pages;
  for (Time page = impl_->series.start; page < end;) {
    const Time next = page_end(page);
    if (wanted.overlaps({page, next})) pages.push_back(query_from(page));
    page = next;
  }
  return pages;
}

Result<std::vector<query::CoverageSpan>> History::ledger(pipeline::Span span) const {
  return query::coverage(*impl_->warehouse,
                         {.exchange = impl_->series.instrument->exchange,
                          .symbol = impl_->series.instrument->symbol,
                          .timeframe = std::string(to_text(impl_->series.timeframe)),
                          .stream = "candles",
                          .start = span.from,
                          .end = span.to,
                          .limit = 1'000'000});
}

Result<void> History::append(std::span<const schema::Row> rows) {
  if (rows.empty()) return {};
  const auto appended = impl_->log->append(rows);
  if (!appended) return fail(appended.error());
  return {};
}

void History::append_assertion(std::vector<schema::Row>& rows, pipeline::Assertion assertion) {
  assertion.instrument = impl_->series.instrument;
  assertion.timeframe = impl_->series.timeframe;
  rows.push_back(pipeline::coverage_row(assertion, impl_->clock.now(), impl_->sequence));
}

Result<void> History::deliver() {
  if (!impl_->folder) return {};
  return write_to_warehouse(impl_->config, impl_->clock);
}

}  // namespace candlewick::app
