// A feed and a pipeline against a simulated venue that misbehaves by a random schedule, in one
// thread, on a clock of their own: no sockets, no waiting. When the trouble has ended, every closed
// minute must be what the venue says it was, stored once, whatever happened on the way.
//
// Every venue that is simulated is put through it: what a venue's frames can prove differs, what
// the warehouse holds in the end does not.
//
//   CANDLEWICK_TEST_SCHEDULES=1000 faults_test        more schedules
//   CANDLEWICK_TEST_SEED=17 CANDLEWICK_TEST_SCHEDULES=1 faults_test      the one that failed
//   faults_test --gtest_filter='*/kraken'             one venue
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "base/check.h"
#include "base/clock.h"
#include "exchange/registry.h"
#include "feed/venue_feed.h"
#include "indicator/registry.h"
#include "pipeline/venue_pipeline.h"
#include "simulator/synthetic_market.h"
#include "simulator/venue_core.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

// 2026-01-15T12:00:00Z
constexpr Time start = time_from_ms(1'768'478'400'000);
constexpr Duration recovery = 8min;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The first venue is put through most: what all have in common shows there.
std::uint64_t default_schedules(std::string_view venue) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return venue == "binance" ? 20 : 4;
#else
  return venue == "binance" ? 500 : 50;
#endif
}

// Everything of one schedule comes from its seed.
struct Schedule {
  // `needs_rest`: without REST the venue does not say where to connect.
  Schedule(std::uint64_t seed, bool needs_rest) : random(seed * 2'654'435'761U + 1) {
    faults = fmt::format("seed={}", seed + 1);
    const auto maybe = [&](double likelihood, std::string_view key, double most) {
      if (chance(likelihood)) faults += fmt::format(",{}={:.4f}", key, most * unit());
    };
    maybe(0.7, "drop", 0.3);
    maybe(0.7, "double", 0.3);
    maybe(0.7, "reorder", 0.3);
    maybe(0.7, "truncate", 0.2);
    maybe(0.4, "unclosed", 0.8);
    maybe(0.5, "429", 0.3);
    maybe(0.2, "418", 0.1);
    maybe(0.5, "5xx", chance(0.3) ? 0.98 : 0.4);
    maybe(0.4, "silent", 0.02);
    maybe(0.3, "refuse", 0.7);
    if (chance(0.5))
      faults += fmt::format(",delay={}ms:{:.4f}", 50 + random() % 5000, 0.3 * unit());
    if (chance(0.5)) faults += fmt::format(",disconnect={}s", 5 + random() % 200);
    if (chance(0.4)) faults += fmt::format(",lag={}ms", random() % 8000);
    if (chance(0.3))
      faults += fmt::format(",skew={}ms", static_cast<std::int64_t>(random() % 6000) - 3000);
    if (chance(0.3)) faults += fmt::format(",outage={}s+{}s", random() % 400, 5 + random() % 120);
    pings_of_the_silent = chance(0.5);
    loses_replies = chance(0.5) ? 0.2 * unit() : 0.0;
    cuts_replies = chance(0.5) ? 0.2 * unit() : 0.0;
    announces_shutdown_at =
        chance(0.3) ? std::chrono::milliseconds{random() % 600'000} : Duration::max();
    begins_in_trouble = chance(0.5);
    has_tops = chance(0.15);
    activity = chance(0.5) ? 0.1 : 0.5;
    has_trades = chance(0.3);
    has_book = chance(0.15);
    if (chance(0.02)) {
      trouble = 80min;
      faults += fmt::format(",outage={}s+3600s", 60 + random() % 600);
    }
    if (chance(0.2)) faults += fmt::format(",unfinal={}ms:{:.2f}", random() % 1500, unit());
    if (chance(0.2))
      faults += fmt::format(",jump={}s+{}", 100 + random() % 500, 1 + random() % 1000);
    if (chance(0.2))
      faults += fmt::format(",blackout={}s+{}s", 100 + random() % 400, 30 + random() % 600);
    heals = !chance(0.1) || needs_rest;
    if (!heals) faults += ",5xx=1";
  }
  double unit() { return std::uniform_real_distribution<double>(0.0, 1.0)(random); }
  bool chance(double likelihood) { return unit() < likelihood; }

  std::mt19937_64 random;
  std::string faults;
  bool pings_of_the_silent = false;  // a venue may go on pinging where nothing else comes
  double loses_replies = 0.0;
  double cuts_replies = 0.0;
  Duration announces_shutdown_at{};
  bool begins_in_trouble = false;  // while history is read
  bool has_tops = false;
  bool has_trades = false;
  bool has_book = false;
  Duration trouble = 10min;
  bool heals = true;      // REST never answers again otherwise
  double activity = 0.1;  // of the market: a quiet one is silent for minutes
};

class World final : public feed::Port, public pipeline::PipelineOutput {
 public:
  World(Schedule& schedule, const exchange::Venue& venue)
      : schedule_(schedule),
        venue_(venue),
        core_({.venue = std::string(exchange::key_of(venue)),
               .market = make_market(),
               .start = start,
               .speed = "1"}),
        catalogue_(exchange::make_catalogue(venue_)),
        instruments_{instrument_of("BTC/USDT"), instrument_of("ETH/BTC")},
        pipeline_(pipeline_options(), instruments_, board_, *this),
        feed_(venue_, *catalogue_,
              {.rest_url = "http://sim",
               .ws_url = "ws://sim",
               .budget_share = 0.9,
               .seed = schedule.random()},
              *this, pipeline_, observer_) {
    pipeline_.connect([this](const exchange::RestQuery& query, feed::Priority priority) {
      return feed_.ask(query, priority, now());
    });
    pipeline_.connect_subscriptions(
        [this](const exchange::Channel& channel) { feed_.subscribe_again(channel, now()); });
  }

