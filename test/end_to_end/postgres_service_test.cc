// The whole service with its warehouse on PostgreSQL, which is killed and started again while the
// venue sends at many times its speed: what is stored in the end must equal what the venue knows.
#include <gtest/gtest.h>

#include <random>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "query/snapshots.h"
#include "test/support/eventually.h"
#include "test/support/postgres_server.h"
#include "test/support/simulated_venue.h"
#include "test/support/stored_candles.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z

class PostgresService : public ::testing::TestWithParam<test::PostgresKind> {
 protected:
  void SetUp() override {
    if (const auto reason = test::skip_reason(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
    server = std::make_unique<test::PostgresServer>(test::PostgresOptions{.kind = GetParam()});
    ASSERT_EQ(server->problem(), "");
    config.exchanges = {"binance"};
    config.symbols = {"BTC/USDT", "ETH/USDT"};
    config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
    config.data_dir = folder.path().string();
    config.http.listen.port = 0;
    config.warehouse = "postgres";
    config.sink.retry_limit = 1s;
    config.database_url = Secret(server->make_database("candlewick"));
  }
  void launch() {
    auto started = app::Service::start(config, clock, observer, metrics);
    ASSERT_TRUE(started) << started.error().message;
    service = std::move(*started);
  }
  Time venue_time() const {
    for (const auto& feed : service->feeds()) {
      if (feed.venue_time) return *feed.venue_time;
    }
    return {};
  }

  test::SimulatedVenue venue{"binance", 7, start, 60};
  test::TemporaryFolder folder;
  std::unique_ptr<test::PostgresServer> server;
  Config config;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  std::unique_ptr<app::Service> service;
};

TEST_P(PostgresService, StoresTheTruthThoughTheServerIsKilledAndStartedAgain) {
  launch();
  ASSERT_TRUE(test::eventually([&] { return venue_time() >= start + 1min; }));
  for (int kill = 0; kill < 3; ++kill) {
    const Time before = venue_time();
    kill % 2 == 0 ? server->kill() : server->stop();
    // The venue goes on meanwhile, and so does the service.
    ASSERT_TRUE(test::eventually([&] { return venue_time() >= before + 40s; }));
    server->start();
    ASSERT_TRUE(test::eventually([&] { return venue_time() >= before + 100s; }));
  }
  const Time end = std::chrono::ceil<std::chrono::minutes>(venue_time());
  ASSERT_TRUE(test::eventually([&] { return venue_time() >= end + 20s; }));
  const auto database = app::open_for_reading(config);
  ASSERT_TRUE(database) << database.error().message;
  for (const auto& symbol : config.symbols) {
    const auto minutes = static_cast<std::size_t>((end - start + 24h) / 1min);
    EXPECT_TRUE(test::eventually(
        [&] {
          return test::stored_candles(**database, "binance", symbol, start - 24h, end).size() ==
                 minutes;
        },
        60s))
        << service->sinks()[0].lag_rows << " rows behind, "
        << (service->sinks()[0].last_error ? service->sinks()[0].last_error->message : "no error");
    test::expect_the_truth(venue, **database, symbol, start - 24h, end);
  }
  service.reset();
}

TEST_P(PostgresService, StartsWhileItsServerIsDownAndDeliversLater) {
  server->stop();
  launch();
  EXPECT_EQ(observer.count("warehouse_unreachable"), 1U);
  ASSERT_TRUE(test::eventually([&] { return venue_time() >= start + 2min; }));
  server->start();
  const auto has_ticks = [&] {
    const auto database = app::open_for_reading(config);
    if (!database) return false;
    const auto ticks = query::ticks(**database, {.exchange = "binance", .symbol = "BTC/USDT"});
    return ticks && !ticks->empty();
  };
  EXPECT_TRUE(test::eventually(has_ticks, 60s));
}

std::string kind_name(const ::testing::TestParamInfo<test::PostgresKind>& kind) {
  return std::string(to_text(kind.param));
}
INSTANTIATE_TEST_SUITE_P(Kinds, PostgresService,
                         ::testing::Values(test::PostgresKind::plain,
                                           test::PostgresKind::timescale),
                         kind_name);

}  // namespace
}  // namespace candlewick
