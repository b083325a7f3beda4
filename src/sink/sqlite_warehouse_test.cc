// The embedded warehouse: guards, revisions, exactly once, also when the process dies.
#include "sink/sqlite_warehouse.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "log/testing.h"
#include "sink/delivery.h"
#include "sink/sqlite_rows.h"
#include "sqlite/database.h"
#include "sqlite/testing.h"
#include "warehouse/database.h"

namespace candlewick::sink {
namespace {

using log::at_minute;
using log::candle_row;
using log::candle_rows;
using log::CandleCells;

struct Assertion {
  std::string symbol = "BTC/USDT";
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string state;
  std::int64_t seq = 0;
};

schema::Row coverage_row(const Assertion& assertion) {
  return {
      .table = &schema::coverage,
      .values = {std::string("binance"), assertion.symbol, std::string("1m"),
                 std::string("candles"), at_minute(assertion.from), at_minute(assertion.to),
                 assertion.state, schema::Null{}, schema::Null{}, at_minute(1000), assertion.seq}};
}

schema::Row tick_row(const std::string& price) {
  schema::Row row{.table = &schema::market_ticks, .values = {}};
  for (const auto& column : schema::market_ticks.columns) {
    if (column.name == "symbol")
      row.values.emplace_back(std::string("BTC/USDT"));
    else if (column.name == "exchange")
      row.values.emplace_back(std::string("binance"));
    else if (column.name == "exchange_symbol")
      row.values.emplace_back(std::string("BTCUSDT"));
    else if (column.name == "window_interval")
      row.values.emplace_back(std::string("1m"));
    else if (column.name == "exchange_ts")
      row.values.emplace_back(at_minute(1));
    else if (column.name == "ingested_at")
      row.values.emplace_back(at_minute(2));
    else if (column.name == "last_price")
      row.values.emplace_back(log::decimal(price));
    else if (column.name == "bid_depth")
      row.values.emplace_back(schema::Json{R"([["1","2"]])"});
    else
      row.values.emplace_back(schema::Null{});
  }
  return row;
}

schema::Row indicator_row(double rsi, std::int64_t revision) {
  schema::Row row{.table = &schema::technical_indicators, .values = {}};
  for (const auto& column : schema::technical_indicators.columns) {
    if (column.name == "rsi_14")
      row.values.emplace_back(rsi);
    else if (column.name == "revision")
      row.values.emplace_back(revision);
    else if (column.name == "exchange_ts" || column.name == "created_at")
      row.values.emplace_back(at_minute(1));
    else if (column.nullable)
      row.values.emplace_back(schema::Null{});
    else
      row.values.emplace_back(std::string("x"));
  }
  return row;
}

schema::Row checkpoint_row(std::int64_t minute, const std::string& state) {
  return {.table = &schema::indicator_checkpoint,
          .values = {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
                     at_minute(minute), state, at_minute(minute)}};
}

class SqliteWarehouseSink : public testing::Test {
 protected:
  void SetUp() override {
    sink = make_sqlite_warehouse({.path = folder / "warehouse.db"}, clock);
    const auto opened = sink->open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  Result<void> write(std::vector<schema::Row> rows) {
    std::vector<log::Entry> entries;
    for (auto& row : rows) entries.push_back({++sequence, std::move(row)});
    return sink->write(Batch("log", std::move(entries)));
  }
  std::vector<std::string> lines(const std::string& sql) {
    auto database = sqlite::Database::open({.path = folder / "warehouse.db"}).value();
    auto statement = database->prepare(sql);
    EXPECT_TRUE(statement) << statement.error().message;
    std::vector<std::string> result;
    while (statement->step().value()) {
      std::string line;
      for (int i = 0; i < statement->column_count(); ++i) {
        line += (i > 0 ? " " : "") + statement->optional_text(i).value_or("-");
      }
      result.push_back(line);
    }
    return result;
  }
  std::vector<std::string> stored() {
    return lines("SELECT close, is_closed, revision FROM fact_ohlcv ORDER BY timestamp");
  }
  using Lines = std::vector<std::string>;

  sqlite::TemporaryFolder folder;
  FakeClock clock{at_minute(100)};
  std::unique_ptr<Sink> sink;
  log::Sequence sequence = 0;
};

TEST_F(SqliteWarehouseSink, StoresExactDigits) {
  ASSERT_TRUE(write({candle_row(
      {.close = "99999999999999999999.999999999999999999", .volume = "0.000000000000000001"})}));
  EXPECT_EQ(lines("SELECT close, volume FROM fact_ohlcv"),
            Lines{"99999999999999999999.999999999999999999 0.000000000000000001"});
  EXPECT_EQ(lines("SELECT exchange, symbol, timeframe, quote_volume, typeof(close) FROM ohlcv"),
            Lines{"binance BTC/USDT 1m 7.0 real"});
}

TEST_F(SqliteWarehouseSink, ReplacesACandleOnlyWhenItGrows) {
  ASSERT_TRUE(write({candle_row({.close = "1", .is_closed = false})}));
  ASSERT_TRUE(write({candle_row({.close = "2", .is_closed = true})}));
  EXPECT_EQ(stored(), Lines{"2 1 0"});
  ASSERT_TRUE(write({candle_row({.close = "3", .is_closed = false, .revision = 7})}));
  EXPECT_EQ(stored(), Lines{"2 1 0"}) << "unclosed never overwrites closed";
  ASSERT_TRUE(write({candle_row({.close = "4", .is_closed = true, .revision = 0})}));
  EXPECT_EQ(stored(), Lines{"2 1 0"}) << "the same revision changes nothing";
  ASSERT_TRUE(write({candle_row({.close = "5", .revision = 2})}));
  ASSERT_TRUE(write({candle_row({.close = "6", .revision = 1})}));
  EXPECT_EQ(stored(), Lines{"5 1 2"}) << "an older revision never overwrites";
}

TEST_F(SqliteWarehouseSink, KeepsEveryClosedValueThatWasReplaced) {
  ASSERT_TRUE(write({candle_row({.close = "1", .is_closed = false})}));
  ASSERT_TRUE(write({candle_row({.close = "2"})}));
  ASSERT_TRUE(write({candle_row({.close = "3", .revision = 1, .ingested_at = at_minute(10)})}));
  ASSERT_TRUE(write({candle_row({.close = "4", .revision = 3, .ingested_at = at_minute(20)})}));
  EXPECT_EQ(lines("SELECT close, is_closed, revision, superseded_at FROM fact_ohlcv_revision ORDER "
                  "BY revision"),
            (Lines{fmt::format("2 1 0 {}", to_us(at_minute(10))),
                   fmt::format("3 1 1 {}", to_us(at_minute(20)))}));
}

TEST_F(SqliteWarehouseSink, EndsWithTheGreatestRevisionInWhateverOrderTheyCome) {
  auto database = sqlite::Database::open({.path = folder / "warehouse.db"}).value();
  std::int64_t minute = 0;
  ASSERT_TRUE(rc::check([&] {
    const auto cells = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<bool, int>>>(
        rc::gen::pair(rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 5))));
    ++minute;
    std::vector<schema::Row> rows;
    for (const auto& [is_closed, revision] : cells) {
      rows.push_back(candle_row({.timestamp = at_minute(minute),
                                 .close = std::to_string(revision),
                                 .is_closed = is_closed,
                                 .revision = revision}));
    }
    RC_ASSERT(write(std::move(rows)).has_value());
    const auto best = *std::ranges::max_element(cells);
    const auto stored_best = database->integer(
        fmt::format("SELECT is_closed * 100 + CAST(close AS INTEGER) FROM fact_ohlcv "
                    "WHERE timestamp = {}",
                    to_us(at_minute(minute))));
    RC_ASSERT(stored_best.value() == (best.first ? 100 : 0) + best.second);
  }));
}

TEST_F(SqliteWarehouseSink, NeverChangesATick) {
  ASSERT_TRUE(write({tick_row("1")}));
  ASSERT_TRUE(write({tick_row("2")}));
  EXPECT_EQ(lines("SELECT last_price, bid_depth FROM market_ticks"), Lines{R"(1 [["1","2"]])"});
}

TEST_F(SqliteWarehouseSink, ReplacesIndicatorsByRevision) {
  ASSERT_TRUE(write({indicator_row(50, 1), indicator_row(60, 0), indicator_row(70, 2)}));
  EXPECT_EQ(lines("SELECT rsi_14, revision FROM technical_indicators"), Lines{"70.0 2"});
}

TEST_F(SqliteWarehouseSink, KeepsTheNewestCheckpoint) {
  ASSERT_TRUE(write({checkpoint_row(1, "a"), checkpoint_row(3, "c"), checkpoint_row(2, "b")}));
  EXPECT_EQ(lines("SELECT state FROM indicator_checkpoint"), Lines{"c"});
}

TEST_F(SqliteWarehouseSink, WritesTheVenuesSpellingWhenToldTo) {
  sink = make_sqlite_warehouse({.path = folder / "warehouse.db", .exchange_symbol_style = true},
                               clock);
  ASSERT_TRUE(sink->open());
  ASSERT_TRUE(write({tick_row("1"), candle_row({})}));
  EXPECT_EQ(lines("SELECT symbol, exchange_symbol FROM market_ticks"), Lines{"BTCUSDT BTCUSDT"});
  EXPECT_EQ(lines("SELECT symbol FROM ohlcv"), Lines{"BTC/USDT"});
}

TEST_F(SqliteWarehouseSink, StoresABatchWholeOrNotAtAll) {
  auto bad = candle_row({.timestamp = at_minute(5)});
  bad.values[bad.table->index_of("trade_count")] = std::string("three");
  const auto outcome = write({candle_row({}), bad});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::rejected);
  EXPECT_EQ(stored(), Lines{});
  EXPECT_EQ(lines("SELECT * FROM log_position"), Lines{});
  EXPECT_EQ(lines("SELECT symbol FROM dim_cryptocurrency"), Lines{});
  ASSERT_TRUE(write({candle_row({})})) << "what was rolled back is made again";
  EXPECT_EQ(lines("SELECT symbol FROM ohlcv"), Lines{"BTC/USDT"});
}

