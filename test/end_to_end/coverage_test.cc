// An outage of a real venue, out of its own history: what `backfill` proves about it, and what
// `verify` finds, repairs and stays silent about.
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/time.h"
#include "sqlite/database.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/shared_data.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using test::Finished;
using ::testing::HasSubstr;

struct Span {
  std::string symbol;
  std::string from;
  std::string to;
  std::string state;
  std::string cause;
  std::string evidence;
};

class SimulatedHistory : public testing::Test {
 protected:
  // `name`: what the venue's settings begin with.
  void begin(std::string_view name, const std::vector<std::string>& arguments) {
    simulator = std::make_unique<test::Program>("CANDLEWICK_SIM", arguments);
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
    environment = {{fmt::format("{}_BASE_URL", name), url},
                   {fmt::format("{}_WS_URL", name), "ws" + url.substr(4)},
                   {"CANDLEWICK_DATA_DIR", folder.path() / "data"}};
  }

  Finished candlewick_(const std::vector<std::string>& arguments) {
    return test::run_program("CANDLEWICK", arguments, {}, environment);
  }
  std::vector<Span> coverage(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"coverage", "--format", "jsonl"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto shown = candlewick_(arguments);
    EXPECT_EQ(shown.status, 0) << shown.err;
    std::vector<Span> spans;
    std::istringstream lines(shown.out);
    json::Reader reader;
    for (std::string line; std::getline(lines, line);) {
      Span& span = spans.emplace_back();
      const auto read = reader.read(line, [&](json::Value root) {
        root.members([&](std::string_view key, json::Value value) {
          if (value.is_null()) return;
          if (key == "symbol") span.symbol = value.string();
          if (key == "from") span.from = value.string();
          if (key == "to") span.to = value.string();
          if (key == "state") span.state = value.string();
          if (key == "cause") span.cause = value.string();
          if (key == "evidence") span.evidence = value.string();
        });
      });
      EXPECT_TRUE(read) << line;
    }
    return spans;
  }

  test::TemporaryFolder folder;
  std::unique_ptr<test::Program> simulator;
  std::map<std::string, std::string> environment;
};

