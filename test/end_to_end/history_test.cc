// A month of real minutes through the simulator's REST into every kind of warehouse: they come out
// as they went in, and roll up to the five-minute candles that the venue itself recorded.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "app/warehouse_choice.h"
#include "base/line_reader.h"
#include "query/candles.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/shared_data.h"
#include "test/support/temporary_folder.h"
#include "test/support/warehouse_kind.h"

namespace candlewick {
namespace {

// open high low close volume, by open time.
using Candles = std::map<Time, std::string>;

// With the venue's eight digits: the files hold what doubles made of some volumes.
std::string exact(const std::string& text) {
  const auto value = Decimal::parse(text);
  EXPECT_TRUE(value) << text;
  constexpr int128 digit = Decimal::one / 100'000'000;
  const int128 count = value.value_or(Decimal{}).count();
  return Decimal::from_count((count + digit / 2) / digit * digit).to_string();
}

// Sanitizers make it slow: one symbol tells as much there.
std::vector<std::string> some(std::vector<std::string> symbols) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  symbols.resize(1);
#endif
  return symbols;
}

// Epoch milliseconds, or "2025-05-30 16:39:00+00:00".
Time time_of(std::string text) {
  if (text.find('-') == std::string::npos) return time_from_ms(std::stoll(text));
  text[10] = 'T';
  const auto time = parse_rfc3339(text);
  EXPECT_TRUE(time) << text;
  return time.value_or(Time{});
}

Candles read_file(const std::filesystem::path& path) {
  Candles candles;
  auto reader = LineReader::open(path.string());
  EXPECT_TRUE(reader) << path;
  if (!reader) return candles;
  std::string line;
  bool is_header = true;
  while (reader->next(line).value_or(false)) {
    if (std::exchange(is_header, false)) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 0; at <= line.size();) {
      const auto comma = std::min(line.find(',', at), line.size());
      cells.push_back(line.substr(at, comma - at));
      at = comma + 1;
    }
    std::string numbers;
    for (std::size_t i = 1; i <= 5; ++i) numbers += exact(cells.at(i)) + " ";
    candles.emplace(time_of(cells.at(0)), numbers);
  }
  return candles;
}

std::string numbers_of(const query::Candle& candle) {
  std::string numbers;
  for (const auto& value : {candle.open, candle.high, candle.low, candle.close, candle.volume})
    numbers += value.to_string() + " ";
  return numbers;
}

