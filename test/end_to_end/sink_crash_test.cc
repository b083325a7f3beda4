// The service as a process of its own, killed at every step of every sink (base/fault_point.h) and
// started again: in the end all targets hold the same rows, and none holds one twice. The list of
// steps is read from the sources, so a new one is in it by itself.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/digest.h"
#include "log/sqlite_log.h"
#include "sink/delivery.h"
#include "test/end_to_end/remote_targets.h"
#include "test/end_to_end/sink_targets.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;
using test::SinkTarget;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 120;

// A soak gives others than the suite's: another market, and deaths at the second or third time that
// a step is come to.
std::uint64_t seed() {
  const char* given = std::getenv("CANDLEWICK_TEST_SEED");
  return given == nullptr ? 0 : std::strtoull(given, nullptr, 10);
}

std::vector<std::unique_ptr<SinkTarget>> make_targets(const std::filesystem::path& data_dir) {
  std::vector<std::unique_ptr<SinkTarget>> targets;
  targets.push_back(std::make_unique<test::SqliteTarget>(data_dir));
  targets.push_back(std::make_unique<test::PostgresTarget>());
  targets.push_back(std::make_unique<test::WebhookTarget>());
  targets.push_back(std::make_unique<test::SupabaseTarget>());
  targets.push_back(std::make_unique<test::SnowflakeTarget>());
  return targets;
}

using Names = std::set<std::string, std::less<>>;

// Steps that are died at elsewhere.
const std::map<std::string, std::string, std::less<>> died_at_elsewhere{
    {"snowflake.after_append",
     "of Snowpipe Streaming, which fakesnow does not speak: test/snowflake/streaming_test.py"}};

// The steps that stand in the sinks' sources.
std::set<std::string> written_steps() {
  std::set<std::string> steps;
  const std::regex pattern(R"(fault_point(_of)?\("([a-z_.]+)\")");
  for (const auto& file : std::filesystem::directory_iterator("src/sink")) {
    if (file.path().extension() != ".cc") continue;
    std::ostringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const std::string source = text.str();
    for (std::sregex_iterator found(source.begin(), source.end(), pattern), end; found != end;
         ++found) {
      steps.insert((*found)[2]);
    }
  }
  return steps;
}

bool happens_with(std::string_view step, const SinkTarget& target) {
  if (step == "delivery.planned") return target.has_stable_batches();
  if (step.ends_with("_past") || step.ends_with("_past_batch")) return !target.is_warehouse();
  if (step.ends_with("_dead_letters") || step.ends_with("_halves")) return target.refuses_rows();
  return true;
}

struct FaultPoint {
  std::string name;
  const SinkTarget* target = nullptr;
  bool is_of_past = false;
};

// What happens once in a sink's life comes first, each time with that sink alone: another one would
// have its past by then. In `strays` the steps that no target comes to; those of `left_out` are
// none.
std::vector<FaultPoint> fault_points(const std::vector<std::unique_ptr<SinkTarget>>& targets,
                                     const Names& left_out, Names& strays) {
  std::vector<FaultPoint> once;
  std::vector<FaultPoint> often;
  for (const auto& step : written_steps()) {
    if (died_at_elsewhere.contains(step)) continue;
    const std::string prefix = step.substr(0, step.find('.'));
    bool is_met = left_out.contains(prefix);
    for (const auto& target : targets) {
      if (prefix == "delivery") {
        if (!happens_with(step, *target)) continue;
        const bool is_of_past = step.find("_past") != std::string::npos;
        (is_of_past ? once : often)
            .push_back({fmt::format("{}@{}", step, target->sink()), target.get(), is_of_past});
      } else if (prefix == target->sink()) {
        often.push_back({step, target.get()});
      } else {
        continue;
      }
      is_met = true;
    }
    if (!is_met) strays.insert(step);
  }
  for (auto& point : often) {
    const bool is_once_a_process = point.name.ends_with("_login");
    point.name += fmt::format(":{}", is_once_a_process ? 1 : 1 + seed() % 3);
    once.push_back(std::move(point));
  }
  return once;
}

class Crashes : public testing::Test {
 protected:
  // The service with one warehouse, and those of the other targets that it is to have.
  using Choice = std::function<bool(const SinkTarget& target)>;
  static bool all(const SinkTarget&) { return true; }
  static bool none(const SinkTarget&) { return false; }

  std::unique_ptr<test::Program> launch(const SinkTarget& warehouse, const Choice& others,
                                        const std::string& dies_at) {
    test::Environment environment{
        {"BINANCE_BASE_URL", venue.base_url()},
        {"BINANCE_WS_URL", venue.ws_url()},
        {"SYMBOLS", "BTC,ETH"},
        {"CANDLEWICK_DATA_DIR", folder.path().string()},
        {"CANDLEWICK_HTTP_LISTEN", "127.0.0.1:0"},
        {"CANDLEWICK_SINK_SINCE", to_rfc3339(start - std::chrono::days{30})},
        {"CANDLEWICK_FEED_REQUEST_BUDGET_PERCENT", "90"},
        {"CANDLEWICK_FAULT_POINT", dies_at}};
    environment.merge(warehouse.environment());
    for (const auto& target : targets) {
      if (!target->is_warehouse() && others(*target)) environment.merge(target->environment());
    }
    return std::make_unique<test::Program>("CANDLEWICK", std::vector<std::string>{"run"}, "",
                                           environment);
  }