// Binance was down on 2021-04-25; the simulator serves its candles of those days, and has no
// others.
class Outage : public SimulatedHistory {
 protected:
  void SetUp() override {
    if (!test::have_shared_data()) GTEST_SKIP() << "no recordings beside the project";
    const auto file = [](std::string_view symbol) {
      return std::filesystem::absolute(
                 test::shared_data() / "history" /
                 fmt::format("binance-spot-1m-{}-2021-04-20_2021-05-20.csv.zst", symbol))
          .string();
    };
    begin("BINANCE", {"--exchange", "binance", "--candles", file("BTCUSDT"), file("LTCUSDT"),
                      "--start", "2021-04-28T00:00:00Z", "--port", "0"});
  }
  Finished fill(const std::string& symbol, const std::string& start = "2021-04-24T00:00:00Z") {
    return candlewick_({"backfill", "--exchange", "binance", "--symbol", symbol, "--timeframe",
                        "1m", "--start", start, "--end", "2021-04-27T00:00:00Z"});
  }
  Finished verify(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"verify",     "--exchange", "binance",
                                       "--symbol",   "btcusdt",    "--since",
                                       "2021-04-24", "--until",    "2021-04-27T00:00:00Z"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return candlewick_(arguments);
  }
  void edit(const std::string& sql) {
    auto database = sqlite::Database::open({.path = folder.path() / "data" / "warehouse.db"});
    ASSERT_TRUE(database) << database.error().message;
    const auto done = (*database)->execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  std::int64_t count(const std::string& sql) {
    auto database = sqlite::Database::open({.path = folder.path() / "data" / "warehouse.db"});
    EXPECT_TRUE(database);
    const auto number = (*database)->integer(sql);
    EXPECT_TRUE(number) << number.error().message;
    return number.value_or(-1);
  }
  // The candle of that minute, as known at a moment.
  std::string candle(const std::string& open, const std::string& as_of = {}) {
    const auto at = parse_rfc3339(open).value();
    std::vector<std::string> arguments{"candles",
                                       "--exchange",
                                       "binance",
                                       "--symbol",
                                       "BTC/USDT",
                                       "--timeframe",
                                       "1m",
                                       "--start",
                                       open,
                                       "--end",
                                       to_rfc3339(at + std::chrono::minutes{1}),
                                       "--format",
                                       "jsonl"};
    if (!as_of.empty()) arguments.insert(arguments.end(), {"--as-of", as_of});
    return candlewick_(arguments).out;
  }
};

// The candle that the tests change.
constexpr const char* changed_minute = "2021-04-25T12:00:00Z";
std::string row_of(const std::string& open) {
  return fmt::format("timeframe = '1m' AND timestamp = {}", to_us(parse_rfc3339(open).value()));
}

TEST_F(Outage, EndsAsConfirmedEmptyAndIsNotAskedForAgain) {
  ASSERT_EQ(fill("BTC/USDT").status, 0);
  ASSERT_EQ(fill("LTC/USDT").status, 0);
  const auto spans = coverage();
  ASSERT_EQ(spans.size(), 6U);
  const auto expect = [&](std::size_t at, const char* symbol, const char* from, const char* to,
                          const char* state, const char* cause) {
    EXPECT_EQ(spans[at].symbol, symbol);
    EXPECT_EQ(spans[at].from, from) << symbol;
    EXPECT_EQ(spans[at].to, to) << symbol;
    EXPECT_EQ(spans[at].state, state) << symbol;
    EXPECT_EQ(spans[at].cause, cause) << symbol;
  };
  // 284 minutes, and 283 of an instrument that traded once more.
  expect(0, "BTC/USDT", "2021-04-24T00:00:00Z", "2021-04-25T04:01:00Z", "backfilled",
         "before_start");
  expect(1, "BTC/USDT", "2021-04-25T04:01:00Z", "2021-04-25T08:45:00Z", "confirmed_empty",
         "exchange_outage");
  expect(2, "BTC/USDT", "2021-04-25T08:45:00Z", "2021-04-27T00:00:00Z", "backfilled",
         "before_start");
  expect(3, "LTC/USDT", "2021-04-24T00:00:00Z", "2021-04-25T04:02:00Z", "backfilled",
         "before_start");
  expect(4, "LTC/USDT", "2021-04-25T04:02:00Z", "2021-04-25T08:45:00Z", "confirmed_empty",
         "exchange_outage");
  expect(5, "LTC/USDT", "2021-04-25T08:45:00Z", "2021-04-27T00:00:00Z", "backfilled",
         "before_start");
  EXPECT_THAT(spans[1].evidence,
              HasSubstr("REST candles of 2021-04-25T04:01:00Z to 2021-04-25T08:45:00Z: no rows in "
                        "2 answers, "));
  EXPECT_EQ(coverage({"--symbol", "ltc-usdt", "--since", "2021-04-26"}).size(), 1U);
  EXPECT_GT(coverage({"--history"}).size(), 6U);

  const auto again = fill("BTC/USDT");
  EXPECT_THAT(again.err, HasSubstr("0 candles of binance BTC/USDT 1m from 0 requests"));
  const auto silent = verify();
  EXPECT_EQ(silent.status, 0) << silent.err;
  EXPECT_TRUE(silent.out.empty()) << silent.out;
  EXPECT_THAT(silent.err, HasSubstr("4036 of 4036 candles of binance BTC/USDT 1m are equal\n"));
  EXPECT_EQ(count("SELECT count(*) FROM verification_mismatch"), 0);
  EXPECT_EQ(count("SELECT sum(equal) FROM verification"), 4036);
}

TEST_F(Outage, WasNotListedBeforeTheFirstCandleThatTheVenueHas) {
  ASSERT_EQ(fill("BTC/USDT", "2021-04-20T00:00:00Z").status, 0);
  const auto spans = coverage();
  ASSERT_EQ(spans.size(), 4U);
  EXPECT_EQ(spans[0].state, "not_listed");
  EXPECT_EQ(spans[0].cause, "listing");
  EXPECT_EQ(spans[0].to, "2021-04-20T20:42:00Z");
  EXPECT_EQ(spans[1].state, "backfilled");
  EXPECT_EQ(spans[2].state, "confirmed_empty");
}

// Bitget tells its first candle by no request; its list says since when an instrument is traded.
TEST_F(SimulatedHistory, BeforeTheVenuesListHasItAnInstrumentWasNotListed) {
  ASSERT_NO_FATAL_FAILURE(
      begin("CANDLEWICK_BITGET", {"--exchange", "bitget", "--symbols", "BTC/USDT", "--start",
                                  "2026-01-15T12:00:00Z", "--port", "0"}));
  const auto filled =
      candlewick_({"backfill", "--exchange", "bitget", "--symbol", "BTC/USDT", "--timeframe", "1d",
                   "--start", "2025-08-01T00:00:00Z", "--end", "2026-01-10T00:00:00Z"});
  ASSERT_EQ(filled.status, 0) << filled.err;
  const auto spans = coverage();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].from, "2025-08-01T00:00:00Z");
  EXPECT_EQ(spans[0].state, "not_listed");
  EXPECT_EQ(spans[0].cause, "listing");
  EXPECT_THAT(spans[0].evidence, HasSubstr("the venue lists it since " + spans[0].to));
  EXPECT_EQ(spans[1].from, spans[0].to);
  EXPECT_EQ(spans[1].state, "backfilled");
}

