// History, page by page.
#include "app/backfill.h"

#include <csignal>
#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

#include "app/command.h"
#include "app/folder_lock.h"
#include "app/service.h"
#include "exchange/registry.h"
#include "feed/driver.h"
#include "log/sqlite_log.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "pipeline/rows.h"
#include "query/candles.h"
#include "sink/delivery.h"
#include "sink/registry.h"
#include "warehouse/database.h"

namespace candlewick::app {
namespace {

using namespace std::chrono_literals;

struct Wanted {
  const exchange::Venue& venue;
  const Instrument& instrument;
  Timeframe timeframe;
  Time start;
  std::optional<Time> end;
};

// The pages that lack candles, oldest first.
std::vector<Time> pages_to_fetch(const Wanted& wanted, Time end, warehouse::Database* stored) {
  std::vector<Time> pages;
  const auto per_page = static_cast<std::size_t>(wanted.venue.limits.max_candles);
  for (Time page = open_of(wanted.timeframe, wanted.start); page < end;) {
    Time next = page;
    std::size_t periods = 0;
    while (periods < per_page && next < end) {
      next = next_open(wanted.timeframe, next);
      ++periods;
    }
    std::size_t known = 0;
    if (stored != nullptr) {
      const auto candles = query::candles(*stored, {.exchange = wanted.instrument.exchange,
                                                    .symbol = wanted.instrument.symbol,
                                                    .timeframe = wanted.timeframe,
                                                    .start = page,
                                                    .end = next,
                                                    .limit = per_page,
                                                    .closed_only = true});
      if (candles) {
        known = static_cast<std::size_t>(std::ranges::count_if(
            *candles, [](const auto& candle) { return candle.source != "rollup"; }));
      }
    }
    if (known < periods) pages.push_back(page);
    page = next;
  }
  return pages;
}

class Backfiller final : public feed::FeedHandler {
 public:
  Backfiller(const Wanted& wanted, warehouse::Database* stored, log::Log& log, net::Loop& loop,
             const Clock& clock)
      : wanted_(wanted), stored_(stored), log_(log), loop_(loop), clock_(clock) {}

  void start(feed::VenueFeed& feed, feed::Driver& driver) {
    feed_ = &feed;
    driver_ = &driver;
    feed_->ask({.kind = exchange::RestKind::server_time}, feed::Priority::live, driver_->now());
    driver_->rearm();
  }

  void on_events(const Events& /*events*/) override {}
  void on_live(const std::vector<exchange::Channel>& /*channels*/) override {}
  void on_down(const std::vector<exchange::Channel>& /*channels*/,
               std::string_view /*reason*/) override {}

  void on_reply(feed::RequestId request, const Events& events) override {
    if (!end_) return plan();
    const auto asked = asked_.find(request);
    if (asked == asked_.end()) return;
    asked_.erase(asked);
    store(events);
    ++pages_done_;
    show_progress();
    next();
  }

  void on_request_refused(feed::RequestId /*request*/, const Error& error) override {
    error_ = error;
    loop_.stop();
  }

  const std::optional<Error>& error() const { return error_; }
  std::uint64_t rows() const { return rows_; }
  std::size_t pages() const { return pages_.size(); }

 private:
  void plan() {
    const Time now = feed_->venue_time().value_or(clock_.now());
    end_ = std::min(wanted_.end.value_or(now), open_of(wanted_.timeframe, now));
    pages_ = pages_to_fetch(wanted_, *end_, stored_);
    show_progress();
    next();
  }

  void next() {
    // A few at once: the feed's budget decides when each is sent.
    while (asked_.size() < 4 && next_page_ < pages_.size()) {
      exchange::RestQuery query;
      query.kind = exchange::RestKind::candles;
      query.instrument = &wanted_.instrument;
      query.timeframe = wanted_.timeframe;
      query.start = pages_[next_page_++];
      const auto request = feed_->ask(query, feed::Priority::history, driver_->now());
      if (!request) {
        error_ =
            Error{ErrorKind::rejected, fmt::format("{} has no candle history", wanted_.venue.name)};
        return loop_.stop();
      }
      asked_.emplace(*request, *query.start);
    }
    driver_->rearm();
    if (asked_.empty()) loop_.stop();
  }

  void store(const Events& events) {
    const Time now = feed_->venue_time().value_or(clock_.now());
    const Time stamp = clock_.now();
    Time newest = Time::min();
    for (const auto& event : events) {
      if (const auto* candle = std::get_if<Candle>(&event))
        newest = std::max(newest, candle->open_time);
    }
    std::vector<schema::Row> rows;
    for (const auto& event : events) {
      const auto* row = std::get_if<Candle>(&event);
      if (row == nullptr || row->open_time < wanted_.start || row->open_time >= *end_) continue;
      const Duration lag = std::max<Duration>(2min, 2 * length_of(wanted_.timeframe));
      const bool is_final =
          row->end_time() <= now && (row->open_time < newest || row->end_time() + lag <= now);
      if (!is_final) continue;
      Candle candle = *row;
      candle.is_closed = true;
      rows.push_back(pipeline::candle_row(candle, stamp));
    }
    if (rows.empty()) return;
    rows_ += rows.size();
    if (auto appended = log_.append(rows); !appended) {
      error_ = appended.error();
      loop_.stop();
    }
  }

