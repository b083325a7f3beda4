// The whole service against a simulated venue on real sockets, faster than time and with faults:
// what it stores must equal what the venue knows.
#include <cstdlib>
#include <map>

#include <gtest/gtest.h>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "base/json.h"
#include "market/event_json.h"
#include "query/candles.h"
#include "query/snapshots.h"
#include "test/support/eventually.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"
#include "warehouse/database.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 60;

// A soak gives other seeds than the suite's.
std::uint64_t seed(std::uint64_t of_the_suite) {
  const char* given = std::getenv("CANDLEWICK_TEST_SEED");
  return given == nullptr ? of_the_suite : of_the_suite * 1000 + std::strtoull(given, nullptr, 10);
}

struct Running {
  explicit Running(const test::SimulatedVenue& venue, const std::filesystem::path& folder) {
    config.exchanges = {"binance"};
    config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
    config.data_dir = folder.string();
    config.http.listen.port = 0;
    config.warehouse = "sqlite";
    auto started = app::Service::start(config, clock, observer, metrics);
    if (!started) {
      ADD_FAILURE() << started.error().message;
      return;
    }
    service = std::move(*started);
  }
  Time venue_time() const {
    for (const auto& feed : service->feeds()) {
      if (feed.venue_time) return *feed.venue_time;
    }
    return {};
  }
  Config config;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  std::unique_ptr<app::Service> service;
};

// open,high,low,close,volume,quote volume,trades,taker volumes of a truth line, by open time.
std::map<Time, std::string> truth_of(const std::string& lines) {
  std::map<Time, std::string> candles;
  json::Reader reader;
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = std::min(lines.find('\n', at), lines.size());
    const auto line = std::string_view(lines).substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
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
    for (const auto* key : {"open", "high", "low", "close", "volume", "quote_volume", "trade_count",
                            "taker_buy_volume", "taker_buy_quote_volume"}) {
      text += Decimal::parse(values[key]).value_or(Decimal{}).to_string() + " ";
    }
    EXPECT_TRUE(candles.emplace(open_time, text).second) << "twice in the truth: " << line;
  }
  return candles;
}

std::map<Time, std::string> stored_in(warehouse::Database& database, const std::string& symbol,
                                      Time from, Time until) {
  std::map<Time, std::string> stored;
  const auto candles = query::candles(database, {.exchange = "binance",
                                                 .symbol = symbol,
                                                 .start = from,
                                                 .end = until,
                                                 .limit = 10'000,
                                                 .closed_only = true});
  if (!candles) {
    ADD_FAILURE() << candles.error().message;
    return stored;
  }
  for (const auto& candle : *candles) {
    const std::string text = fmt::format(
        "{} {} {} {} {} {} {} {} {} ", candle.open.to_string(), candle.high.to_string(),
        candle.low.to_string(), candle.close.to_string(), candle.volume.to_string(),
        candle.quote_volume->to_string(), *candle.trade_count, candle.taker_buy_volume->to_string(),
        candle.taker_buy_quote_volume->to_string());
    EXPECT_TRUE(stored.emplace(candle.timestamp, text).second)
        << "stored twice: " << to_rfc3339(candle.timestamp);
  }
  return stored;
}

void expect_the_truth(test::SimulatedVenue& venue, warehouse::Database& database,
                      const Config& config, Time from, Time until) {
  for (const auto& symbol : config.symbols) {
    const auto truth = truth_of(venue.truth(symbol, "1m", from, until));
    const auto stored = stored_in(database, symbol, from, until);
    EXPECT_EQ(truth.size(), static_cast<std::size_t>((until - from) / 1min)) << symbol;
    EXPECT_EQ(stored.size(), truth.size()) << symbol;
    for (const auto& [open_time, values] : truth) {
      const auto found = stored.find(open_time);
      ASSERT_NE(found, stored.end()) << symbol << " lacks " << to_rfc3339(open_time);
      ASSERT_EQ(found->second, values) << symbol << " " << to_rfc3339(open_time);
    }
  }
}

bool everything_is_written(const app::Service& service) {
  if (service.log().queued_rows != 0) return false;
  for (const auto& sink : service.sinks()) {
    if (sink.lag_rows != 0 || sink.cursor != service.log().last_sequence) return false;
  }
  return true;
}

