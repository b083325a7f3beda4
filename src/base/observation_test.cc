// Log lines and counters that follow from observations.
#include "base/observation.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/json.h"
#include "base/metrics.h"
#include "base/secret.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

constexpr ObservationKind connected{.name = "connected", .level = Severity::info};
constexpr ObservationKind noise{.name = "noise", .level = Severity::debug};
constexpr ObservationKind refused{.name = "refused",
                                  .level = Severity::error,
                                  .metric = "candlewick_feed_refused_frames_total",
                                  .help = "Frames refused",
                                  .labels = {"venue", "error_kind"}};
constexpr ObservationKind written{.name = "written",
                                  .level = Severity::debug,
                                  .metric = "candlewick_sink_written_rows_total",
                                  .help = "Rows written",
                                  .labels = {"sink"},
                                  .amount = "rows"};

struct Log {
  FakeClock clock{time_from_ms(1723161540000)};
  std::vector<std::string> lines;
  LogObserver observer;

  explicit Log(LogObserver::Options options = {})
      : observer(
            clock, std::move(options),
            [](void* context, std::string_view line) {
              static_cast<Log*>(context)->lines.emplace_back(line);
            },
            this) {}
};

TEST(LogObserver, WritesOneJsonLineWithTheFieldsInTheirOrder) {
  Log log;
  log.observer.observe(
      connected, {{"took_ms", 1.5}, {"attempt", 2U}, {"venue", "binance"}, {"error", "a\"b\n"}});
  EXPECT_EQ(
      log.lines,
      (std::vector<std::string>{
          R"({"time":"2024-08-08T23:59:00Z","level":"info","event":"connected","venue":"binance",)"
          R"("took_ms":1.5,"attempt":2,"error":"a\"b\n"})"
          "\n"}));
}

TEST(LogObserver, LinesAreValidJsonWhateverTheTextHolds) {
  Log log;
  log.observer.observe(connected, {{"error", std::string_view("cut \xe2\x82 \x01\0 end", 13)}});
  json::Reader reader;
  EXPECT_TRUE(reader.read(log.lines.at(0), [](json::Value root) {
    root.members([](std::string_view, json::Value value) { (void)value.string(); });
  }));
}

TEST(LogObserver, LeavesOutWhatIsBelowItsLevel) {
  Log log({.level = Severity::info});
  log.observer.observe(noise);
  EXPECT_TRUE(log.lines.empty());
  Log chatty({.level = Severity::debug});
  chatty.observer.observe(noise);
  EXPECT_EQ(chatty.lines.size(), 1U);
}

TEST(LogObserver, RepeatsAnErrorOnceInTenSecondsWithACount) {
  Log log;
  const auto fail_at = [&](std::string_view venue) {
    log.observer.observe(refused, {{"venue", venue}, {"error", "bad"}});
  };
  fail_at("binance");
  for (int i = 0; i < 5; ++i) fail_at("binance");
  EXPECT_EQ(log.lines.size(), 1U);
  fail_at("kraken");
  EXPECT_EQ(log.lines.size(), 2U) << "another venue is another trouble";
  log.clock.advance(9s);
  fail_at("binance");
  EXPECT_EQ(log.lines.size(), 2U);
  log.clock.advance(1s);
  fail_at("binance");
  ASSERT_EQ(log.lines.size(), 3U);
  EXPECT_NE(log.lines[2].find("\"repeats\":6"), std::string::npos) << log.lines[2];
}

TEST(LogObserver, TellsWhatItHeldBackOnceTheTroubleIsOver) {
  Log log;
  for (int i = 0; i < 3; ++i) log.observer.observe(refused, {{"venue", "binance"}, {"attempt", i}});
  log.clock.advance(11s);
  log.observer.observe(connected);
  ASSERT_EQ(log.lines.size(), 3U);
  EXPECT_NE(log.lines[1].find("\"attempt\":2,\"repeats\":2"), std::string::npos) << log.lines[1];
  for (int i = 0; i < 2; ++i) log.observer.observe(refused, {{"venue", "kraken"}});
  log.observer.flush();
  ASSERT_EQ(log.lines.size(), 5U);
  EXPECT_NE(log.lines[4].find("\"repeats\":1"), std::string::npos) << log.lines[4];
  log.observer.flush();
  EXPECT_EQ(log.lines.size(), 5U);
}

TEST(LogObserver, DoesNotHoldBackWhatIsNoTrouble) {
  Log log;
  for (int i = 0; i < 3; ++i) log.observer.observe(connected);
  EXPECT_EQ(log.lines.size(), 3U);
}

TEST(LogObserver, StarsOutSecrets) {
  Log log({.secrets = {"hunter2", "hunter2-and-more", "abc", ""}});
  log.observer.observe(connected, {{"error", "login hunter2-and-more/hunter2hunter2 abc failed"}});
  EXPECT_NE(log.lines.at(0).find("\"login ***/****** abc failed\""), std::string::npos)
      << log.lines.at(0);
}

TEST(LogObserver, KeepsLinesWholeWhenThreadsWrite) {
  Log log({.level = Severity::debug});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 500; ++j)
          log.observer.observe(noise, {{"venue", "binance"}, {"sequence", j}});
      });
    }
  }
  EXPECT_EQ(log.lines.size(), 2000U);
}

TEST(MetricsObserver, AddsToTheCounterOfTheKindByItsLabels) {
  Metrics metrics;
  MetricsObserver observer(metrics);
  observer.observe(refused,
                   {{"venue", "binance"}, {"error_kind", "malformed"}, {"error", "not a label"}});
  observer.observe(refused, {{"venue", "binance"}, {"error_kind", "malformed"}});
  observer.observe(refused, {{"venue", "kraken"}});
  observer.observe(written, {{"sink", "supabase"}, {"rows", 250}});
  observer.observe(connected);
  const auto count = [&](const Labels& labels) {
    return metrics.counter("candlewick_feed_refused_frames_total", "", labels).value();
  };
  EXPECT_EQ(count({{"venue", "binance"}, {"error_kind", "malformed"}}), 2);
  EXPECT_EQ(count({{"venue", "kraken"}, {"error_kind", ""}}), 1);
  EXPECT_EQ(
      metrics.counter("candlewick_sink_written_rows_total", "", {{"sink", "supabase"}}).value(),
      250);
}

TEST(TeeObserver, TellsEachOfThem) {
  RecordingObserver first;
  RecordingObserver second;
  TeeObserver tee({&first, &second});
  tee.observe(refused, {{"venue", "binance"}, {"sequence", 17}});
  EXPECT_EQ(first.lines(), (std::vector<std::string>{"refused venue=binance sequence=17"}));
  EXPECT_EQ(second.count("refused"), 1U);
  EXPECT_EQ(second.count("refuse"), 0U);
}

TEST(Field, KeysAreAClosedSet) {
  EXPECT_EQ(field_keys.size(), 14U);
  for (const auto label : label_keys) {
    EXPECT_NE(std::ranges::find(field_keys, label), field_keys.end()) << label;
  }
}

TEST(Secret, DoesNotPrint) {
  const Secret secret("hunter2");
  EXPECT_EQ(fmt::format("{}", secret), "***");
  EXPECT_EQ(testing::PrintToString(secret), "***");
  EXPECT_EQ(fmt::format("{}", Secret()), "");
  EXPECT_EQ(secret.reveal(), "hunter2");
}

}  // namespace
}  // namespace candlewick
