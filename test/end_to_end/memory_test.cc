// Whether the service's memory stays flat: its resident size after an hour of a feed at full speed
// against that after five minutes. In the soak only (./x soak), when nothing else takes the
// machine. Beyond the hour it grows again to a bound: the candles that corrections can reach fill
// up in some three days.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "base/config.h"
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
constexpr double most_growth = 1.05;

// In KiB; 0 when the process is gone.
std::int64_t resident_size(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    std::int64_t size = 0;
    status >> size;
    return size;
  }
  return 0;
}

TEST(Memory, IsFlatOverAnHourOfAFeedAtFullSpeed) {
  const char* given = std::getenv("CANDLEWICK_TEST_MEMORY_MINUTES");
  if (given == nullptr) GTEST_SKIP() << "CANDLEWICK_TEST_MEMORY_MINUTES=60 runs it";
  const auto minutes = std::chrono::minutes{std::strtoll(given, nullptr, 10)};
  test::SimulatedVenue venue("binance", 1, start, std::nullopt);
  const test::TemporaryFolder folder;
  test::Program service("CANDLEWICK", {"run"}, "",
                        {{"BINANCE_BASE_URL", venue.base_url()},
                         {"BINANCE_WS_URL", venue.ws_url()},
                         {"CANDLEWICK_DATA_DIR", folder.path().string()},
                         {"CANDLEWICK_HTTP_LISTEN", "127.0.0.1:0"}});
  // The five minutes begin when the history of all is in, for that is what fills the memory.
  std::unique_ptr<warehouse::Database> database;
  const auto has_all_until = [&](Time end) {
    if (!database) {
      auto opened = warehouse::open_sqlite_for_reading(folder.path() / "warehouse.db");
      if (!opened) return false;
      database = std::move(*opened);
    }
    return std::ranges::all_of(Config{}.symbols, [&](const std::string& symbol) {
      return test::stored_candles(*database, "binance", symbol, start - 48h, end).size() ==
             static_cast<std::size_t>((end - start + 48h) / 1min);
    });
  };
  ASSERT_TRUE(
      test::eventually([&] { return !service.is_running() || has_all_until(start + 1min); }));
  ASSERT_TRUE(service.is_running()) << "ended with " << service.wait().status << service.err();
  const Time begin = std::chrono::floor<std::chrono::minutes>(venue.now());
  std::int64_t early = 0;
  std::int64_t late = 0;
  for (auto at = 5min; at <= minutes; at += 5min) {
    ASSERT_TRUE(
        test::eventually([&] { return !service.is_running() || venue.now() >= begin + at; }, 600s));
    ASSERT_TRUE(service.is_running()) << "ended with " << service.wait().status << service.err();
    late = resident_size(service.process());
    if (early == 0) early = late;
    fmt::print("after {:2} minutes: {} KiB, {:.3f} of that after 5\n", at.count(), late,
               static_cast<double>(late) / static_cast<double>(early));
  }
  EXPECT_TRUE(test::eventually([&] { return has_all_until(begin + minutes); }))
      << "memory is flat because nothing is done";
  const auto finished = service.stop();
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_GT(early, 0);
  EXPECT_GT(late, 0);
  EXPECT_LE(static_cast<double>(late), most_growth * static_cast<double>(early));
}

}  // namespace
}  // namespace candlewick