  void run_until(const SinkTarget& warehouse, const Choice& others, Time until) {
    const auto service = launch(warehouse, others, "");
    EXPECT_TRUE(
        test::eventually([&] { return !service->is_running() || venue.now() >= until; }, 60s));
    const auto finished = service->stop();
    EXPECT_EQ(finished.status, 0) << finished.err;
  }

  void die_at(const FaultPoint& point) {
    const auto& warehouse = point.target->is_warehouse() ? *point.target : *targets.front();
    const auto service = launch(
        warehouse,
        [&](const SinkTarget& other) { return !point.is_of_past || &other == point.target; },
        point.name);
    const bool has_ended = test::eventually([&] { return !service->is_running(); }, 30s);
    if (!has_ended) {
      ADD_FAILURE() << "it never came to " << point.name << "\n" << service->err();
      service->kill();
    }
    EXPECT_EQ(service->wait().status, 128 + SIGKILL) << point.name << "\n" << service->err();
  }

  // What the log holds, as the service delivers it when it starts.
  void catch_up(std::unique_ptr<sink::Sink> sink) {
    sink::Delivery delivery(
        std::move(sink), log::open_sqlite_log({.path = folder.path() / "log.db"}).value(), clock);
    const auto drained = delivery.drain();
    EXPECT_TRUE(drained) << drained.error().message;
  }

  void expect_the_same_rows() {
    for (const auto* table : schema::all_tables()) {
      if (table == &schema::instruments) continue;
      std::optional<std::vector<std::string>> wanted;
      for (const auto& target : targets) {
        const auto held = target->rows(*table);
        if (!held) continue;
        app::Sha256 digest;
        for (const auto& line : *held) digest.add(line);
        const auto hash = digest.hex();
        fmt::print("{:22} {:10} {:6} rows {}\n", table->name, target->sink(), held->size(),
                   hash.substr(0, 16));
        const auto twice = std::ranges::adjacent_find(*held);
        EXPECT_TRUE(twice == held->end()) << target->sink() << " has twice: " << *twice;
        if (!wanted) {
          wanted = held;
          continue;
        }
        EXPECT_EQ(held->size(), wanted->size()) << table->name << " of " << target->sink();
        std::vector<std::string> different;
        std::ranges::set_symmetric_difference(*held, *wanted, std::back_inserter(different));
        EXPECT_TRUE(different.empty()) << table->name << " of " << target->sink() << " differs in "
                                       << different.size() << " rows: " << different.front();
      }
    }
  }

  test::SimulatedVenue venue{"binance", 9 + seed(), start + 30s,
                             speed,     "",         {.pause_when_alone = true}};
  test::TemporaryFolder folder;
  RealClock clock;
  std::vector<std::unique_ptr<SinkTarget>> targets = make_targets(folder.path());
};

TEST_F(Crashes, AtEveryStepOfEverySinkEndInTheSameRowsInAllTargets) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a process under a sanitizer is too slow for a venue at 120 times its speed";
#endif
#if !defined(CANDLEWICK_FAULT_POINTS)
  if (std::getenv("CI") != nullptr) FAIL() << "built without CANDLEWICK_FAULT_POINTS";
  GTEST_SKIP() << "built without CANDLEWICK_FAULT_POINTS";
#endif
  Names left_out;
  for (const auto& target : targets) {
    const auto missing = target->missing();
    if (missing.empty()) continue;
    if (std::getenv("CI") != nullptr) FAIL() << missing;
    fmt::print("{} is left out: {}\n", target->sink(), missing);
    left_out.emplace(target->sink());
  }
  std::erase_if(targets, [&](const auto& target) { return left_out.contains(target->sink()); });
  for (const auto& target : targets) ASSERT_EQ(target->start(), "") << target->sink();
  Names strays;
  const auto points = fault_points(targets, left_out, strays);
  ASSERT_TRUE(strays.empty()) << "no target comes to " << fmt::format("{}", strays);
  ASSERT_GT(points.size(), 20U);
  // So that those who come later have a past.
  run_until(*targets[0], none, start + 4min);
  for (const auto& point : points) die_at(point);
  for (const auto& target : targets) target->accept_everything();
  for (const auto& target : targets) {
    if (target->is_warehouse()) run_until(*target, all, venue.now() + 2min);
  }
  const auto sent = test::run_program("CANDLEWICK", {"dead-letters", "resend", "--all"}, "",
                                      {{"CANDLEWICK_DATA_DIR", folder.path().string()}});
  EXPECT_EQ(sent.status, 0) << sent.err;
  EXPECT_NE(sent.out, "") << "nothing was refused";
  run_until(*targets[0], all, venue.now() + 1min);
  // The log goes on while one warehouse is written; the other has the rest of it now, and so has a
  // slow target.
  for (const auto& target : targets) {
    if (auto sink = target->make_sink(clock)) catch_up(std::move(sink));
  }
  expect_the_same_rows();
  for (const auto& target : targets) EXPECT_EQ(target->complaint(), "");
  fmt::print("killed at {} steps within {} minutes of the venue's time\n", points.size(),
             (venue.now() - start) / 1min);
}

}  // namespace
}  // namespace candlewick
