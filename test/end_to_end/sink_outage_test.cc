// Targets that are away for long: the service listens on as if nothing was, delivers everything in
// order once they are back, and obeys the log's disk budget by either policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "net/http_client.h"
#include "query/coverage.h"
#include "query/snapshots.h"
#include "test/end_to_end/remote_targets.h"
#include "test/end_to_end/sink_targets.h"
#include "test/support/eventually.h"
#include "test/support/simulated_venue.h"
#include "test/support/stored_candles.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 240;
const std::vector<std::string> symbols{"BTC/USDT", "ETH/USDT"};

class SinkOutage : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer is too slow for a venue at 240 times its speed";
#endif
    ASSERT_EQ(receiver.start(), "");
    receiver.accept_everything();
    const auto environment = receiver.environment();
    config.exchanges = {"binance"};
    config.symbols = symbols;
    config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
    config.data_dir = folder.path().string();
    config.http.listen.port = 0;
    config.warehouse = "sqlite";
    config.sink.retry_limit = 200ms;
    config.feed.audit = false;  // spends the requests that outages need, at this speed
    config.webhook.url = environment.at("CANDLEWICK_WEBHOOK_URL");
    config.webhook.secret = Secret(environment.at("CANDLEWICK_WEBHOOK_SECRET"));
  }
  void launch() {
    auto started = app::Service::start(config, clock, observer, metrics);
    ASSERT_TRUE(started) << started.error().message;
    service = std::move(*started);
    // The first instants are there, and what the past needed.
    ASSERT_TRUE(test::eventually([this] { return receiver.count() > 4 * symbols.size(); }));
    ASSERT_TRUE(
        test::eventually([this] { return sink("webhook").lag_rows < 100 && !is_paused(); }));
  }
  sink::SinkStatistics sink(std::string_view name) const {
    for (const auto& known : service->sinks()) {
      if (known.sink == name) return known;
    }
    ADD_FAILURE() << "no sink " << name;
    return {};
  }
  bool is_paused() const { return !service->feeds().front().paused.empty(); }
  std::string get(const std::string& target) {
    const auto reply =
        http.fetch({.url = fmt::format("http://{}{}", service->api_address(), target)});
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? reply->body : std::string{};
  }
  std::map<Time, schema::Row> ticks(const std::string& symbol, Time from, Time until) {
    std::map<Time, schema::Row> by_time;
    auto database = app::open_for_reading(config);
    EXPECT_TRUE(database);
    auto rows = query::ticks(
        **database,
        {.exchange = "binance", .symbol = symbol, .start = from, .end = until, .limit = 100'000});
    EXPECT_TRUE(rows);
    for (auto& row : *rows) by_time.emplace(std::get<Time>(row.at("exchange_ts")), row);
    return by_time;
  }

  test::SimulatedVenue venue{"binance", 31, start + 30s, speed};
  test::TemporaryFolder folder;
  test::WebhookTarget receiver;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  Config config;
  std::unique_ptr<app::Service> service;
  net::HttpClient http;
};

TEST_F(SinkOutage, OfAnHourOfEveryTargetLeavesIngestAloneAndIsMadeUpForQuickly) {
  test::PostgresServer server;
  ASSERT_EQ(server.problem(), "");
  config.fetch_interval = 10s;
  config.warehouse = "postgres";
  config.database_url = Secret(server.make_database("outage"));
  ASSERT_NO_FATAL_FAILURE(launch());
  server.stop();
  receiver.set_away(true);
  const Time down = venue.now();
  std::size_t most_queued = 0;
  std::uint64_t frames = service->feeds().front().frames;
  ASSERT_TRUE(test::eventually(
      [&] {
        most_queued = std::max(most_queued, service->log().queued_rows);
        return venue.now() >= down + 1h;
      },
      120s));
  const Time up = venue.now();
  EXPECT_EQ(service->log().refused_rows, 0U);
  EXPECT_LT(most_queued, 5'000U) << "the log keeps up: that is ingest's lag";
  EXPECT_GT(service->feeds().front().frames, frames + 10'000);
  EXPECT_EQ(service->feeds().front().reconnects, 0U);
  for (const auto* name : {"postgres", "webhook"}) {
    EXPECT_EQ(sink(name).state, sink::State::backing_off) << name;
    EXPECT_GT(sink(name).lag_rows, 1'000) << name;
    EXPECT_GT(sink(name).lag(clock.now()), 10s) << name;
  }
  const auto owed = std::max(sink("postgres").lag_rows, sink("webhook").lag_rows);
  const auto newest = service->log().last_sequence;

  server.start();
  receiver.set_away(false);
  const SteadyTime back = clock.steady();
  ASSERT_TRUE(test::eventually(
      [&] { return sink("postgres").cursor >= newest && sink("webhook").cursor >= newest; }));
  const auto took = std::chrono::duration<double>(clock.steady() - back).count();
  // The feed runs 240 times faster than a real one all the while.
  const double against_this_feed = std::chrono::duration<double>(up - down).count() / speed / took;
  fmt::print(
      "{} rows of an hour delivered in {:.2f} s: {:.0f} times real time, {:.1f} times this "
      "feed; at most {} rows waited for the log\n",
      owed, took, against_this_feed * speed, against_this_feed, most_queued);
  EXPECT_GT(against_this_feed, 5) << "even against a feed that is 240 times too fast";

  service->stop();
  EXPECT_EQ(receiver.complaint(), "") << "in order and once";
  for (const auto& symbol : symbols) {
    const auto stored = ticks(symbol, down, up);
    EXPECT_GE(std::ssize(stored), (up - down) / 10s) << symbol;
    EXPECT_LE(std::ssize(stored), (up - down) / 10s + 1) << symbol;
    std::size_t without_ladder = 0;
    for (const auto& [instant, row] : stored) {
      if (schema::is_null(row.at("bid_depth"))) ++without_ladder;
    }
    EXPECT_LE(without_ladder, 1U) << "nobody who was down took the book along";
  }
  const auto held = receiver.rows(schema::market_ticks);
  auto database = app::open_for_reading(config);
  ASSERT_TRUE(database);
  EXPECT_EQ(held, test::rows_of(**database, schema::market_ticks));
}

// The same of the targets in the cloud: our double of a Supabase project and fakesnow, each a
// process that is killed and started again.
class RemoteOutage : public SinkOutage, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    SinkOutage::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const bool is_supabase = GetParam() == "supabase";
    if (is_supabase) target = std::make_unique<test::SupabaseTarget>();
    if (!is_supabase) target = std::make_unique<test::SnowflakeTarget>();
    if (const auto missing = target->missing(); !missing.empty()) {
      if (std::getenv("CI") != nullptr) FAIL() << missing;
      GTEST_SKIP() << missing;
    }
    ASSERT_EQ(target->start(), "");
    const auto environment = target->environment();
    if (is_supabase) {
      // What this project's database takes; fakesnow takes a hundred rows a second.
      config.fetch_interval = 10s;
      config.supabase.url = environment.at("SUPABASE_URL");
      config.supabase.service_role_key = Secret(environment.at("SUPABASE_SERVICE_ROLE_KEY"));
    } else {
      config.snowflake.account = environment.at("SNOWFLAKE_ACCOUNT");
      config.snowflake.user = environment.at("SNOWFLAKE_USER");
      config.snowflake.password = Secret(environment.at("SNOWFLAKE_PASSWORD"));
      config.snowflake.database = environment.at("SNOWFLAKE_DATABASE");
      config.snowflake.schema = environment.at("SNOWFLAKE_SCHEMA");
      config.snowflake.base_url = environment.at("SNOWFLAKE_BASE_URL");
      config.snowflake.candles = false;
      config.snowflake.flush_interval = 1s;
    }
  }

  std::unique_ptr<test::SinkTarget> target;
};

TEST_P(RemoteOutage, OfAnHourLeavesIngestAloneAndIsMadeUpForQuickly) {
  const std::string name = GetParam();
  ASSERT_NO_FATAL_FAILURE(launch());
  ASSERT_TRUE(test::eventually([&] { return sink(name).cursor > 0; }, 30s));
  target->go_away();
  const Time down = venue.now();
  const auto frames = service->feeds().front().frames;
  std::size_t most_queued = 0;
  ASSERT_TRUE(test::eventually(
      [&] {
        most_queued = std::max(most_queued, service->log().queued_rows);
        return venue.now() >= down + 1h;
      },
      120s));
  const Time up = venue.now();
  EXPECT_EQ(service->log().refused_rows, 0U);
  EXPECT_LT(most_queued, 5'000U);
  EXPECT_GT(service->feeds().front().frames, frames + 10'000);
  EXPECT_EQ(service->feeds().front().reconnects, 0U);
  EXPECT_EQ(sink(name).state, sink::State::backing_off);
  EXPECT_GT(sink(name).lag(clock.now()), 10s);
  const auto owed = sink(name).lag_rows;
  const auto newest = service->log().last_sequence;

  ASSERT_EQ(target->come_back(), "");
  const SteadyTime back = clock.steady();
  ASSERT_TRUE(test::eventually([&] { return sink(name).cursor >= newest; }, 60s));
  const auto took = std::chrono::duration<double>(clock.steady() - back).count();
  const double against_real_time = std::chrono::duration<double>(up - down).count() / took;
  fmt::print("{}: {} rows of an hour delivered in {:.2f} s: {:.0f} times real time\n", name, owed,
             took, against_real_time);
  EXPECT_GT(against_real_time, 5);

  service->stop();
  EXPECT_EQ(target->ticks_out_of_order(), 0);
  auto database = app::open_for_reading(config);
  ASSERT_TRUE(database);
  for (const auto* table : {&schema::market_ticks, &schema::technical_indicators})
    EXPECT_EQ(target->rows(*table), test::rows_of(**database, *table)) << table->name;
}

std::string name_of_target(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}
INSTANTIATE_TEST_SUITE_P(Targets, RemoteOutage, testing::Values("supabase", "snowflake"),
                         name_of_target);

TEST_F(SinkOutage, StopsIngestAtTheBudgetAndNamesAndFillsWhatWasMissed) {
  config.log.disk_budget_mib = 1;
  config.log.when_full = "stop_ingest";
  config.fetch_interval = 10s;
  ASSERT_NO_FATAL_FAILURE(launch());
  receiver.set_away(true);
  ASSERT_TRUE(test::eventually([this] { return is_paused(); }));
  const Time paused = venue.now();
  const auto frames = service->feeds().front().frames;
  const std::string health = get("/health");
  EXPECT_THAT(health, HasSubstr("binance: paused: the log's disk budget is used up"));
  EXPECT_THAT(health, HasSubstr("sink webhook: backing_off: webhook: HTTP 503"));
  ASSERT_TRUE(test::eventually([&] { return venue.now() >= paused + 5min; }));
  EXPECT_TRUE(is_paused());
  EXPECT_LE(service->feeds().front().frames, frames + 100) << "nobody listens";
  const auto size = service->log().size;
  EXPECT_LT(size.bytes, size.budget_bytes + (std::uint64_t{1} << 19));
  EXPECT_EQ(size.dropped_rows, 0);
  EXPECT_THAT(get("/v1/sinks"), HasSubstr(R"("budget_bytes":1048576)"));

  receiver.set_away(false);
  ASSERT_TRUE(test::eventually([this] { return !is_paused(); }));
  const Time resumed = venue.now();
  // A minute of the pause is named with its cause, and then filled.
  const Time missed = std::chrono::ceil<std::chrono::minutes>(paused) + 2min;
  const auto spans = [&] {
    std::vector<std::string> told;
    auto database = app::open_for_reading(config);
    const auto known = query::coverage(
        **database, {.exchange = "binance", .symbol = "BTC/USDT", .timeframe = "1m"});
    EXPECT_TRUE(known);
    for (const auto& span : *known) {
      if (span.stream == "candles" && span.from <= missed && missed < span.to)
        told.push_back(span.state + " " + span.cause.value_or("-"));
    }
    return told;
  };
  EXPECT_TRUE(test::eventually([&] {
    return spans() == std::vector<std::string>{"backfilled ingest_paused"};
  })) << ::testing::PrintToString(spans());
  ASSERT_TRUE(test::eventually([&] { return venue.now() >= resumed + 3min; }));
  const Time until = std::chrono::floor<std::chrono::minutes>(resumed) + 1min;
  EXPECT_TRUE(test::eventually([&] {
    auto database = app::open_for_reading(config);
    const auto stored = test::stored_candles(**database, "binance", "BTC/USDT", start, until);
    return stored.size() == static_cast<std::size_t>((until - start) / 1min);
  }));
  service->stop();
  auto database = app::open_for_reading(config);
  ASSERT_TRUE(database);
  for (const auto& symbol : symbols)
    test::expect_the_truth(venue, **database, symbol, start, until);
  EXPECT_GE(observer.count("ingest_stopped"), 1U);
  EXPECT_EQ(observer.count("ingest_stopped"), observer.count("ingest_resumed"));
  EXPECT_EQ(receiver.complaint(), "");
}

TEST_F(SinkOutage, GivesUpOnlyTheRowsOfTheSinkThatLags) {
  config.log.disk_budget_mib = 1;
  config.log.when_full = "drop_oldest_for_sink";
  config.fetch_interval = 10s;
  ASSERT_NO_FATAL_FAILURE(launch());
  const auto lost_before = sink("webhook").dropped_rows;
  receiver.set_away(true);
  const Time down = venue.now();
  ASSERT_TRUE(
      test::eventually([&] { return sink("webhook").dropped_rows > lost_before + 100; }, 90s));
  EXPECT_FALSE(is_paused());
  const auto size = service->log().size;
  EXPECT_LT(size.bytes, size.budget_bytes + (std::uint64_t{1} << 19));
  EXPECT_THAT(get("/v1/sinks"), HasSubstr(R"("dropped_rows":)"));
  EXPECT_THAT(get("/metrics"), HasSubstr("candlewick_sink_dropped_rows{sink=\"webhook\"}"));
  // Unless it had the batch in hand just then.
  EXPECT_LT(sink("sqlite").dropped_rows, sink("webhook").dropped_rows);
  const Time up = venue.now();
  receiver.set_away(false);
  ASSERT_TRUE(test::eventually([&] { return sink("webhook").lag_rows < 100; }));
  service->stop();
  EXPECT_GE(observer.count("sink_rows_given_up"), 1U);
  // The warehouse has every instant, the receiver not.
  const auto stored = ticks("BTC/USDT", down, up);
  EXPECT_GE(std::ssize(stored), (up - down) / 10s - 1);
  auto database = app::open_for_reading(config);
  ASSERT_TRUE(database);
  EXPECT_LT(receiver.rows(schema::market_ticks)->size(),
            test::rows_of(**database, schema::market_ticks)->size());
  EXPECT_EQ(receiver.complaint(), "");
}

}  // namespace
}  // namespace candlewick