TEST_F(SqliteWarehouseSink, MovesItsPositionWithTheRowsAndIgnoresABatchThatComesAgain) {
  const Batch batch("log", {{1, tick_row("1")},
                            {2, coverage_row({.from = 0, .to = 5, .state = "live", .seq = 1})}});
  ASSERT_TRUE(sink->write(batch));
  EXPECT_EQ(sink->position("log")->value(), 2);
  EXPECT_FALSE(sink->position("another log")->has_value());
  ASSERT_TRUE(sink->write(batch));
  EXPECT_EQ(lines("SELECT count(*) FROM coverage"), Lines{"1"});
  const Batch overlapping("log", {{2, tick_row("9")}, {3, candle_row({})}});
  ASSERT_TRUE(sink->write(overlapping));
  EXPECT_EQ(sink->position("log")->value(), 3);
}

TEST_F(SqliteWarehouseSink, DoesNotDoubleWhenItDiedBetweenWritingAndTheCursor) {
  auto log = log::open_log(folder / "log.db");
  ASSERT_TRUE(log->append(candle_rows(0, 50)));
  // Written, but the log's cursor never moved.
  std::vector<log::Entry> entries;
  auto page = log->read(0, 30, 1'000'000);
  ASSERT_TRUE(page);
  ASSERT_TRUE(sink->write(Batch(std::string(log->id()), page->entries)));
  const auto before = lines("SELECT * FROM fact_ohlcv");
  ASSERT_EQ(before.size(), 30U);
  Delivery delivery(make_sqlite_warehouse({.path = folder / "warehouse.db"}, clock),
                    log::open_log(folder / "log.db"), clock);
  ASSERT_TRUE(delivery.drain());
  EXPECT_EQ(delivery.statistics().written_rows, 20U) << "goes on behind what the warehouse has";
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv"), Lines{"50"});
}

