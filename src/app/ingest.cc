// Feeds, pipelines, rows.
#include "app/ingest.h"

#include <algorithm>
#include <set>

#include "app/bridge.h"
#include "app/command.h"
#include "app/observations.h"
#include "exchange/registry.h"
#include "feed/sidecar.h"
#include "query/candles.h"
#include "query/checkpoint.h"
#include "query/coverage.h"
#include "query/snapshots.h"

namespace candlewick::app {

using namespace std::chrono_literals;

namespace {

constexpr Duration status_interval = 250ms;
constexpr Duration listings_interval = 1h;
constexpr Duration retry_interval = 50ms;

Result<std::vector<Timeframe>> timeframes_of(const Config& config, const exchange::Venue& venue) {
  std::vector<Timeframe> timeframes;
  for (const auto& text : config.timeframes) {
    const auto timeframe = parse_timeframe(text);
    if (!timeframe)
      return fail(ErrorKind::misconfigured, "timeframes: {}", timeframe.error().message);
    if (std::ranges::find(venue.timeframes, *timeframe) == venue.timeframes.end()) {
      return fail(ErrorKind::misconfigured, "timeframes: {} has no candles of {}", venue.name,
                  text);
    }
    timeframes.push_back(*timeframe);
  }
  return timeframes;
}

Candle candle_of(const query::Candle& stored, const Instrument& instrument, Timeframe timeframe) {
  Candle candle;
  candle.origin.instrument = &instrument;
  candle.timeframe = timeframe;
  candle.open_time = stored.timestamp;
  candle.open = stored.open;
  candle.high = stored.high;
  candle.low = stored.low;
  candle.close = stored.close;
  candle.volume = stored.volume;
  candle.quote_volume = stored.quote_volume;
  if (stored.trade_count) candle.trade_count = static_cast<std::uint64_t>(*stored.trade_count);
  candle.taker_buy_volume = stored.taker_buy_volume;
  candle.taker_buy_quote_volume = stored.taker_buy_quote_volume;
  candle.is_closed = true;
  candle.source = parse_source(stored.source).value_or(Source::rest);
  candle.revision = static_cast<std::int32_t>(stored.revision);
  return candle;
}

}  // namespace

struct Ingest::VenueLine {
  std::unique_ptr<exchange::ccxt::BridgedVenue> bridged;  // null: a native one
  const exchange::Venue* venue = nullptr;
  std::unique_ptr<Catalogue> catalogue;
  std::vector<const Instrument*> instruments;
  std::vector<Timeframe> timeframes;
  std::unique_ptr<feed::Recorder> recorder;
  std::unique_ptr<pipeline::VenuePipeline> pipeline;
  std::unique_ptr<feed::Link> driver;
  std::unique_ptr<feed::VenueFeed> feed;
  bool listings_checked = false;
};

Ingest::Ingest(Parts parts) : parts_(parts) {}
Ingest::~Ingest() {
  *alive_ = false;
}

Result<void> Ingest::prepare(warehouse::Database* memory) {
  for (const auto& name : parts_.config.exchanges) {
    std::unique_ptr<exchange::ccxt::BridgedVenue> bridged;
    if (exchange::ccxt::is_bridged(name)) {
      auto made = bridged_venue(parts_.config, name);
      if (!made) return fail(made.error());
      bridged = std::move(*made);
    }
    const auto* venue = bridged ? &bridged->venue() : exchange::find_venue(name);
    if (venue == nullptr) {
      return fail(ErrorKind::misconfigured, "exchanges: there is no venue \"{}\" (there are {})",
                  name, exchange::venue_names());
    }
    if (auto prepared = prepare_venue(*venue, memory); !prepared) return prepared;
    lines_.back()->bridged = std::move(bridged);
  }
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

Result<void> Ingest::prepare_venue(const exchange::Venue& venue, warehouse::Database* memory) {
  const Config& config = parts_.config;
  auto line = std::make_unique<VenueLine>();
  line->venue = &venue;
  line->catalogue = exchange::make_catalogue(venue);
  for (const auto& symbol : config.symbols) {
    const auto instrument = instrument_named(venue, *line->catalogue, symbol);
    if (!instrument)
      return fail(ErrorKind::misconfigured, "symbols: {} has no \"{}\"", venue.name, symbol);
    if (std::ranges::find(line->instruments, *instrument) == line->instruments.end())
      line->instruments.push_back(*instrument);
  }
  const auto timeframes = timeframes_of(config, venue);
  if (!timeframes) return fail(timeframes.error());
  line->timeframes = *timeframes;
  if (std::ranges::find(line->timeframes, Timeframe::m1) == line->timeframes.end()) {
    line->timeframes.insert(line->timeframes.begin(), Timeframe::m1);
  }
  if (!config.feed.record_dir.empty()) {
    auto recorder = feed::Recorder::open(
        {.folder = config.feed.record_dir,
         .venue = std::string(venue.name),
         .rotate_after = config.feed.record_rotate,
         .budget_bytes = static_cast<std::uint64_t>(config.feed.record_budget_mib) << 20},
        parts_.clock, parts_.observer);
    if (!recorder) return within("feed.record_dir", recorder.error());
    line->recorder = std::move(*recorder);
  }
  auto options = pipeline::options_for(venue);
  options.timeframes = line->timeframes;
  options.history = std::max<Duration>(config.feed.backfill_horizon, 49h);
  options.snapshots.interval = config.fetch_interval;
  options.snapshots.ladder_levels = static_cast<std::size_t>(config.pipeline.ladder_levels);
  options.snapshots.correction_horizon =
      static_cast<std::size_t>(config.pipeline.correction_horizon_candles);
  options.audit.is_on = config.feed.audit;
  options.book_check_interval = config.feed.book_check_interval;
  line->pipeline =
      std::make_unique<pipeline::VenuePipeline>(options, line->instruments, parts_.board, *this);
  if (memory != nullptr) {
    if (auto remembered = remember(*line, *memory); !remembered) return remembered;
  }
  lines_.push_back(std::move(line));
  return {};
}

// Those that a correction may still change.
Result<void> Ingest::remember_indicators(warehouse::Database& memory, const Instrument& instrument,
                                         pipeline::Memory& known) const {
  query::SnapshotQuery rows{
      .exchange = instrument.exchange,
      .symbol = instrument.symbol,
      .limit = static_cast<std::size_t>(parts_.config.pipeline.correction_horizon_candles),
      .order = query::Order::descending};
  auto indicators = query::indicators(memory, rows);
  if (!indicators) return fail(indicators.error());
  std::ranges::reverse(*indicators);
  known.indicators = std::move(*indicators);
  return {};
}

Result<void> Ingest::remember_coverage(warehouse::Database& memory, const Instrument& instrument,
                                       Timeframe timeframe, pipeline::Memory& known) const {
  auto spans = query::coverage(memory, {.exchange = instrument.exchange,
                                        .symbol = instrument.symbol,
                                        .timeframe = std::string(to_text(timeframe))});
  if (!spans) return fail(spans.error());
  for (const auto& span : *spans) {
    known.coverage_sequence = std::max(known.coverage_sequence, span.seq);
    const auto state = pipeline::parse_coverage_state(span.state);
    if (!state || span.stream != to_text(Stream::candles)) continue;
    if (span.cause == pipeline::cause::before_start)
      known.followed_since = std::max(known.followed_since.value_or(span.to), span.to);
    // Only what may still be asked for matters.
    const Time from =
        known.candles.empty() ? span.from : std::max(span.from, known.candles.front().open_time);
    if (from < span.to) known.coverage.push_back({{from, span.to}, *state});
  }
  return {};
}

Result<void> Ingest::remember(VenueLine& line, warehouse::Database& memory) {
  for (const auto* instrument : line.instruments) {
    for (const auto timeframe : line.timeframes) {
      const auto needed =
          static_cast<std::size_t>(std::max<Duration>(parts_.config.feed.backfill_horizon, 49h) /
                                   length_of(timeframe)) +
          static_cast<std::size_t>(parts_.config.pipeline.correction_horizon_candles);
      pipeline::Memory known;
      auto candles = query::candles(memory, {.exchange = instrument->exchange,
                                             .symbol = instrument->symbol,
                                             .timeframe = timeframe,
                                             .limit = std::min<std::size_t>(needed, 10'000),
                                             .order = query::Order::descending,
                                             .closed_only = true});
      if (!candles) return fail(candles.error());
      for (auto stored = candles->rbegin(); stored != candles->rend(); ++stored) {
        if (stored->source != "rollup")
          known.candles.push_back(candle_of(*stored, *instrument, timeframe));
      }
      auto checkpoint =
          query::checkpoint(memory, instrument->exchange, instrument->symbol, to_text(timeframe));
      if (!checkpoint) return fail(checkpoint.error());
      if (*checkpoint) known.checkpoint = (*checkpoint)->state;
      const query::SnapshotQuery newest{
          .exchange = instrument->exchange, .symbol = instrument->symbol, .limit = 1};
      auto ticks = query::latest_ticks(memory, newest);
      if (!ticks) return fail(ticks.error());
      if (!ticks->empty()) known.tick = std::move(ticks->front());
      if (timeframe == Timeframe::m1) {
        auto covered = remember_indicators(memory, *instrument, known);
        if (!covered) return covered;
      }
      if (auto covered = remember_coverage(memory, *instrument, timeframe, known); !covered)
        return covered;
      if (auto remembered = line.pipeline->remember(*instrument, timeframe, std::move(known));
          !remembered)
        return remembered;
    }
  }
  return {};
}

void Ingest::start() {
  for (auto& line : lines_) {
    const Config& config = parts_.config;
    feed::FeedOptions options;
    if (const auto urls = config.venues.find(line->venue->name);
        urls != config.venues.end() && !line->bridged) {
      options.rest_url = urls->second.base_url;
      options.ws_url = urls->second.ws_url;
    }
    options.silence_limit = config.feed.silence_limit;
    options.budget_share = static_cast<double>(config.feed.request_budget_percent) / 100.0;
    options.seed = static_cast<std::uint64_t>(to_ns(parts_.clock.now()));
    line->driver = link_of(*line, options.seed);
    line->feed =
        std::make_unique<feed::VenueFeed>(*line->venue, *line->catalogue, options, *line->driver,
                                          *line->pipeline, parts_.observer, line->recorder.get());
    line->driver->attach(*line->feed);
    VenueLine& venue_line = *line;
    line->pipeline->connect(
        [this, &venue_line](const exchange::RestQuery& query, feed::Priority priority) {
          return venue_line.feed->ask(query, priority, venue_line.driver->now());
        });
    line->pipeline->connect_subscriptions([&venue_line](const exchange::Channel& channel) {
      venue_line.feed->subscribe_again(channel, venue_line.driver->now());
    });
    std::vector<exchange::Channel> channels;
    for (const auto* instrument : line->instruments) {
      const auto of_instrument =
          exchange::usual_channels(*line->venue, *instrument, line->timeframes, config.feed.trades);
      channels.insert(channels.end(), of_instrument.begin(), of_instrument.end());
    }
    line->feed->ask({.kind = exchange::RestKind::server_time}, feed::Priority::live,
                    line->driver->now());
    ask_for_listings(*line);
    line->feed->subscribe(std::move(channels), line->driver->now());
    line->driver->rearm();
  }
  if (assets_ != nullptr) assets_->start();
  publish_status();
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
  line.pipeline->refresh_listings();
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
    statistics.back().venue = line->venue->name;
    if (line->listings_checked || line->catalogue->size() <= line->instruments.size()) continue;
    line->listings_checked = true;
    for (const auto* instrument : line->instruments) {
      if (instrument->listed) continue;
      std::string near;
      for (const auto& match : line->catalogue->near_matches(instrument->symbol)) {
        if (match != instrument->symbol) near += (near.empty() ? "near: " : ", ") + match;
      }
      parts_.observer.observe(
          symbol_not_listed,
          {{"venue", line->venue->name}, {"instrument", instrument->symbol}, {"error", near}});
    }
  }
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
      line->feed->pause("paused: the log's disk budget is used up (log.disk_budget_mib)",
                        line->driver->now());
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

void Ingest::on_row(schema::Row row) {
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