class History : public ::testing::TestWithParam<test::WarehouseKind> {
 protected:
  void SetUp() override {
    if (!test::have_shared_data()) GTEST_SKIP() << "no recordings beside the project";
    if (const auto reason = test::skip_reason(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
    config.data_dir = (folder.path() / "data").string();
    config.warehouse = "sqlite";
    environment["CANDLEWICK_DATA_DIR"] = config.data_dir;
    if (GetParam() == test::WarehouseKind::sqlite) return;
    server = std::make_unique<test::PostgresServer>(
        test::PostgresOptions{.kind = test::postgres_kind(GetParam())});
    ASSERT_EQ(server->problem(), "");
    config.warehouse = "postgres";
    config.database_url = Secret(server->make_database("candlewick"));
    environment["DATABASE_URL"] = config.database_url.reveal();
  }
  static std::filesystem::path file(std::string_view name, std::string_view symbol) {
    return std::filesystem::absolute(test::shared_data() / "history" /
                                     fmt::format(fmt::runtime(name), symbol));
  }
  // Serves the files of these symbols from the end of their last candle on.
  void serve(std::string_view name, const std::vector<std::string>& symbols) {
    std::vector<std::string> words{"--exchange", "binance", "--port", "0", "--candles"};
    for (const auto& symbol : symbols) words.push_back(file(name, symbol).string());
    simulator = std::make_unique<test::Program>("CANDLEWICK_SIM", words);
    std::string url;
    ASSERT_TRUE(test::eventually([&] {
      const std::string said = simulator->err();
      const auto begin = said.find("http://");
      const auto end = said.find(' ', begin);
      if (begin == std::string::npos || end == std::string::npos) return !simulator->is_running();
      url = said.substr(begin, end - begin);
      return true;
    }));
    ASSERT_FALSE(url.empty()) << simulator->err();
    environment["BINANCE_BASE_URL"] = url;
    environment["BINANCE_WS_URL"] = "ws" + url.substr(4);
  }
  void fill(const std::string& symbol, Time from, Time until) {
    const auto filled =
        test::run_program("CANDLEWICK",
                          {"backfill", "--exchange", "binance", "--symbol", symbol, "--timeframe",
                           "1m", "--start", to_rfc3339(from), "--end", to_rfc3339(until)},
                          {}, environment);
    ASSERT_EQ(filled.status, 0) << filled.err;
  }
  std::vector<query::Candle> stored(const std::string& symbol, Timeframe timeframe, Time from,
                                    Time until) {
    const auto database = app::open_for_reading(config);
    EXPECT_TRUE(database) << database.error().message;
    if (!database) return {};
    auto candles = query::candles(**database, {.exchange = "binance",
                                               .symbol = symbol,
                                               .timeframe = timeframe,
                                               .start = from,
                                               .end = until,
                                               .limit = 100'000,
                                               .closed_only = true});
    EXPECT_TRUE(candles) << candles.error().message;
    return candles ? *std::move(candles) : std::vector<query::Candle>{};
  }

  test::TemporaryFolder folder;
  std::unique_ptr<test::PostgresServer> server;
  std::unique_ptr<test::Program> simulator;
  Config config;
  std::map<std::string, std::string> environment{{"CANDLEWICK_FEED_REQUEST_BUDGET_PERCENT", "100"}};
};

TEST_P(History, AMonthOfFiveSymbolsComesOutAsItWentIn) {
  constexpr std::string_view name = "binance-spot-1m-{}-2021-04-20_2021-05-20.csv.zst";
  const auto symbols = some({"BTCUSDT", "ETHUSDT", "DOGEUSDT", "LTCUSDT", "XRPUSDT"});
  ASSERT_NO_FATAL_FAILURE(serve(name, symbols));
  for (const auto& symbol : symbols) {
    const auto wanted = read_file(file(name, symbol));
    ASSERT_GT(wanted.size(), 42'900U) << symbol;
    const Time from = wanted.begin()->first;
    const Time until = wanted.rbegin()->first;  // the last one may not be final yet
    ASSERT_NO_FATAL_FAILURE(fill(symbol, from, until));
    const auto candles =
        stored(symbol.substr(0, symbol.size() - 4) + "/USDT", Timeframe::m1, from, until);
    ASSERT_EQ(candles.size(), wanted.size() - 1) << symbol;
    for (const auto& candle : candles) {
      const auto same = wanted.find(candle.timestamp);
      ASSERT_NE(same, wanted.end()) << symbol << " " << to_rfc3339(candle.timestamp);
      ASSERT_EQ(numbers_of(candle), same->second) << symbol << " " << to_rfc3339(same->first);
    }
  }
}

TEST_P(History, MinutesRollUpToTheVenuesOwnFiveMinutes) {
  constexpr std::string_view minutes = "bybit-linear-1m-{}-2025-05_2025-06.csv.zst";
  constexpr std::string_view fives = "bybit-linear-5m-{}-2025-04_2025-07.csv.zst";
  const auto symbols = some({"BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"});
  ASSERT_NO_FATAL_FAILURE(serve(minutes, symbols));
  for (const auto& symbol : symbols) {
    const auto sources = read_file(file(minutes, symbol));
    const auto wanted = read_file(file(fives, symbol));
    const Time from = sources.begin()->first;
    const Time until = sources.rbegin()->first;
    ASSERT_NO_FATAL_FAILURE(fill(symbol, from, until));
    std::size_t compared = 0;
    for (const auto& candle :
         stored(symbol.substr(0, symbol.size() - 4) + "/USDT", Timeframe::m5, from, until)) {
      if (!candle.is_complete) continue;
      const auto same = wanted.find(candle.timestamp);
      if (same == wanted.end()) continue;
      ASSERT_EQ(numbers_of(candle), same->second) << symbol << " " << to_rfc3339(same->first);
      EXPECT_EQ(candle.bars, 5);
      ++compared;
    }
    // The minutes of the files begin and end within a bar of five.
    EXPECT_GE(compared, 8639U) << symbol;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, History, test::all_warehouse_kinds(), test::warehouse_kind_name);

}  // namespace
}  // namespace candlewick