  void begin() {
    std::vector<exchange::Channel> channels;
    using enum exchange::ChannelKind;
    const bool has_small_ticker = exchange::has_channel(venue_, mini_ticker);
    for (const auto* instrument : instruments_) {
      const auto add = [&](exchange::ChannelKind kind) {
        if (exchange::has_channel(venue_, kind))
          channels.push_back({.kind = kind, .instrument = instrument});
      };
      add(candles);
      add(has_small_ticker ? mini_ticker : ticker);
      if (schedule_.has_trades || !exchange::has_channel(venue_, candles)) add(trades);
      if (schedule_.has_book) add(book);
      if (!schedule_.has_tops) continue;
      add(ladder);
      add(quotes);
    }
    feed_.ask({.kind = exchange::RestKind::server_time}, feed::Priority::live, now());
    feed_.subscribe(std::move(channels), now());
  }
  void change_faults(const std::string& text) {
    const auto changed = core_.change_faults(text);
    ASSERT_TRUE(changed) << changed.error().message;
  }
  void announce_shutdown() { core_.announce_shutdown(); }

  // Runs until that time, from one thing that happens to the next.
  void run_until(Time end) {
    for (int idle = 0; clock_.now() < end; ++idle) {
      // Whoever wants to be woken must have something to do.
      ASSERT_LT(idle, 10'000) << "time stands still at " << to_rfc3339(clock_.now());
      Time next = end;
      if (const auto event = core_.next_event()) next = std::min(next, *event);
      if (const auto wake = feed_.next_wake())
        next = std::min(next, clock_.now() + (*wake - clock_.steady()));
      if (!due_.empty()) next = std::min(next, due_.begin()->first);
      next = std::min(next, next_ping_);
      if (next > clock_.now()) idle = 0;
      clock_.advance(std::max<Duration>(next - clock_.now(), 0ns));
      deliver(core_.advance_to(clock_.now()));
      while (!due_.empty() && due_.begin()->first <= clock_.now()) {
        auto task = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        task();
      }
      if (clock_.now() >= next_ping_) ping();
      if (const auto wake = feed_.next_wake(); wake && *wake <= clock_.steady())
        feed_.on_tick(now());
    }
  }

  void open(feed::ConnectionId connection, const std::string& url) override {
    wanted_.insert(connection);
    later(30ms, [this, connection, url] { connect(connection, url); });
  }
  void send(feed::ConnectionId connection, std::string message) override {
    const auto session = sessions_.find(connection);
    if (session == sessions_.end()) return;
    // On its way, so that the answers come in their place among all that the venue sends.
    later(10ms, [this, session = session->second, message = std::move(message)] {
      deliver(core_.receive(session, message, clock_.steady()));
    });
  }
  void close(feed::ConnectionId connection) override {
    wanted_.erase(connection);
    const auto session = sessions_.find(connection);
    if (session == sessions_.end()) return;
    core_.close(session->second);
    connections_.erase(session->second);
    sessions_.erase(session);
  }
  void request(feed::RequestId request, const std::string& url,
               const exchange::RestRequest& rest) override {
    ++requests;
    later(20ms + schedule_.random() % 400 * 1ms,
          [this, request, url, rest] { answer(request, url, rest); });
  }

  void on_row(schema::Row row) override { rows.push_back(std::move(row)); }

  feed::Moment now() const { return {clock_.steady(), clock_.now()}; }
  const exchange::Venue& venue() const { return venue_; }
  simulator::VenueCore& core() { return core_; }
  pipeline::VenuePipeline& pipeline() { return pipeline_; }
  feed::FeedStatus status() { return feed_.status(now()); }
  const std::vector<const Instrument*>& instruments() const { return instruments_; }

  std::vector<schema::Row> rows;
  std::size_t requests = 0;
  // Did the stream bring that minute, as far as this venue's stream can?
  bool came_live(const Instrument& instrument, Time open) {
    auto& market = core_.market();
    const auto row =
        market.row(*market.find(instrument.exchange_symbol), Timeframe::m1, open, open + 2min);
    switch (venue_.candle_stream) {
      case exchange::CandleStream::flagged:
        return closed_.contains({&instrument, open});
      case exchange::CandleStream::forming: {
        const auto told = told_.find({&instrument, open});
        return told != told_.end() && row && told->second.close == row->bar.close &&
               told->second.volume == row->bar.volume;
      }
      case exchange::CandleStream::none:
        break;
    }
    if (!row || row->bar.count == 0) return false;
    for (auto id = row->bar.first_id; id <= row->bar.last_id; ++id) {
      if (!traded_.contains({&instrument, id})) return false;
    }
    return true;
  }
  std::optional<BookUpdate> ladder(std::size_t index) const { return board_.read(index).ladder; }

 private:
  std::unique_ptr<simulator::Market> make_market() {
    auto market =
        simulator::SyntheticMarket::make({.exchange = std::string(exchange::key_of(venue_)),
                                          .seed = schedule_.random() % 1000,
                                          .start = start,
                                          .symbols = {"BTCUSDT", "ETHBTC"},
                                          .activity = schedule_.activity});
    check(market.has_value(), "the symbols are good");
    return *std::move(market);
  }
  const Instrument* instrument_of(std::string_view symbol) {
    auto& market = core_.market();
    const auto listing = market.resolve(symbol);
    check(listing.has_value(), "the symbol is listed");
    const auto& listed = market.listings()[*listing].instrument;
    const Instrument* instrument = catalogue_->find_or_infer(listed.exchange_symbol);
    check(instrument != nullptr && instrument->symbol == listed.symbol,
          "the venue's spelling is read");
    return instrument;
  }
  pipeline::PipelineOptions pipeline_options() const {
    auto options = pipeline::options_for(venue_);
    options.book_check_interval = 2min;
    return options;
  }
  void later(Duration by, std::function<void()> task) {
    due_.emplace(clock_.now() + by, std::move(task));
  }
  static simulator::Request request_of(const std::string& url, std::string_view method = "GET",
                                       std::string_view body = "") {
    return *simulator::make_request(method, std::string_view(url).substr(url.find("sim") + 3),
                                    body);
  }

  void connect(feed::ConnectionId connection, const std::string& url) {
    if (!wanted_.contains(connection)) return;
    auto opened = core_.open(request_of(url), clock_.steady());
    if (const auto* refusal = std::get_if<simulator::Reply>(&opened)) {
      wanted_.erase(connection);
      feed_.on_closed(connection, {.reason = "refused", .http_status = refusal->status}, now());
      return;
    }
    const auto session = std::get<simulator::SessionId>(opened);
    sessions_[connection] = session;
    connections_[session] = connection;
    witnesses_[connection] = {url, venue_.make_decoder(*catalogue_)};
    feed_.on_open(connection, now());
  }
  void deliver(const std::vector<simulator::Delivery>& deliveries) {
    for (const auto& delivery : deliveries) {
      const auto found = connections_.find(delivery.session);
      if (found == connections_.end()) continue;
      const auto connection = found->second;
      if (delivery.kind == simulator::Delivery::Kind::frame) {
        heard_[connection] = clock_.now();
        witness(connection, *delivery.text, delivery.is_binary);
        feed_.on_frame(connection, *delivery.text, delivery.is_binary, now());
        continue;
      }
      connections_.erase(found);
      sessions_.erase(connection);
      wanted_.erase(connection);
      feed_.on_closed(connection, {.reason = delivery.reason}, now());
    }
  }
  // What came by the stream, told by nothing of what is tested but the decoder.
  void witness(feed::ConnectionId connection, const std::string& text, bool is_binary) {
    auto& [url, decoder] = witnesses_.at(connection);
    Events events;
    if (!decoder->decode(
            {.text = text, .url = url, .received_time = clock_.now(), .is_binary = is_binary},
            events))
      return;
    for (const auto& event : events) {
      if (const auto* candle = std::get_if<Candle>(&event)) {
        // An older one may come late; where a venue's have no time, it has less volume.
        auto& told = told_[{candle->origin.instrument, candle->open_time}];
        const bool is_older = candle->origin.exchange_time
                                  ? candle->origin.exchange_time < told.origin.exchange_time
                                  : candle->volume < told.volume;
        if (!is_older) told = *candle;
        if (candle->is_closed) closed_.emplace(candle->origin.instrument, candle->open_time);
      } else if (const auto* trade = std::get_if<Trade>(&event)) {
        traded_.emplace(trade->origin.instrument, trade->id);
      }
    }
  }
  void ping() {
    next_ping_ = clock_.now() + 20s;
    for (const auto& [connection, session] : std::map(sessions_)) {
      const bool is_silent = clock_.now() - heard_[connection] > 20s;
      if (!is_silent || schedule_.pings_of_the_silent) feed_.on_control(connection, now());
    }
  }
  void answer(feed::RequestId request, const std::string& url, const exchange::RestRequest& rest) {
    const auto reply = core_.http(request_of(url, rest.method, rest.body), clock_.steady());
    if (in_trouble && schedule_.chance(schedule_.loses_replies)) {
      return feed_.on_request_error(request, {.kind = ErrorKind::transient, .message = "lost"},
                                    now());
    }
    std::string_view body = reply.body;
    if (in_trouble && schedule_.chance(schedule_.cuts_replies))
      body = body.substr(0, schedule_.random() % (body.size() + 1));
    const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
      const auto text = reply.headers.find(name);
      if (!text) return std::nullopt;
      return std::strtoll(std::string(*text).c_str(), nullptr, 10);
    };
    const auto wait = number("Retry-After");
    feed_.on_reply(
        request,
        {.status = reply.status,
         .body = body,
         .used_weight = number(venue_.used_weight_header),
         .retry_after = wait ? std::optional<Duration>{std::chrono::seconds{*wait}} : std::nullopt},
        now());
  }