TEST(Service, FollowsTwoMarketsOfOneExchange) {
  test::SimulatedVenue spot("binance", seed(12), start, speed);
  test::SimulatedVenue swaps("binance-usdm", seed(12), start, speed);
  const test::TemporaryFolder folder;
  Config config;
  config.exchanges = {"binance", "binance-usdm"};
  config.symbols = {"BTC/USDT", "ETH/USDT:USDT"};
  config.venues["binance"] = {.base_url = spot.base_url(), .ws_url = spot.ws_url()};
  config.venues["binance-usdm"] = {.base_url = swaps.base_url(), .ws_url = swaps.ws_url()};
  config.data_dir = folder.path().string();
  config.http.listen.port = 0;
  config.warehouse = "sqlite";
  const RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  auto service = app::Service::start(config, clock, observer, metrics);
  ASSERT_TRUE(service) << service.error().message;
  const auto& board = (*service)->board();
  const auto instruments = board.instruments();
  ASSERT_EQ(instruments.size(), 2U);
  EXPECT_EQ(instruments[0]->symbol, "BTC/USDT");
  EXPECT_EQ(instruments[1]->symbol, "ETH/USDT:USDT");
  EXPECT_EQ(instruments[1]->exchange, "binance");
  const auto feeds = (*service)->feeds();
  ASSERT_EQ(feeds.size(), 2U);
  EXPECT_EQ(feeds[1].venue, "binance-usdm");
  // Streams of both paths, and what is asked for.
  EXPECT_TRUE(test::eventually([&] {
    const auto latest = board.read(1);
    return latest.ladder && latest.trade && !latest.forming.empty() && latest.derivative &&
           latest.derivative->funding_rate && latest.derivative->open_interest;
  }));
  EXPECT_FALSE(board.read(0).derivative);
  // A snapshot is written once history is there: of both, each from its own market.
  EXPECT_TRUE(test::eventually([&] { return board.read(0).tick && board.read(1).tick; }, 60s));
  EXPECT_TRUE(test::eventually([&] { return everything_is_written(**service); }));
  (*service)->stop();
  auto database = app::open_for_reading(config);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(stored_in(**database, "BTC/USDT", start - 2h, start - 1h),
            truth_of(spot.truth("BTC/USDT", "1m", start - 2h, start - 1h)));
  EXPECT_EQ(stored_in(**database, "ETH/USDT:USDT", start - 2h, start - 1h),
            truth_of(swaps.truth("ETH/USDT:USDT", "1m", start - 2h, start - 1h)));
}