TEST_F(SqliteWarehouseSink, HoldsEveryRowOnceAfterBeingKilledAtRandomMoments) {
  sink.reset();
  constexpr std::int64_t rows = 3'000;
  ASSERT_TRUE(log::open_log(folder / "log.db")->append(candle_rows(0, rows)));
  ASSERT_TRUE(log::open_log(folder / "log.db")->append([] {
    std::vector<schema::Row> spans;
    for (std::int64_t i = 0; i < 500; ++i) {
      spans.push_back(coverage_row(
          {.from = i, .to = i + 1, .state = i % 2 ? "live" : "missing", .seq = i + 1}));
    }
    return spans;
  }()));
  std::mt19937 random(11);
  for (int round = 0; round < 6; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      Delivery delivery(make_sqlite_warehouse({.path = folder / "warehouse.db"}, clock),
                        log::open_log(folder / "log.db"), clock,
                        {.max_rows = 100, .max_age = Duration::zero()});
      while (true) {
        static_cast<void>(delivery.step());
        if (::write(ends[1], "x", 1) != 1) _exit(1);
      }
    }
    close(ends[1]);
    char byte = 0;
    for (auto steps = random() % 8; steps > 0; --steps) ASSERT_EQ(read(ends[0], &byte, 1), 1);
    for (auto spin = random() % 1'000'000; spin > 0; --spin)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    close(ends[0]);
  }
  Delivery delivery(make_sqlite_warehouse({.path = folder / "warehouse.db"}, clock),
                    log::open_log(folder / "log.db"), clock, {.max_rows = 100});
  const auto drained = delivery.drain();
  ASSERT_TRUE(drained) << drained.error().message;
  EXPECT_EQ(lines("SELECT count(*), min(timestamp), max(timestamp) FROM fact_ohlcv"),
            Lines{fmt::format("{} {} {}", rows, to_us(at_minute(0)), to_us(at_minute(rows - 1)))});
  EXPECT_EQ(lines("SELECT count(*) FROM coverage"), Lines{"500"});
  EXPECT_EQ(lines("SELECT count(*) FROM coverage_current"), Lines{"500"});
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv_revision"), Lines{"0"});
}