TEST_F(Outage, DoesNotHideACandleThatIsNotWhatTheVenueSays) {
  ASSERT_EQ(fill("BTC/USDT").status, 0);
  const std::string truth = candle(changed_minute);
  ASSERT_THAT(truth, HasSubstr("\"revision\":0"));
  edit("UPDATE fact_ohlcv SET close = '1.25', ingested_at = ingested_at - 1000000 WHERE " +
       row_of(changed_minute));
  const std::string before = to_rfc3339(RealClock{}.now());

  const auto looked = verify({"--no-repair"});
  EXPECT_EQ(looked.status, 1);
  EXPECT_THAT(looked.out, HasSubstr("\"columns\":\"close\""));
  EXPECT_THAT(looked.out, HasSubstr("\"action\":\"recorded\""));
  EXPECT_THAT(looked.err, HasSubstr("4035 of 4036 candles"));
  EXPECT_THAT(looked.err, HasSubstr(", 1 different\n"));
  EXPECT_THAT(candle(changed_minute), HasSubstr("\"close\":1.25,")) << "nothing was changed";

  const auto repaired = verify();
  EXPECT_EQ(repaired.status, 0) << repaired.err;
  EXPECT_THAT(repaired.out, HasSubstr("\"action\":\"revised\""));
  EXPECT_THAT(repaired.err, HasSubstr(", 1 different, 1 repaired\n"));
  const auto close_of = [](const std::string& line) {
    const auto at = line.find("\"close\":");
    return line.substr(at, line.find(',', at) - at);
  };
  EXPECT_EQ(close_of(candle(changed_minute)), close_of(truth));
  EXPECT_THAT(candle(changed_minute), HasSubstr("\"revision\":1"));
  EXPECT_THAT(candle(changed_minute, before), HasSubstr("\"close\":1.25,"));
  EXPECT_EQ(count("SELECT count(*) FROM fact_ohlcv_revision WHERE close = '1.25' AND revision = 0"),
            1);
  EXPECT_EQ(count("SELECT count(*) FROM verification_mismatch"), 2);
  EXPECT_EQ(verify().status, 0);
  EXPECT_EQ(count("SELECT count(*) FROM verification_mismatch"), 2) << "it is right now";
}

TEST_F(Outage, FindsWhatOnlyOneSideHas) {
  ASSERT_EQ(fill("BTC/USDT").status, 0);
  edit("DELETE FROM fact_ohlcv WHERE " + row_of(changed_minute));
  const auto filled = verify();
  EXPECT_EQ(filled.status, 0) << filled.err;
  EXPECT_THAT(filled.err, HasSubstr(", 1 not stored, 1 repaired\n"));
  EXPECT_THAT(filled.out, HasSubstr("\"stored\":null"));
  EXPECT_THAT(candle(changed_minute), HasSubstr("\"revision\":0"));

  // A candle in the middle of the outage, which the venue never had.
  edit(
      fmt::format("INSERT INTO fact_ohlcv SELECT exchange_id, crypto_id, timeframe, {}, open, "
                  "high, low, close, volume, quote_volume, trade_count, taker_buy_volume, "
                  "taker_buy_quote_volume, is_closed, source, revision, ingested_at "
                  "FROM fact_ohlcv WHERE {}",
                  to_us(parse_rfc3339("2021-04-25T06:00:00Z").value()), row_of(changed_minute)));
  const auto invented = verify();
  EXPECT_EQ(invented.status, 1) << "nothing is ever deleted: the difference remains";
  EXPECT_THAT(invented.out, HasSubstr("\"found\":null"));
  EXPECT_THAT(invented.err, HasSubstr(", 1 not at the venue\n"));
}

TEST_F(Outage, LeavesNoHoleUnsaidThatVerificationCameAcross) {
  ASSERT_EQ(fill("BTC/USDT").status, 0);
  // As a warehouse of before there was a ledger.
  edit("DELETE FROM coverage; DELETE FROM coverage_current");
  const auto verified = verify();
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_TRUE(verified.out.empty()) << verified.out;
  const auto spans = coverage();
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].from, "2021-04-25T04:01:00Z");
  EXPECT_EQ(spans[0].to, "2021-04-25T08:45:00Z");
  EXPECT_EQ(spans[0].state, "confirmed_empty");
}

}  // namespace
}  // namespace candlewick