  void show_progress() const {
    if (isatty(STDERR_FILENO) != 1) return;
    constexpr std::size_t width = 40;
    const std::size_t filled = pages_.empty() ? width : pages_done_ * width / pages_.size();
    fmt::print(stderr, "\r[{}{}] {}/{} requests, {} candles\033[K", std::string(filled, '#'),
               std::string(width - filled, '.'), pages_done_, pages_.size(), rows_);
    if (pages_done_ == pages_.size()) fmt::print(stderr, "\n");
    std::fflush(stderr);
  }

  const Wanted& wanted_;
  warehouse::Database* stored_;
  log::Log& log_;
  net::Loop& loop_;
  const Clock& clock_;
  feed::VenueFeed* feed_ = nullptr;
  feed::Driver* driver_ = nullptr;
  std::optional<Time> end_;
  std::vector<Time> pages_;
  std::size_t next_page_ = 0;
  std::size_t pages_done_ = 0;
  std::map<feed::RequestId, Time> asked_;
  std::uint64_t rows_ = 0;
  std::optional<Error> error_;
};

Result<void> write_to_warehouse(const Config& config, const Clock& clock) {
  sink::Settings settings;
  settings.clock = &clock;
  settings.values["path"] = warehouse_path(config).string();
  settings.values["symbol_style"] = config.sink.symbol_style;
  auto target = sink::find_sink("sqlite")->make(settings);
  if (!target) return fail(target.error());
  auto source = log::open_sqlite_log({.path = log_path(config)});
  if (!source) return fail(source.error());
  sink::Delivery delivery(std::move(*target), std::move(*source), clock);
  return delivery.drain();
}

}  // namespace

int backfill(const LoadedConfig& loaded, const BackfillOptions& options) {
  const Config& config = loaded.config;
  const auto venue = venue_named(options.exchange);
  if (!venue) return report(venue.error());
  const auto catalogue = exchange::make_catalogue(**venue);
  const auto instrument = instrument_named(**venue, *catalogue, options.symbol);
  if (!instrument) return report(instrument.error());
  const auto timeframe = parse_timeframe(options.timeframe);
  if (!timeframe)
    return report({ErrorKind::misconfigured, "--timeframe: " + timeframe.error().message});
  const auto start = parse_time(options.start);
  if (!start) return report({ErrorKind::misconfigured, "--start: " + start.error().message});
  Wanted wanted{.venue = **venue,
                .instrument = **instrument,
                .timeframe = *timeframe,
                .start = *start,
                .end = {}};
  if (!options.end.empty()) {
    const auto end = parse_time(options.end);
    if (!end) return report({ErrorKind::misconfigured, "--end: " + end.error().message});
    if (*end <= *start) return report({ErrorKind::misconfigured, "--end: is not after --start"});
    wanted.end = *end;
  }

  const RealClock clock;
  LogObserver observer(clock, {.level = Severity::warning, .secrets = config.secrets()});
  auto folder = FolderLock::take(config.data_dir);
  const bool service_runs = !folder && FolderLock::is_taken(config.data_dir);
  if (!folder && !service_runs) return report(folder.error());
  auto log = log::open_sqlite_log({.path = log_path(config)});
  if (!log) return report(log.error());
  if (!service_runs) {
    if (auto written = write_to_warehouse(config, clock); !written) return report(written.error());
  }
  auto stored = warehouse::open_sqlite_for_reading(warehouse_path(config));
  if (!stored) return report(stored.error());

  net::HttpClient http({.ca_file = config.ca_file, .user_agent = "candlewick/0.1.0"});
  net::Loop loop("backfill");
  bool interrupted = false;
  loop.on_signals({SIGINT, SIGTERM}, [&](int) {
    interrupted = true;
    loop.stop();
  });
  Backfiller backfiller(wanted, stored->get(), **log, loop, clock);
  feed::FeedOptions feed_options;
  if (const auto urls = config.venues.find(options.exchange); urls != config.venues.end())
    feed_options.rest_url = urls->second.base_url;
  feed_options.budget_share = static_cast<double>(config.feed.request_budget_percent) / 100.0;
  feed_options.seed = static_cast<std::uint64_t>(to_ns(clock.now()));
  feed::Driver driver(loop, http, clock, config.ca_file);
  feed::VenueFeed feed(**venue, *catalogue, feed_options, driver, backfiller, observer);
  driver.attach(feed);
  loop.post([&] { backfiller.start(feed, driver); });
  loop.run();
  if (backfiller.error()) return report(*backfiller.error());
  if (!service_runs) {
    if (auto written = write_to_warehouse(config, clock); !written) return report(written.error());
  }
  fmt::print(stderr, "candlewick: {} candles of {} {} {} from {} requests{}\n", backfiller.rows(),
             options.exchange, (*instrument)->symbol, options.timeframe, backfiller.pages(),
             interrupted ? ", interrupted; run it again to go on" : "");
  return interrupted ? failed : done;
}

}  // namespace candlewick::app