 public:
  bool in_trouble = false;

 private:
  Schedule& schedule_;
  const exchange::Venue& venue_;
  FakeClock clock_{start};
  simulator::VenueCore core_;
  std::unique_ptr<Catalogue> catalogue_;
  std::vector<const Instrument*> instruments_;
  std::map<feed::ConnectionId, std::pair<std::string, std::unique_ptr<exchange::Decoder>>>
      witnesses_;
  std::map<std::pair<const Instrument*, Time>, Candle> told_;
  std::set<std::pair<const Instrument*, Time>> closed_;
  std::set<std::pair<const Instrument*, std::uint64_t>> traded_;
  NullObserver observer_;
  pipeline::LatestBoard board_;
  pipeline::VenuePipeline pipeline_;
  feed::VenueFeed feed_;
  std::multimap<Time, std::function<void()>> due_;
  std::map<feed::ConnectionId, simulator::SessionId> sessions_;
  std::map<simulator::SessionId, feed::ConnectionId> connections_;
  std::set<feed::ConnectionId> wanted_;
  std::map<feed::ConnectionId, Time> heard_;
  Time next_ping_ = start + 20s;
};

template <class T>
const T& at(const schema::Row& row, std::string_view column) {
  return std::get<T>(row.at(column));
}

// The columns of a minute that must be the venue's own; those that this venue does not tell are
// null.
std::string numbers(const schema::Row& row) {
  std::string text;
  for (const std::string_view column : {"open", "high", "low", "close", "volume", "quote_volume",
                                        "taker_buy_volume", "taker_buy_quote_volume"}) {
    text += schema::is_null(row.at(column)) ? "-" : at<Decimal>(row, column).to_string();
    text += ' ';
  }
  if (schema::is_null(row.at("trade_count"))) return text + "-";
  return text + std::to_string(at<std::int64_t>(row, "trade_count"));
}

// As far as the row tells them.
std::string numbers(const simulator::Bar& bar, const schema::Row& as_in) {
  std::string text;
  const auto add = [&](std::string_view column, Decimal value) {
    text += schema::is_null(as_in.at(column)) ? "-" : value.to_string();
    text += ' ';
  };
  for (const auto& value : {bar.open, bar.high, bar.low, bar.close, bar.volume})
    text += value.to_string() + " ";
  add("quote_volume", bar.quote_volume);
  add("taker_buy_volume", bar.taker_volume);
  add("taker_buy_quote_volume", bar.taker_quote_volume);
  return text + (schema::is_null(as_in.at("trade_count")) ? "-" : std::to_string(bar.count));
}

// What the ledger says in the end, and whether it ever said that the minute was not live.
struct Covered {
  std::string state;
  bool was_named = false;
};
std::map<Time, Covered> ledger_of(const World& world, const Instrument& instrument) {
  std::map<Time, Covered> minutes;
  std::int64_t sequence = 0;
  for (const auto& row : world.rows) {
    if (row.table != &schema::coverage) continue;
    EXPECT_GT(at<std::int64_t>(row, "seq"), sequence) << "assertions are in order";
    sequence = at<std::int64_t>(row, "seq");
    if (at<std::string>(row, "symbol") != instrument.symbol ||
        at<std::string>(row, "stream") != "candles")
      continue;
    for (Time open = at<Time>(row, "from"); open < at<Time>(row, "to"); open += 1min) {
      auto& minute = minutes[open];
      minute.state = at<std::string>(row, "state");
      minute.was_named = minute.was_named || minute.state != "live";
    }
  }
  return minutes;
}

// Some venues serve only their newest minutes.
Duration reach_of(const exchange::Venue& venue) {
  const Duration wanted = 49h;
  const int served = venue.limits.history_candles;
  return served == 0 ? wanted : std::min<Duration>(wanted, served * 1min);
}
bool is_out_of_reach(const exchange::Venue& venue, Time open, Time until) {
  return venue.limits.history_candles > 0 && open < until + 1min - reach_of(venue);
}

// Every minute is live if and only if the stream brought it in time, and named if it was not.
void expect_the_true_ledger(World& world, const Instrument& instrument, Time until, bool healed) {
  auto& market = world.core().market();
  const auto listing = *market.find(instrument.exchange_symbol);
  const auto minutes = ledger_of(world, instrument);
  ASSERT_FALSE(minutes.empty());
  std::set<Time> stored;
  for (const auto& row : world.rows) {
    if (row.table == &schema::fact_ohlcv && at<std::string>(row, "symbol") == instrument.symbol)
      stored.insert(at<Time>(row, "timestamp"));
  }
  std::size_t wrong = 0;
  for (Time open = minutes.begin()->first; open + 1min <= until && wrong < 5; open += 1min) {
    const auto found = minutes.find(open);
    const Covered minute = found == minutes.end() ? Covered{} : found->second;
    const bool came_live = world.came_live(instrument, open);
    const bool is_stored = stored.contains(open);
    const bool is_right =
        is_stored ? (minute.state == "backfilled" || (minute.state == "live" && came_live)) &&
                        (came_live || minute.was_named)
        : minute.state == "unrecoverable" ? is_out_of_reach(world.venue(), open, until)
        : market.row(listing, Timeframe::m1, open, open + 2min)
            ? !healed && minute.state == "missing"
            : minute.state == "confirmed_empty" || (!healed && minute.state == "missing");
    if (is_right) continue;
    ADD_FAILURE() << instrument.symbol << " " << to_rfc3339(open) << " is \"" << minute.state
                  << "\", stored " << is_stored << ", came live " << came_live << ", named "
                  << minute.was_named;
    ++wrong;
  }
}

void expect_the_true_book(World& world, std::size_t index, Time now) {
  auto& market = world.core().market();
  const auto& instrument = *world.instruments()[index];
  const auto ladder = world.ladder(index);
  ASSERT_TRUE(ladder) << instrument.symbol << " has no ladder";
  auto* steps = market.book_steps(*market.find(instrument.exchange_symbol));
  ASSERT_NE(steps, nullptr);
  // Not every venue's numbers are the market's: it must be one of the newest books. Where all that
  // shows a fault is a checksum of the best levels, nothing is known of those behind them.
  const auto& venue = world.venue();
  auto levels = std::max<std::size_t>(ladder->bids.size(), 5);
  if (venue.book_rule == exchange::BookRule::stream_ascending)
    levels = std::min(levels, venue.checksum_levels);
  const auto best = [&](const std::vector<Level>& side) {
    return std::vector<Level>(
        side.begin(), side.begin() + static_cast<std::ptrdiff_t>(std::min(levels, side.size())));
  };
  const auto newest = steps->step_at(now);
  for (auto step = newest; step + 40 > newest; --step) {
    const auto truth = steps->book(step, levels);
    if (best(ladder->bids) == truth.bids && best(ladder->asks) == truth.asks) return;
  }
  ADD_FAILURE() << instrument.symbol << ": the ladder is none of the newest 40 books";
}

// All minutes from 49 hours before on, or as far back as the venue serves them, once each, with the
// venue's own numbers.
void expect_the_true_candles(World& world, const Instrument& instrument, Time until,
                             const Schedule& schedule) {
  auto& market = world.core().market();
  const auto listing = *market.find(instrument.exchange_symbol);
  std::map<Time, const schema::Row*> stored;
  for (const auto& row : world.rows) {
    if (row.table != &schema::fact_ohlcv || at<std::string>(row, "symbol") != instrument.symbol)
      continue;
    // No fault here changes a number, so nothing is ever corrected.
    EXPECT_EQ(at<std::int64_t>(row, "revision"), 0) << schema::to_json(row);
    EXPECT_TRUE(stored.emplace(at<Time>(row, "timestamp"), &row).second)
        << "stored twice: " << schema::to_json(row);
  }
  if (stored.empty() && !schedule.heals) return;
  ASSERT_FALSE(stored.empty());
  // As far back as it was when the venue's clock became known.
  const Time first = stored.begin()->first;
  if (schedule.heals) {
    EXPECT_LE(first, start - reach_of(world.venue()) + schedule.trouble + 1min);
  }
  std::size_t wrong = 0;
  for (Time open = first; open + 1min <= until && wrong < 5; open += 1min) {
    const auto row = stored.find(open);
    const auto truth = market.row(listing, Timeframe::m1, open, open + 2min);
    if (row == stored.end()) {
      if (!schedule.heals || !truth) continue;
      ADD_FAILURE() << instrument.symbol << " has no candle at " << to_rfc3339(open);
      ++wrong;
      continue;
    }
    ASSERT_TRUE(truth) << to_rfc3339(open);
    const auto told = numbers(*row->second);
    const auto wanted = numbers(truth->bar, *row->second);
    if (told == wanted) continue;
    ADD_FAILURE() << instrument.symbol << " " << to_rfc3339(open) << " is " << told << ", true is "
                  << wanted;
    ++wrong;
  }
}

// Snapshots in order, once each; and their newest indicators are those of all true candles.
void expect_the_true_indicators(World& world, const Instrument& instrument) {
  auto& market = world.core().market();
  const auto listing = *market.find(instrument.exchange_symbol);
  indicator::Series truth(1min, {.horizon = 1440});
  Time next = Time::max();
  std::optional<Decimal> close;
  Time last_instant{};
  std::map<Time, const schema::Row*> newest;
  for (const auto& row : world.rows) {
    if (row.table == &schema::market_ticks && at<std::string>(row, "symbol") == instrument.symbol) {
      EXPECT_GT(at<Time>(row, "exchange_ts"), last_instant);
      last_instant = at<Time>(row, "exchange_ts");
      if (!schema::is_null(row.at("candle_time"))) {
        EXPECT_LE(at<Time>(row, "candle_time") + 1min, last_instant);
      }
    }
    if (row.table == &schema::fact_ohlcv && at<std::string>(row, "symbol") == instrument.symbol) {
      next = std::min(next, at<Time>(row, "timestamp"));
    }
    if (row.table != &schema::technical_indicators ||
        at<std::string>(row, "symbol") != instrument.symbol)
      continue;
    auto& known = newest[at<Time>(row, "exchange_ts")];
    EXPECT_EQ(at<std::int64_t>(row, "revision"),
              known == nullptr ? 0 : at<std::int64_t>(*known, "revision") + 1);
    known = &row;
  }
  EXPECT_GE(newest.size(), 5U);
  for (const auto& [instant, row] : newest) {
    const Time candle_time = at<Time>(*row, "candle_time");
    for (; next <= candle_time; next += 1min) {
      const auto minute = market.row(listing, Timeframe::m1, next, next + 2min);
      // Where quiet minutes have no row, they count as one without volume.
      const bool is_quiet =
          !minute && world.venue().quiet_periods == exchange::QuietPeriods::omitted && close;
      if (is_quiet) truth.apply({next, *close, *close, *close, *close, Decimal{}, Decimal{}});
      if (!minute) continue;
      const auto& bar = minute->bar;
      close = bar.close;
      truth.apply({next, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume});
    }
    const auto values = truth.values_at(candle_time);
    ASSERT_TRUE(values);
    for (const auto& column : indicator::columns()) {
      const auto wanted = (*values).*column.value;
      const schema::Value expected =
          wanted ? schema::Value{*wanted} : schema::Value{schema::Null{}};
      EXPECT_EQ(row->at(column.name), expected) << column.name << " of " << schema::to_json(*row);
    }
    std::string extra;
    indicator::append_extra(extra, *values);
    EXPECT_EQ(at<schema::Json>(*row, "extra").text, extra) << to_rfc3339(instant);
  }
}

// A book whose updates have neither numbers nor checksums cannot be seen to lack one.
bool shows_its_faults(const exchange::Venue& venue) {
  return venue.book_rule != exchange::BookRule::none &&
         (venue.book_rule != exchange::BookRule::stream_ascending || venue.checksum != nullptr);
}

// After a minute's end, until it is stored or known to be empty. Where quiet minutes have no row,
// the newest row is final only by its age, and it takes two answers to say that nothing follows.
Duration settling_of(const exchange::Venue& venue) {
  return venue.quiet_periods == exchange::QuietPeriods::omitted ? 5min : 30s;
}

void run_schedule(const exchange::Venue& venue, std::uint64_t seed) {
  Schedule schedule(seed, venue.handshake != nullptr);
  SCOPED_TRACE(fmt::format("CANDLEWICK_TEST_SEED={} CANDLEWICK_TEST_SCHEDULES=1, faults {}", seed,
                           schedule.faults));
  World world(schedule, venue);
  const Time trouble_begins = start + (schedule.begins_in_trouble ? 0s : 90s);
  const Time trouble_ends = trouble_begins + schedule.trouble;
  const Time end = trouble_ends + recovery;
  const Duration settling = settling_of(venue);
  if (schedule.begins_in_trouble) world.change_faults(schedule.faults);
  world.in_trouble = schedule.begins_in_trouble;
  world.begin();
  world.run_until(trouble_begins);
  if (!schedule.begins_in_trouble) world.change_faults(schedule.faults);
  world.in_trouble = true;
  if (schedule.announces_shutdown_at < schedule.trouble) {
    world.run_until(trouble_begins + schedule.announces_shutdown_at);
    world.announce_shutdown();
  }
  world.run_until(trouble_ends);
  world.change_faults(schedule.heals ? "none" : "none,5xx=1");
  world.in_trouble = false;
  world.run_until(end + settling);

  const auto status = world.status();
  EXPECT_TRUE(status.connected) << status.last_error;
  EXPECT_EQ(world.core().connections(), status.sessions);
  // Trades that came whole never contradict a candle.
  EXPECT_EQ(world.pipeline().statistics().trade_differences, 0U);
  EXPECT_EQ(world.pipeline().statistics().audit.different, 0U);
  if (schedule.heals) {
    EXPECT_LE(world.pipeline().missing_candles(),
              world.instruments().size() * static_cast<std::size_t>(settling / 1min));
    // Nothing asks more than it must: three pages of history for each, and what the trouble cost.
    const auto pages = static_cast<std::size_t>(2 * 2940 / venue.limits.max_candles);
    EXPECT_LT(world.requests, 700U + pages + schedule.trouble / 1min * 30U);
  }
  // Where REST never answers, only streams tell the time, and quiet ones may not have told yet that
  // the last minute is over.
  const Time told_until =
      schedule.heals ? end : std::min(end, world.pipeline().venue_time().value_or(end) - 5s);
  for (std::size_t index = 0; index < world.instruments().size(); ++index) {
    const Instrument& instrument = *world.instruments()[index];
    expect_the_true_candles(world, instrument, end, schedule);
    expect_the_true_ledger(world, instrument, told_until, schedule.heals);
    if (!schedule.heals) continue;
    EXPECT_TRUE(world.pipeline().is_ready(instrument));
    expect_the_true_indicators(world, instrument);
    if (schedule.has_book && shows_its_faults(venue))
      expect_the_true_book(world, index, end + settling);
  }
}

class FaultSchedules : public testing::TestWithParam<const exchange::Venue*> {};

TEST_P(FaultSchedules, EveryMinuteIsTrueAndStoredOnceAfterAnyTrouble) {
  const auto& venue = *GetParam();
  const auto first = setting("CANDLEWICK_TEST_SEED", 1);
  const auto count =
      setting("CANDLEWICK_TEST_SCHEDULES", default_schedules(exchange::key_of(venue)));
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    run_schedule(venue, seed);
    if (HasFailure()) return;  // one is enough to look at
  }
}

// Those that are simulated; Binance.US is Binance's code.
std::vector<const exchange::Venue*> simulated_venues() {
  std::vector<const exchange::Venue*> venues;
  for (const auto name : simulator::simulated_venues()) {
    const auto* venue = exchange::find_venue(name);
    if (venue != nullptr && name != "binance-us") venues.push_back(venue);
  }
  return venues;
}

std::string name_of(const testing::TestParamInfo<const exchange::Venue*>& test) {
  std::string name(exchange::key_of(*test.param));
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Venues, FaultSchedules, testing::ValuesIn(simulated_venues()), name_of);

}  // namespace
}  // namespace candlewick
