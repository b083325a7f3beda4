// Feeds, pipelines, rows.
#include "app/ingest.h"

#include <algorithm>
#include <set>

#include "app/observations.h"
#include "app/venue_line.h"
#include "exchange/registry.h"
#include "feed/sidecar.h"

namespace candlewick::app {

using namespace std::chrono_literals;

namespace {

constexpr Duration status_interval = 250ms;
constexpr Duration listings_interval = 1h;
constexpr Duration retry_interval = 50ms;
constexpr std::string_view paused_words =
    "paused: the log's disk budget is used up (log.disk_budget_mib)";

bool knows_a_list(const Catalogue& catalogue) {
  bool knows = false;
  catalogue.each([&](const Instrument& instrument) { knows = knows || instrument.listed; });
  return knows;
}

}  // namespace

Ingest::Ingest(Parts parts) : parts_(parts) {}
Ingest::~Ingest() {
  *alive_ = false;
}

Result<void> Ingest::prepare(const Wanted& wanted, warehouse::Database* memory) {
  for (const auto& name : wanted.exchanges) {
    const bool is_there =
        std::ranges::any_of(lines_, [&](const auto& line) { return line->name() == name; });
    if (is_there) continue;
    auto line = make_line(name, wanted, memory);
    if (!line) return fail(line.error());
    lines_.push_back(std::move(*line));
  }
  wanted_ = wanted;
  publish_followed();
  return prepare_assets(memory);
}

Result<void> Ingest::prepare_assets(warehouse::Database* memory) {
  if (!parts_.config.coingecko.enabled) return {};
  std::set<std::string> names;
  for (const auto& line : lines_) {
    for (const auto* instrument : line->instruments) names.insert(instrument->base);
  }
  auto assets =
      Assets::make({.config = parts_.config,
                    .clock = parts_.clock,
                    .observer = parts_.observer,
                    .loop = parts_.loop,
                    .http = parts_.http,
                    .on_market =
                        [this](const std::string& asset, const fundamentals::MarketFacts& facts) {
                          for (auto& line : lines_) {
                            for (const auto* instrument : line->instruments) {
                              if (instrument->base != asset) continue;
                              line->pipeline->set_fundamentals(
                                  *instrument, {.market_cap = facts.market_cap,
                                                .circulating_supply = facts.circulating_supply});
                            }
                          }
                        },
                    .on_row = [this](schema::Row row) { on_row(std::move(row)); }},
                   {names.begin(), names.end()}, memory);
  if (!assets) return within("coingecko", std::move(assets.error()));
  assets_ = std::move(*assets);
  return {};
}

// With what it needs to be started; nothing of it runs yet.
Result<void> Ingest::make_pipeline(VenueLine& line) {
  const Config& config = parts_.config;
  if (!config.feed.record_dir.empty()) {
    auto recorder = feed::Recorder::open(
        {.folder = config.feed.record_dir,
         .venue = std::string(exchange::key_of(*line.venue)),
         .rotate_after = config.feed.record_rotate,
         .budget_bytes = static_cast<std::uint64_t>(config.feed.record_budget_mib) << 20},
        parts_.clock, parts_.observer);
    if (!recorder) return within("feed.record_dir", recorder.error());
    line.recorder = std::move(*recorder);
  }
  auto options = pipeline::options_for(*line.venue);
  options.timeframes = line.timeframes;
  options.history = std::max<Duration>(config.feed.backfill_horizon, 49h);
  options.snapshots.interval = config.fetch_interval;
  options.snapshots.ladder_levels = static_cast<std::size_t>(config.pipeline.ladder_levels);
  options.snapshots.correction_horizon =
      static_cast<std::size_t>(config.pipeline.correction_horizon_candles);
  options.audit.is_on = config.feed.audit;
  options.keep_trades = config.pipeline.keep_trades;
  options.book_check_interval = config.feed.book_check_interval;
  line.pipeline =
      std::make_unique<pipeline::VenuePipeline>(options, line.instruments, parts_.board, *this);
  return {};
}

void Ingest::start() {
  {
    const std::scoped_lock lock(changing_);
    is_closed_to_changes_ = false;
  }
  changes_ = std::make_unique<net::Loop>("changes");
  changes_->start();
  for (auto& line : lines_) start_line(*line);
  if (assets_ != nullptr) assets_->start();
  publish_status();
}

void Ingest::start_line(VenueLine& line) {
  const Config& config = parts_.config;
  feed::FeedOptions options;
  if (const auto urls = config.venues.find(exchange::key_of(*line.venue));
      urls != config.venues.end() && !line.bridged) {
    options.rest_url = urls->second.base_url;
    options.ws_url = urls->second.ws_url;
  }
  options.silence_limit = config.feed.silence_limit;
  options.budget_share = static_cast<double>(config.feed.request_budget_percent) / 100.0;
  options.seed = static_cast<std::uint64_t>(to_ns(parts_.clock.now()));
  line.driver = link_of(line, options.seed);
  line.feed =
      std::make_unique<feed::VenueFeed>(*line.venue, *line.catalogue, options, *line.driver,
                                        *line.pipeline, parts_.observer, line.recorder.get());
  line.driver->attach(*line.feed);
  line.pipeline->connect([this, &line](const exchange::RestQuery& query, feed::Priority priority) {
    return line.feed->ask(query, priority, line.driver->now());
  });
  line.pipeline->connect_subscriptions([&line](const exchange::Channel& channel) {
    line.feed->subscribe_again(channel, line.driver->now());
  });
  std::vector<exchange::Channel> channels;
  for (const auto* instrument : line.instruments) {
    auto its = channels_of(line, *instrument);
    channels.insert(channels.end(), its.begin(), its.end());
  }
  line.feed->ask({.kind = exchange::RestKind::server_time}, feed::Priority::live,
                 line.driver->now());
  ask_for_listings(line);
  if (is_paused_) line.feed->pause(paused_words, line.driver->now());
  line.feed->subscribe(std::move(channels), line.driver->now());
  line.driver->rearm();
}

std::vector<exchange::Channel> Ingest::channels_of(const VenueLine& line,
                                                   const Instrument& instrument) const {
  return exchange::usual_channels(*line.venue, instrument, line.timeframes,
                                  parts_.config.feed.trades || parts_.config.pipeline.keep_trades);
}

// Sockets, or the sidecar that speaks for the venue.
std::unique_ptr<feed::Link> Ingest::link_of(const VenueLine& line, std::uint64_t seed) {
  const Config& config = parts_.config;
  if (!line.bridged)
    return std::make_unique<feed::Driver>(parts_.loop, parts_.http, parts_.clock, config.ca_file);
  feed::SidecarOptions options;
  options.venue = line.venue->name;
  // It was there when the venue was prepared.
  if (auto child = sidecar_of(config, line.venue->name)) options.child = std::move(*child);
  options.seed = seed;
  return std::make_unique<feed::Sidecar>(parts_.loop, parts_.clock, parts_.observer,
                                         std::move(options));
}

// At once and then every hour: new listings and changes of status.
void Ingest::ask_for_listings(VenueLine& line) {
  if (line.driver == nullptr) return;
  line.pipeline->refresh_listings();
  ask_for_volumes(line);
  line.driver->rearm();
  listing_timers_.push_back(parts_.loop.after(listings_interval, [this, &line] {
    std::erase_if(listing_timers_, [](const net::Timer& timer) { return !timer.armed(); });
    ask_for_listings(line);
  }));
}

void Ingest::publish_status() {
  std::vector<feed::FeedStatus> all;
  std::vector<pipeline::PipelineStatistics> statistics;
  for (auto& line : lines_) {
    all.push_back(line->feed->status(line->driver->now()));
    statistics.push_back(line->pipeline->statistics());
    statistics.back().venue = exchange::key_of(*line->venue);
    if (line->listings_checked || !knows_a_list(*line->catalogue)) continue;
    line->listings_checked = true;
    line->knows_the_list = true;
    publish_followed();
    for (const auto* instrument : line->instruments) {
      if (instrument->listed) continue;
      std::string near;
      for (const auto& match : line->catalogue->near_matches(instrument->symbol)) {
        if (match != instrument->symbol) near += (near.empty() ? "near: " : ", ") + match;
      }
      parts_.observer.observe(symbol_not_listed, {{"venue", exchange::key_of(*line->venue)},
                                                  {"instrument", instrument->symbol},
                                                  {"error", near}});
    }
  }
  look_at_rules();
  status_.with([&](auto& status) { status = std::move(all); });
  statistics_.with([&](auto& known) { known = std::move(statistics); });
  const auto log = parts_.writer.statistics();
  obey_budget(log);
  if (log.is_failing && log.last_error) {
    parts_.observer.observe(log_failing, {{"error_kind", to_text(log.last_error->kind)},
                                          {"error", log.last_error->message}});
  }
  status_timer_ = parts_.loop.after(status_interval, [this] { publish_status(); });
}

// With stop_ingest nothing more is read from the venues while the log has no room: what is missed
// meanwhile is a hole like any other, named and fetched afterwards.
void Ingest::obey_budget(const log::WriterStatistics& log) {
  if (parts_.config.log.when_full != "stop_ingest") return;
  if (is_paused_ ? !log.size.has_room() : !log.size.is_full()) return;
  is_paused_ = !is_paused_;
  parts_.observer.observe(is_paused_ ? ingest_stopped : ingest_resumed,
                          {{"bytes", log.size.bytes}});
  for (auto& line : lines_) {
    if (is_paused_) {
      line->feed->pause(paused_words, line->driver->now());
    } else {
      line->feed->resume(line->driver->now());
    }
    line->driver->rearm();
  }
}

void Ingest::stop() {
  status_timer_.cancel();
  assets_.reset();
  listing_timers_.clear();
  for (auto& line : lines_) {
    if (line->feed) line->feed->stop();
    line->driver.reset();
    if (line->recorder) static_cast<void>(line->recorder->stop());
  }
  flush();
  retry_timer_.cancel();
}

std::vector<pipeline::PipelineStatistics> Ingest::pipelines() const {
  return statistics_.with([](const auto& statistics) { return statistics; });
}

std::vector<feed::FeedStatus> Ingest::feeds() const {
  return status_.with([](const auto& status) { return status; });
}

void Ingest::ask_for_volumes(VenueLine& line) {
  if (line.ranks()) line.awaits_volumes = line.feed->ask_for_tickers(line.driver->now());
}

void Ingest::on_event(const Event& event) {
  note_for_rules(event);
  if (intake_ != nullptr) intake_->on_event(event);
}

void Ingest::on_row(schema::Row row) {
  if (intake_ != nullptr) intake_->on_row(row);
  pending_.push_back(std::move(row));
  if (flush_is_posted_) return;
  // One offer for all that one turn of the loop made.
  flush_is_posted_ = true;
  parts_.loop.post([this, alive = alive_] {
    if (*alive) flush();
  });
}

void Ingest::flush() {
  flush_is_posted_ = false;
  if (pending_.empty()) return;
  const auto offered = parts_.writer.offer(std::move(pending_));
  if (offered == log::Offer::accepted) {
    pending_.clear();
    return;
  }
  if (offered == log::Offer::full)
    parts_.observer.observe(log_refuses, {{"rows", pending_.size()}});
  give_up_oldest();
  flush_is_posted_ = true;
  retry_timer_ = parts_.loop.after(retry_interval, [this] { flush(); });
}

void Ingest::give_up_oldest() {
  const auto limit = static_cast<std::size_t>(parts_.config.log.queue_rows);
  if (pending_.size() <= limit) return;
  const auto count = pending_.size() - limit;
  for (std::size_t i = 0; i < count; ++i) {
    for (auto& line : lines_) line->pipeline->forget(pending_[i]);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  parts_.observer.observe(rows_dropped, {{"rows", count}});
}

}  // namespace candlewick::app
