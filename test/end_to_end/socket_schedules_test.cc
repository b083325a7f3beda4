// The whole service on real sockets against a simulated venue that misbehaves by a random schedule,
// much faster than time. When the trouble has ended, every closed minute must be what the venue
// says it was, stored once. The same on a fake clock, by the hundred: test/faults.
//
//   CANDLEWICK_TEST_SOCKET_SCHEDULES=100 end_to_end_test --gtest_filter='SocketSchedules.*'
//   CANDLEWICK_TEST_SEED=17 CANDLEWICK_TEST_SOCKET_SCHEDULES=1 ...     the one that failed
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include <fmt/format.h>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "sqlite/database.h"
#include "test/support/eventually.h"
#include "test/support/simulated_venue.h"
#include "test/support/stored_candles.h"
#include "test/support/temporary_folder.h"
#include "warehouse/database.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 120;
constexpr Duration trouble = 4min;  // of the venue's time
constexpr Duration history = 48h;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr std::uint64_t default_schedules() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 2;
#else
  return 10;
#endif
}

// Delays, lags, cuts and outages are in the venue's time: a hundred of its seconds pass in one.
// Waits between attempts are in real time and grow with every connection that did not last, so it
// may not cut or refuse too often.
std::string faults_of(std::mt19937_64& random) {
  const auto unit = [&] { return std::uniform_real_distribution<double>(0.0, 1.0)(random); };
  const auto chance = [&](double likelihood) { return unit() < likelihood; };
  std::string faults = fmt::format("retry=1,seed={}", random() % 1'000'000);
  const auto maybe = [&](double likelihood, std::string_view key, double most) {
    if (chance(likelihood)) faults += fmt::format(",{}={:.4f}", key, most * unit());
  };
  maybe(0.7, "drop", 0.3);
  maybe(0.7, "double", 0.3);
  maybe(0.7, "reorder", 0.3);
  maybe(0.7, "truncate", 0.2);
  maybe(0.4, "unclosed", 0.8);
  maybe(0.4, "429", 0.2);
  maybe(0.2, "418", 0.1);
  maybe(0.5, "5xx", 0.5);
  maybe(0.4, "silent", 0.002);
  maybe(0.3, "refuse", 0.3);
  maybe(0.3, "book", 0.5);
  if (chance(0.5)) faults += fmt::format(",delay={}ms:{:.4f}", 50 + random() % 5000, 0.3 * unit());
  if (chance(0.5)) faults += fmt::format(",disconnect={}s", 100 + random() % 300);
  if (chance(0.4)) faults += fmt::format(",lag={}ms", random() % 8000);
  if (chance(0.3)) {
    faults += fmt::format(",skew={}ms", static_cast<std::int64_t>(random() % 4000) - 2000);
  }
  if (chance(0.3)) faults += fmt::format(",outage={}s+{}s", random() % 200, 5 + random() % 120);
  if (chance(0.3)) faults += fmt::format(",jump={}s+{}", 1 + random() % 200, random() % 10'000);
  return faults;
}

// Nothing a venue does wrong here changes a number that it once called final, so nothing is ever
// corrected either.
std::int64_t count(sqlite::Database& database, std::string_view what, Time from, Time until) {
  const auto counted = database.integer(fmt::format(
      "SELECT count(*) FROM fact_ohlcv WHERE timeframe = '1m' AND timestamp >= {} AND timestamp < "
      "{} AND {}",
      to_ns(from) / 1000, to_ns(until) / 1000, what));
  EXPECT_TRUE(counted) << (counted ? "" : counted.error().message);
  return counted.value_or(-1);
}

void run_schedule(std::uint64_t seed) {
  std::mt19937_64 random(seed * 2'654'435'761U + 1);
  const auto faults = faults_of(random);
  const bool begins_in_trouble = random() % 2 == 0;  // while history is read
  SCOPED_TRACE(fmt::format("CANDLEWICK_TEST_SEED={} CANDLEWICK_TEST_SOCKET_SCHEDULES=1, faults {}",
                           seed, faults));
  test::SimulatedVenue venue("binance", seed, start, speed, begins_in_trouble ? faults : "");
  const test::TemporaryFolder folder;
  Config config;
  config.symbols = {"BTC/USDT", "ETH/USDT"};
  config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
  config.data_dir = folder.path().string();
  config.warehouse = "sqlite";
  config.http.listen.port = 0;
  // Watchdogs are in real time, in which two minutes of the venue pass.
  config.feed.silence_limit = 1s;
  config.feed.request_budget_percent = 100;
  const RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  auto started = app::Service::start(config, clock, observer, metrics);
  ASSERT_TRUE(started) << started.error().message;
  const auto& service = *started;
  if (!begins_in_trouble) {
    ASSERT_TRUE(test::eventually([&] { return venue.now() >= start + 1min; }));
    venue.change_faults(faults);
  }
  const Time trouble_ends = venue.now() + trouble;
  ASSERT_TRUE(test::eventually([&] { return venue.now() >= trouble_ends; }));
  venue.change_faults("none");

  const Time end = std::chrono::ceil<std::chrono::minutes>(venue.now()) + 1min;
  const auto candles =
      static_cast<std::int64_t>(config.symbols.size()) * ((end - start + history) / 1min);
  auto file = sqlite::Database::open({.path = app::warehouse_path(config), .read_only = true});
  ASSERT_TRUE(file) << file.error().message;
  const bool is_complete = test::eventually(
      [&] { return count(**file, "is_closed = 1", start - history, end) >= candles; });
  EXPECT_TRUE(is_complete) << count(**file, "is_closed = 1", start - history, end) << " of "
                           << candles << " candles are stored; the feed says: "
                           << service->feeds().front().last_error;
  EXPECT_EQ(count(**file, "revision <> 0", start - history, end), 0);
  const auto database = warehouse::open_sqlite_for_reading(app::warehouse_path(config));
  ASSERT_TRUE(database) << database.error().message;
  for (const auto& symbol : config.symbols) {
    test::expect_the_truth(venue, **database, symbol, start - history, end);
  }
}

TEST(SocketSchedules, EveryMinuteIsTrueAndStoredOnceAfterAnyTrouble) {
  const auto first = setting("CANDLEWICK_TEST_SEED", 1);
  const auto schedules = setting("CANDLEWICK_TEST_SOCKET_SCHEDULES", default_schedules());
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    run_schedule(seed);
    if (HasFailure()) return;  // one is enough to look at
  }
}

}  // namespace
}  // namespace candlewick
