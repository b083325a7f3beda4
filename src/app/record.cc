// A feed whose frames are kept and not looked at further.
#include "app/record.h"

#include <csignal>

#include <fmt/format.h>

#include "app/command.h"
#include "exchange/registry.h"
#include "feed/driver.h"
#include "feed/recorder.h"
#include "net/http_client.h"
#include "net/loop.h"

namespace candlewick::app {
namespace {

// What comes is on disk already. A book needs its snapshot in the recording too, once a connection.
class Snapshots final : public feed::FeedHandler {
 public:
  void connect(feed::VenueFeed& feed, feed::Driver& driver) {
    feed_ = &feed;
    driver_ = &driver;
  }
  void on_events(const Events& events) override { events_ += events.size(); }
  void on_reply(feed::RequestId /*request*/, const Events& /*events*/) override {}
  void on_request_refused(feed::RequestId /*request*/, const Error& /*error*/) override {}
  void on_live(const std::vector<exchange::Channel>& channels) override {
    for (const auto& channel : channels) {
      if (channel.kind != exchange::ChannelKind::book) continue;
      exchange::RestQuery query;
      query.kind = exchange::RestKind::depth;
      query.instrument = channel.instrument;
      query.limit = 1000;
      feed_->ask(query, feed::Priority::live, driver_->now());
    }
    driver_->rearm();
  }
  void on_down(const std::vector<exchange::Channel>& /*channels*/,
               std::string_view /*reason*/) override {}
  std::uint64_t events() const { return events_; }

 private:
  feed::VenueFeed* feed_ = nullptr;
  feed::Driver* driver_ = nullptr;
  std::uint64_t events_ = 0;
};

}  // namespace

int record(const LoadedConfig& loaded, const RecordOptions& options) {
  const Config& config = loaded.config;
  const auto venue = venue_named(options.exchange);
  if (!venue) return report(venue.error());
  const auto catalogue = exchange::make_catalogue(**venue);
  std::vector<exchange::Channel> channels;
  using enum exchange::ChannelKind;
  for (const auto& symbol : options.symbols) {
    const auto instrument = instrument_named(**venue, *catalogue, symbol);
    if (!instrument) return report(instrument.error());
    const auto usual_trades = exchange::has_channel(**venue, trades) ? trades : aggregate_trades;
    for (const auto kind : {candles, usual_trades, quotes, book, ticker, derivative}) {
      if (exchange::has_channel(**venue, kind))
        channels.push_back({.kind = kind, .timeframe = Timeframe::m1, .instrument = *instrument});
    }
  }
  Duration length{};
  if (!options.for_time.empty()) {
    const auto parsed = parse_duration(options.for_time);
    if (!parsed) return report({ErrorKind::misconfigured, "--for: " + parsed.error().message});
    length = *parsed;
  }
  const RealClock clock;
  LogObserver observer(clock, {.level = Severity::info, .secrets = config.secrets()});
  auto recorder =
      feed::Recorder::open({.file = options.output, .venue = options.exchange}, clock, observer);
  if (!recorder) return report(recorder.error());

  net::HttpClient http({.ca_file = config.ca_file, .user_agent = "candlewick/0.1.0"});
  net::Loop loop("record");
  loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.stop(); });
  net::Timer end;
  if (length > Duration{0}) end = loop.after(length, [&] { loop.stop(); });
  Snapshots handler;
  feed::FeedOptions feed_options;
  if (const auto urls = config.venues.find(exchange::key_of(**venue));
      urls != config.venues.end()) {
    feed_options.rest_url = urls->second.base_url;
    feed_options.ws_url = urls->second.ws_url;
  }
  feed_options.seed = static_cast<std::uint64_t>(to_ns(clock.now()));
  feed::Driver driver(loop, http, clock, config.ca_file);
  feed::VenueFeed feed(**venue, *catalogue, feed_options, driver, handler, observer,
                       recorder->get());
  driver.attach(feed);
  handler.connect(feed, driver);
  loop.post([&] {
    feed.subscribe(std::move(channels), driver.now());
    driver.rearm();
  });
  loop.run();
  feed.stop();
  if (auto stopped = (*recorder)->stop(); !stopped) return report(stopped.error());
  const auto statistics = (*recorder)->statistics();
  fmt::print(stderr, "candlewick: {} frames into {} ({} dropped)\n", statistics.frames,
             options.output, statistics.dropped);
  return statistics.dropped == 0 && statistics.last_error.empty() ? done : failed;
}

}  // namespace candlewick::app