TEST_F(SqliteWarehouseSink, SaysThatTheDiskIsFullAndLosesNothing) {
  sink = make_sqlite_warehouse({.path = folder / "warehouse.db", .max_pages = 60}, clock);
  ASSERT_TRUE(sink->open());
  Result<void> outcome;
  std::int64_t batches = 0;
  for (; batches < 100 && outcome; ++batches) outcome = write(candle_rows(batches * 100, 100));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::transient);
  EXPECT_NE(outcome.error().message.find("the disk is full"), std::string::npos);
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv"), Lines{std::to_string((batches - 1) * 100)});
  EXPECT_EQ(sink->position("log")->value(), (batches - 1) * 100);
}

TEST_F(SqliteWarehouseSink, LetsReadersSeeWholeBatchesWhileItWrites) {
  std::thread writer([this] {
    for (std::int64_t i = 0; i < 40; ++i) {
      if (!write(candle_rows(i * 25, 25))) return;
    }
  });
  auto reader = warehouse::open_sqlite_for_reading(folder / "warehouse.db");
  ASSERT_TRUE(reader);
  constexpr std::array types{schema::ColumnType::integer, schema::ColumnType::integer};
  std::int64_t seen = 0;
  while (seen < 1000) {
    const auto rows = (*reader)->select(
        "SELECT (SELECT count(*) FROM fact_ohlcv), (SELECT coalesce(max(sequence), 0) FROM "
        "log_position)",
        {}, types);
    ASSERT_TRUE(rows) << rows.error().message;
    seen = std::get<std::int64_t>(rows->front()[0]);
    ASSERT_EQ(seen % 25, 0);
    ASSERT_EQ(seen, std::get<std::int64_t>(rows->front()[1]));
  }
  writer.join();
}

TEST_F(SqliteWarehouseSink, TakesEveryRowThatTheLogCanCarry) {
  ASSERT_TRUE(rc::check([this] {
    const auto row = *log::any_row();
    RC_ASSERT(write({row}).has_value());
  }));
}

// The resolved table equals, minute by minute, the newest assertion about it.
TEST_F(SqliteWarehouseSink, ResolvesCoverageToTheNewestAssertionAboutEachMinute) {
  auto database = sqlite::Database::open({.path = folder / "warehouse.db"}).value();
  int series = 0;
  ASSERT_TRUE(rc::check([&] {
    const auto spans = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
        rc::gen::tuple(rc::gen::inRange(0, 30), rc::gen::inRange(1, 12), rc::gen::inRange(0, 3)));
    const std::string symbol = fmt::format("S{}/USDT", ++series);
    std::vector<Assertion> assertions;
    std::vector<std::string> expected(60, "");
    for (const auto& [from, length, state] : spans) {
      assertions.push_back({.symbol = symbol,
                            .from = from,
                            .to = from + length,
                            .state = std::to_string(state),
                            .seq = static_cast<std::int64_t>(assertions.size()) + 1});
      std::fill_n(expected.begin() + from, length, std::to_string(state));
    }
    // Also when they come late: a dead letter that is sent again.
    if (*rc::gen::arbitrary<bool>()) std::ranges::shuffle(assertions, std::mt19937(3));
    std::vector<schema::Row> rows;
    for (const auto& assertion : assertions) rows.push_back(coverage_row(assertion));
    RC_ASSERT(write(std::move(rows)).has_value());

    auto statement =
        database->prepare(R"(SELECT "from", "to", state FROM coverage_current WHERE symbol = ?)")
            .value();
    statement.bind(1, symbol);
    std::vector<std::string> resolved(60, "");
    const auto minute_of = [](std::int64_t us) {
      return static_cast<std::size_t>((time_from_us(us) - at_minute(0)) / std::chrono::minutes{1});
    };
    while (statement.step().value()) {
      const auto end = minute_of(statement.integer(1));
      for (auto minute = minute_of(statement.integer(0)); minute < end; ++minute) {
        RC_ASSERT(resolved[minute].empty());
        resolved[minute] = statement.text(2);
      }
    }
    RC_ASSERT(resolved == expected);
  }));
}

}  // namespace
}  // namespace candlewick::sink
