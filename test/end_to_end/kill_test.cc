// The service as a process of its own, killed at random moments and started again, beside one that
// runs unbroken on the same market: both must end with the same candles, ticks and indicators,
// whether the venue's time stands still while the service is dead, or goes on.
//
//   CANDLEWICK_TEST_KILLS=100 end_to_end_test --gtest_filter='Kill.*'     more kills
//   CANDLEWICK_TEST_SEED=17                                               other moments
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include <fmt/format.h>

#include "query/snapshots.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/simulated_venue.h"
#include "test/support/stored_candles.h"
#include "test/support/temporary_folder.h"
#include "warehouse/database.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 60;
const std::vector<std::string> symbols{"BTC/USDT", "ETH/USDT"};

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr std::uint64_t default_kills = 10;

// One venue, and a service that listens to it.
class Side {
 public:
  explicit Side(std::uint64_t seed)
      // Within a minute, so that either side begins in it whichever event it sees first.
      : venue("binance", seed, start + 30s, speed, "", {.pause_when_alone = true}) {}

  void launch() {
    service = std::make_unique<test::Program>(
        "CANDLEWICK", std::vector<std::string>{"run"}, "",
        std::map<std::string, std::string>{
            {"BINANCE_BASE_URL", venue.base_url()},
            {"BINANCE_WS_URL", venue.ws_url()},
            {"SYMBOLS", "BTC,ETH"},
            {"CANDLEWICK_DATA_DIR", folder.path().string()},
            {"CANDLEWICK_HTTP_LISTEN", "127.0.0.1:0"},
            // More than a hundred kills would otherwise use up the minute's weight.
            {"CANDLEWICK_FEED_REQUEST_BUDGET_PERCENT", "90"}});
  }
  std::unique_ptr<warehouse::Database> open() const {
    auto database = warehouse::open_sqlite_for_reading(folder.path() / "warehouse.db");
    return database ? std::move(*database) : nullptr;
  }
  std::vector<schema::Row> snapshots(bool of_indicators, const std::string& symbol,
                                     Time until) const {
    const auto database = open();
    if (!database) return {};
    const query::SnapshotQuery wanted{
        .exchange = "binance", .symbol = symbol, .end = until + 1ms, .limit = 100'000};
    auto rows =
        of_indicators ? query::indicators(*database, wanted) : query::ticks(*database, wanted);
    return rows ? *std::move(rows) : std::vector<schema::Row>{};
  }
  // The last minute and its snapshots are there; what else is missing the comparison tells.
  bool has_reached(Time end) const {
    for (const auto& symbol : symbols) {
      const auto ticks = snapshots(false, symbol, end);
      const auto indicators = snapshots(true, symbol, end);
      if (ticks.empty() || std::get<Time>(ticks.back().at("exchange_ts")) != end) return false;
      if (indicators.size() != ticks.size()) return false;
    }
    return true;
  }

  test::SimulatedVenue venue;
  test::TemporaryFolder folder;
  std::unique_ptr<test::Program> service;
};

// By the venue's time; or sooner, while it starts, by the requests that it has sent.
void kill_at_a_random_moment(Side& side, std::mt19937_64& random) {
  const bool while_it_starts = random() % 4 == 0;
  const auto requests = side.venue.requests() + random() % 8;
  const Time time = side.venue.now() + std::chrono::milliseconds{random() % 150'000};
  ASSERT_TRUE(test::eventually([&] {
    return !side.service->is_running() || side.venue.now() >= time ||
           (while_it_starts && side.venue.requests() >= requests);
  }));
  if (!side.service->is_running()) {
    const auto finished = side.service->wait();
    FAIL() << "it ended by itself with " << finished.status << ": " << finished.err;
  }
  side.service->kill();
}

void expect_the_same_candles(const Side& broken, const Side& unbroken, const std::string& symbol,
                             Time end) {
  const auto database = broken.open();
  const auto other = unbroken.open();
  ASSERT_TRUE(database && other);
  // How far back history goes depends on when they began.
  auto stored = test::stored_candles(*database, "binance", symbol, start - 48h, end);
  auto wanted = test::stored_candles(*other, "binance", symbol, start - 48h, end);
  EXPECT_EQ(wanted.size(), static_cast<std::size_t>((end - start + 48h) / 1min))
      << "even the unbroken run has holes";
  EXPECT_EQ(stored.size(), wanted.size()) << symbol;
  for (auto& [open_time, candle] : wanted) {
    const auto found = stored.find(open_time);
    if (found == stored.end()) {
      ADD_FAILURE() << symbol << " lacks " << to_rfc3339(open_time);
      continue;
    }
    candle.source = found->second.source;
    candle.ingested_at = found->second.ingested_at;
    EXPECT_TRUE(found->second == candle)
        << symbol << " " << to_rfc3339(open_time) << " is " << test::numbers_of(found->second)
        << ", unbroken " << test::numbers_of(candle);
  }
}

std::map<Time, schema::Row> by_instant(std::vector<schema::Row> rows) {
  std::map<Time, schema::Row> sorted;
  for (auto& row : rows) {
    const Time instant = std::get<Time>(row.at("exchange_ts"));
    EXPECT_TRUE(sorted.emplace(instant, std::move(row)).second) << "twice " << to_rfc3339(instant);
  }
  return sorted;
}

bool is_of_the_book(std::string_view column) {
  return column == "bid_depth" || column == "ask_depth" || column == "bid_ask_spread";
}

// Columns in which the two rows differ, though they should not.
std::string differences(const schema::Row& row, const schema::Row& wanted) {
  std::string text;
  for (const auto& column : row.table->columns) {
    const auto& name = column.name;
    if (name == "ingested_at" || name == "created_at" || name == "revision") continue;
    if (row.at(name) == wanted.at(name)) continue;
    // Nobody could see the book while the process was dead or had not begun, on either side, so the
    // ladder may be absent; another one would be made up.
    if (is_of_the_book(name) && (schema::is_null(row.at(name)) || schema::is_null(wanted.at(name))))
      continue;
    text += std::string(name) + " ";
  }
  return text;
}

// Answers how many instants have no ladder.
std::size_t expect_the_same_snapshots(bool of_indicators, const Side& broken, const Side& unbroken,
                                      const std::string& symbol, Time end) {
  const std::string what = (of_indicators ? "indicators of " : "tick of ") + symbol;
  const auto stored = by_instant(broken.snapshots(of_indicators, symbol, end));
  const auto wanted = by_instant(unbroken.snapshots(of_indicators, symbol, end));
  EXPECT_EQ(wanted.size(), static_cast<std::size_t>((end - start) / 1min)) << "in an unbroken run";
  std::size_t without_ladder = 0;
  for (const auto& [instant, row] : wanted) {
    const auto found = stored.find(instant);
    if (found == stored.end()) {
      ADD_FAILURE() << "no " << what << " at " << to_rfc3339(instant);
      continue;
    }
    const auto different = differences(found->second, row);
    EXPECT_EQ(different, "") << what << " at " << to_rfc3339(instant) << "\n"
                             << schema::to_json(found->second) << "\nunbroken\n"
                             << schema::to_json(row);
    if (!of_indicators && schema::is_null(found->second.at("bid_depth"))) ++without_ladder;
  }
  for (const auto& [instant, row] : stored) {
    EXPECT_TRUE(wanted.contains(instant)) << what << " that never was at " << to_rfc3339(instant);
  }
  return without_ladder;
}

// `longest_absence`: how long the service stays dead at most, in the venue's time; zero: that
// stands still meanwhile.
void kill_and_compare(Duration longest_absence, std::uint64_t kills) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a process under a sanitizer is too slow for a venue at 60 times its speed";
#endif
  const auto seed = setting("CANDLEWICK_TEST_SEED", 1);
  SCOPED_TRACE(fmt::format("CANDLEWICK_TEST_SEED={} CANDLEWICK_TEST_KILLS={}", seed, kills));
  std::mt19937_64 random(seed);
  const bool time_waits = longest_absence == Duration{0};
  // Time waits for both to begin: what recursive indicators start from depends on that moment.
  Side unbroken(seed);
  Side broken(seed);
  unbroken.launch();
  for (std::uint64_t i = 0; i < kills; ++i) {
    broken.launch();
    ASSERT_NO_FATAL_FAILURE(kill_at_a_random_moment(broken, random));
    // Before its first row it has not begun.
    if (time_waits || broken.snapshots(true, symbols.back(), broken.venue.now()).empty()) continue;
    broken.venue.pause_when_alone(false);
    const Time back =
        broken.venue.now() +
        std::chrono::milliseconds{random() % static_cast<std::uint64_t>(longest_absence / 1ms)};
    ASSERT_TRUE(test::eventually([&] { return broken.venue.now() >= back; }));
    broken.venue.pause_when_alone(true);
  }
  broken.launch();
  const Time end = std::chrono::ceil<std::chrono::minutes>(broken.venue.now()) + 2min;
  for (Side* side : {&broken, &unbroken}) {
    ASSERT_TRUE(test::eventually([&] { return side->venue.now() >= end + 10s; }, 120s));
    EXPECT_TRUE(test::eventually([&] { return side->has_reached(end); }, 20s))
        << "no snapshot at " << to_rfc3339(end);
    const auto finished = side->service->stop();
    EXPECT_EQ(finished.status, 0) << finished.err;
  }

  std::size_t without_ladder = 0;
  for (const auto& symbol : symbols) {
    expect_the_same_candles(broken, unbroken, symbol, end);
    without_ladder += expect_the_same_snapshots(false, broken, unbroken, symbol, end);
    expect_the_same_snapshots(true, broken, unbroken, symbol, end);
  }
  const auto instants = static_cast<std::size_t>((end - start) / 1min) * symbols.size();
  fmt::print("{} kills in {} minutes of the venue's time; {} of {} ticks without a ladder\n", kills,
             (end - start) / 1min, without_ladder, instants);
  // The process lived for most of the time, and saw the book.
  EXPECT_LT(without_ladder, instants);
}

TEST(Kill, EndsInTheSameRowsAsAnUnbrokenRun) {
  kill_and_compare(0s, setting("CANDLEWICK_TEST_KILLS", default_kills));
}

TEST(Kill, MakesUpForWhatItMissedWhileItWasDead) {
  kill_and_compare(3min, setting("CANDLEWICK_TEST_KILLS", default_kills) / 2);
}

}  // namespace
}  // namespace candlewick