TEST(Service, RefusesSpellingsThatTwoMarketsShareInOneColumn) {
  const test::TemporaryFolder folder;
  Config config;
  config.exchanges = {"binance", "binance-usdm"};
  config.symbols = {"BTC/USDT"};
  config.data_dir = folder.path().string();
  config.http.listen.port = 0;
  config.warehouse = "sqlite";
  config.sink.symbol_style = "exchange";
  const RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  const auto service = app::Service::start(config, clock, observer, metrics);
  ASSERT_FALSE(service);
  EXPECT_EQ(service.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(service.error().message.find("binance-usdm"), std::string::npos)
      << service.error().message;
}

TEST(Service, StoresTheTruthOfTenMinutesWithFaults) {
  test::SimulatedVenue venue("binance", seed(11), start, speed,
                             "drop=0.03,double=0.03,reorder=0.03,truncate=0.01,disconnect=60s,429="
                             "0.05,5xx=0.05,retry=1,seed=" +
                                 std::to_string(seed(3)));
  test::TemporaryFolder folder;
  Running running(venue, folder.path());
  ASSERT_NE(running.service, nullptr);
  const Time end = start + 10min;
  ASSERT_TRUE(test::eventually([&] { return running.venue_time() >= end; }, 120s));
  venue.change_faults("none");
  // The last minute closes, and what was lost on the way is fetched.
  const auto database = warehouse::open_sqlite_for_reading(app::warehouse_path(running.config));
  ASSERT_TRUE(database) << database.error().message;
  const auto is_complete = [&] {
    for (const auto& symbol : running.config.symbols) {
      if (stored_in(**database, symbol, start, end).size() < 10) return false;
    }
    return everything_is_written(*running.service);
  };
  ASSERT_TRUE(test::eventually(is_complete, 120s));
  expect_the_truth(venue, **database, running.config, start - 48h, end);
  EXPECT_GT(
      running.observer.count("feed_disconnected") + running.observer.count("feed_frame_refused"),
      0U)
      << "no fault was seen: the schedule proves nothing";
}

TEST(Service, FillsEveryColumnOfASnapshotThatHistoryCanAnswer) {
  test::SimulatedVenue venue("binance", seed(5), start, speed);
  test::TemporaryFolder folder;
  Running running(venue, folder.path());
  ASSERT_NE(running.service, nullptr);
  const auto database = warehouse::open_sqlite_for_reading(app::warehouse_path(running.config));
  ASSERT_TRUE(database);
  const auto ticks_of = [&] {
    return query::ticks(**database, {.exchange = "binance", .symbol = "BTC/USDT", .limit = 100});
  };
  ASSERT_TRUE(test::eventually(
      [&] {
        const auto found = ticks_of();
        return found && found->size() >= 3;
      },
      120s));
  const auto ticks = ticks_of();
  ASSERT_TRUE(ticks);
  for (const auto& tick : *ticks) {
    for (const auto* column : {"open", "close", "last_price", "price_change_pct_1h",
                               "price_change_pct_24h", "volume_24h_quote", "volume_change_pct_24h",
                               "bid_ask_spread", "bid_depth", "ask_depth", "candle_time"}) {
      // The first instant may come before the book is in step.
      const bool is_of_book =
          std::string_view(column).contains("bid_") || std::string_view(column).starts_with("ask_");
      if (is_of_book && &tick == &ticks->front()) continue;
      EXPECT_FALSE(schema::is_null(tick.at(column)))
          << column << " of " << schema::to_json(tick).substr(0, 300);
    }
    EXPECT_EQ(std::get<Time>(tick.at("exchange_ts")).time_since_epoch() % 1min, Duration{0});
    EXPECT_EQ(std::get<Time>(tick.at("candle_time")) + 1min,
              std::get<Time>(tick.at("exchange_ts")));
  }
  const auto indicators =
      query::indicators(**database, {.exchange = "binance", .symbol = "BTC/USDT", .limit = 100});
  ASSERT_TRUE(indicators);
  ASSERT_GE(indicators->size(), 2U);
  for (const auto& row : *indicators) {
    for (const auto& column : row.table->columns)
      EXPECT_FALSE(schema::is_null(row.at(column.name))) << column.name;
  }
}

TEST(Service, GoesOnAfterARestartWithoutAHole) {
  test::SimulatedVenue venue("binance", seed(23), start, speed);
  test::TemporaryFolder folder;
  {
    Running first(venue, folder.path());
    ASSERT_NE(first.service, nullptr);
    ASSERT_TRUE(test::eventually([&] { return first.venue_time() >= start + 3min; }, 60s));
  }
  Running second(venue, folder.path());
  ASSERT_NE(second.service, nullptr);
  const Time end = start + 8min;
  ASSERT_TRUE(test::eventually([&] { return second.venue_time() >= end + 20s; }, 60s));
  const auto database = warehouse::open_sqlite_for_reading(app::warehouse_path(second.config));
  ASSERT_TRUE(database);
  ASSERT_TRUE(test::eventually(
      [&] {
        return stored_in(**database, "BTC/USDT", start, end).size() == 8 &&
               everything_is_written(*second.service);
      },
      60s));
  expect_the_truth(venue, **database, second.config, start - 48h, end);
}

TEST(Service, RefusesToShareItsFolder) {
  test::SimulatedVenue venue("binance", 1, start, 1);
  test::TemporaryFolder folder;
  Running first(venue, folder.path());
  ASSERT_NE(first.service, nullptr);
  auto second = app::Service::start(first.config, first.clock, first.observer, first.metrics);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(second.error().message.find("another candlewick"), std::string::npos);
}

}  // namespace
}  // namespace candlewick
