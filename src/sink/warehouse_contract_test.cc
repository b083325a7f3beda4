// What every warehouse owes its sink, whatever it is made of: guards, revisions, exactly once, also
// when the process dies.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <sstream>

#include "sink/delivery.h"
#include "sink/testing.h"

namespace candlewick::sink {
namespace {

using namespace std::chrono_literals;

class WarehouseSink : public testing::TestWithParam<test::WarehouseKind> {
 protected:
  void SetUp() override {
    if (const auto reason = test::skip_reason(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
    warehouse = make_test_warehouse(GetParam());
    sink = warehouse->make_sink(clock);
    const auto opened = sink->open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  Result<void> write(std::vector<schema::Row> rows) {
    std::vector<log::Entry> entries;
    for (auto& row : rows) entries.push_back({++sequence, std::move(row)});
    return sink->write(Batch("log", std::move(entries)));
  }
  std::vector<std::string> lines(const std::string& sql) { return warehouse->lines(sql); }
  std::vector<std::string> stored() {
    return lines("SELECT close, is_closed, revision FROM fact_ohlcv ORDER BY timestamp");
  }
  using Lines = std::vector<std::string>;

  sqlite::TemporaryFolder folder;  // for logs
  FakeClock clock{at_minute(100)};
  std::unique_ptr<TestWarehouse> warehouse;
  std::unique_ptr<Sink> sink;
  log::Sequence sequence = 0;
};

TEST_P(WarehouseSink, StoresExactDigits) {
  ASSERT_TRUE(write({candle_row(
      {.close = "99999999999999999999.999999999999999999", .volume = "0.000000000000000001"})}));
  EXPECT_EQ(lines("SELECT close, volume FROM fact_ohlcv"),
            Lines{"99999999999999999999.999999999999999999 0.000000000000000001"});
  EXPECT_EQ(lines("SELECT exchange, symbol, timeframe FROM ohlcv"), Lines{"binance BTC/USDT 1m"});
}

TEST_P(WarehouseSink, ReplacesACandleOnlyWhenItGrows) {
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

TEST_P(WarehouseSink, KeepsEveryClosedValueThatWasReplaced) {
  ASSERT_TRUE(write({candle_row({.close = "1", .is_closed = false})}));
  ASSERT_TRUE(write({candle_row({.close = "2"})}));
  ASSERT_TRUE(write({candle_row({.close = "3", .revision = 1, .ingested_at = at_minute(10)})}));
  ASSERT_TRUE(write({candle_row({.close = "4", .revision = 3, .ingested_at = at_minute(20)})}));
  EXPECT_EQ(lines("SELECT close, is_closed, revision, superseded_at FROM fact_ohlcv_revision ORDER "
                  "BY revision"),
            (Lines{fmt::format("2 1 0 {}", warehouse->moment(at_minute(10))),
                   fmt::format("3 1 1 {}", warehouse->moment(at_minute(20)))}));
}

TEST_P(WarehouseSink, EndsWithTheGreatestRevisionInWhateverOrderTheyCome) {
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
    const auto found =
        lines(fmt::format("SELECT is_closed, close FROM fact_ohlcv WHERE timestamp = {}",
                          warehouse->literal(at_minute(minute))));
    RC_ASSERT(found == Lines{fmt::format("{} {}", best.first ? 1 : 0, best.second)});
  }));
}

TEST_P(WarehouseSink, NeverChangesATick) {
  ASSERT_TRUE(write({tick_row("1")}));
  ASSERT_TRUE(write({tick_row("2")}));
  EXPECT_EQ(lines("SELECT last_price, bid_depth FROM market_ticks"), Lines{R"(1 [["1","2"]])"});
}

TEST_P(WarehouseSink, ReplacesIndicatorsByRevision) {
  ASSERT_TRUE(write({indicator_row(50, 1), indicator_row(60, 0), indicator_row(70, 2)}));
  EXPECT_EQ(lines("SELECT CAST(rsi_14 AS integer), revision FROM technical_indicators"),
            Lines{"70 2"});
}

TEST_P(WarehouseSink, KeepsTheNewestCheckpoint) {
  ASSERT_TRUE(write({checkpoint_row(1, "a"), checkpoint_row(3, "c"), checkpoint_row(2, "b")}));
  EXPECT_EQ(lines("SELECT state FROM indicator_checkpoint"), Lines{"c"});
}

TEST_P(WarehouseSink, KeepsEachTradeOnceUnderWhateverIdItHas) {
  const std::string hexadecimal = "6085c09769bc506996295e36";
  const std::string longer_than_any_number = "100523573486102542049163";
  ASSERT_TRUE(
      write({trade_row({.id = "9"}), trade_row({.id = "10"}), trade_row({.id = hexadecimal}),
             trade_row({.id = longer_than_any_number}),
             trade_row({.id = "9", .symbol = "ETH/USDT"}), trade_row({.id = "9", .price = "1"})}));
  ASSERT_TRUE(write({trade_row({.id = hexadecimal, .price = "2"}), trade_row({.id = "11"})}));
  const auto found = lines(
      "SELECT c.symbol, t.trade_id, t.price, t.size, t.quote_size, t.taker_side FROM "
      "fact_trade t JOIN dim_cryptocurrency c USING (crypto_id) JOIN dim_exchange e USING "
      "(exchange_id) WHERE e.name = 'binance' ORDER BY c.symbol, t.trade_id");
  EXPECT_EQ(found, (Lines{"BTC/USDT 10 60000.1 0.5 - buy",
                          fmt::format("BTC/USDT {} 60000.1 0.5 - buy", longer_than_any_number),
                          "BTC/USDT 11 60000.1 0.5 - buy",
                          fmt::format("BTC/USDT {} 60000.1 0.5 - buy", hexadecimal),
                          "BTC/USDT 9 60000.1 0.5 - buy", "ETH/USDT 9 60000.1 0.5 - buy"}))
      << "the first one stays";
}

// So many at once that PostgreSQL takes them by COPY into the table itself, unless one is there.
TEST_P(WarehouseSink, KeepsManyTradesOfMoreThanOneMonth) {
  const auto many = [](int from, int to) {
    std::vector<schema::Row> rows;
    for (int i = from; i < to; ++i)
      rows.push_back(trade_row({.id = std::to_string(i), .exchange_time = at_minute(0) + i * 1h}));
    return rows;
  };
  ASSERT_TRUE(write(many(0, 1000)));
  ASSERT_TRUE(write(many(500, 1500)));
  ASSERT_TRUE(write(many(1500, 2000)));
  EXPECT_EQ(lines("SELECT count(*), count(DISTINCT trade_id) FROM fact_trade"), Lines{"2000 2000"});
}

TEST_P(WarehouseSink, WritesTheVenuesSpellingWhenToldTo) {
  sink = warehouse->make_sink(clock, true);
  ASSERT_TRUE(sink->open());
  ASSERT_TRUE(write({tick_row("1"), candle_row({})}));
  EXPECT_EQ(lines("SELECT symbol, exchange_symbol FROM market_ticks"), Lines{"BTCUSDT BTCUSDT"});
  EXPECT_EQ(lines("SELECT symbol FROM ohlcv"), Lines{"BTC/USDT"});
}

TEST_P(WarehouseSink, StoresABatchWholeOrNotAtAll) {
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

TEST_P(WarehouseSink, MovesItsPositionWithTheRowsAndIgnoresABatchThatComesAgain) {
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

TEST_P(WarehouseSink, DoesNotDoubleWhenItDiedBetweenWritingAndTheCursor) {
  auto log = log::open_log(folder / "log.db");
  ASSERT_TRUE(log->append(candle_rows(0, 50)));
  // Written, but the log's cursor never moved.
  std::vector<log::Entry> entries;
  auto page = log->read(0, 30, 1'000'000);
  ASSERT_TRUE(page);
  ASSERT_TRUE(sink->write(Batch(std::string(log->id()), page->entries)));
  const auto before = lines("SELECT * FROM fact_ohlcv");
  ASSERT_EQ(before.size(), 30U);
  Delivery delivery(warehouse->make_sink(clock), log::open_log(folder / "log.db"), clock);
  ASSERT_TRUE(delivery.drain());
  EXPECT_EQ(delivery.statistics().written_rows, 20U) << "goes on behind what the warehouse has";
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv"), Lines{"50"});
}

TEST_P(WarehouseSink, HoldsEveryRowOnceAfterBeingKilledAtRandomMoments) {
  sink.reset();
  warehouse->disconnect();
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
      Delivery delivery(warehouse->make_sink(clock), log::open_log(folder / "log.db"), clock,
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
  Delivery delivery(warehouse->make_sink(clock), log::open_log(folder / "log.db"), clock,
                    {.max_rows = 100});
  const auto drained = delivery.drain();
  ASSERT_TRUE(drained) << drained.error().message;
  EXPECT_EQ(lines("SELECT count(*), min(timestamp), max(timestamp) FROM fact_ohlcv"),
            Lines{fmt::format("{} {} {}", rows, warehouse->moment(at_minute(0)),
                              warehouse->moment(at_minute(rows - 1)))});
  EXPECT_EQ(lines("SELECT count(*) FROM coverage"), Lines{"500"});
  EXPECT_EQ(lines("SELECT count(*) FROM coverage_current"), Lines{"500"});
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv_revision"), Lines{"0"});
}

TEST_P(WarehouseSink, TakesEveryRowThatTheLogCanCarry) {
  ASSERT_TRUE(rc::check([this] {
    const auto row = *log::any_row();
    RC_ASSERT(write({row}).has_value());
  }));
}

// The resolved table equals, minute by minute, the newest assertion about it.
TEST_P(WarehouseSink, ResolvesCoverageToTheNewestAssertionAboutEachMinute) {
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

    std::vector<std::string> resolved(60, "");
    std::size_t count = 0;
    for (const auto& line : lines(fmt::format(
             "SELECT {}, {}, state FROM coverage_current WHERE symbol = '{}'",
             warehouse->minute_sql("\"from\""), warehouse->minute_sql("\"to\""), symbol))) {
      ++count;
      std::istringstream words(line);
      std::size_t minute = 0;
      std::size_t end = 0;
      std::string state;
      words >> minute >> end >> state;
      for (; minute < end; ++minute) {
        RC_ASSERT(resolved[minute].empty());
        resolved[minute] = state;
      }
    }
    RC_ASSERT(resolved == expected);
    std::size_t changes = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      changes += !expected[i].empty() && (i == 0 || expected[i] != expected[i - 1]) ? 1U : 0U;
    }
    RC_ASSERT(count == changes);
  }));
}

TEST_P(WarehouseSink, KeepsOneSpanOfAStreamThatAssertsItselfEveryMinute) {
  std::vector<schema::Row> rows;
  for (std::int64_t minute = 0; minute < 2000; ++minute) {
    rows.push_back(coverage_row(
        {.from = minute, .to = minute + 1, .state = "live", .seq = 10 * (minute + 1)}));
    rows.back().values[rows.back().table->index_of("evidence")] = fmt::format("minute {}", minute);
  }
  ASSERT_TRUE(write(std::move(rows)));
  const auto current = [this] {
    return lines(
        fmt::format(R"(SELECT {}, {}, state, evidence, seq FROM coverage_current ORDER BY "from")",
                    warehouse->minute_sql("\"from\""), warehouse->minute_sql("\"to\"")));
  };
  EXPECT_EQ(current(), Lines{"0 2000 live minute 1999 20000"});
  EXPECT_EQ(lines("SELECT count(*) FROM coverage"), Lines{"2000"});

  ASSERT_TRUE(write({coverage_row({.from = 10, .to = 20, .state = "missing", .seq = 30000})}));
  EXPECT_EQ(current(), (Lines{"0 10 live minute 1999 20000", "10 20 missing - 30000",
                              "20 2000 live minute 1999 20000"}));
  // Late, and older than the newest of what it meets: decided by the assertions themselves.
  ASSERT_TRUE(write({coverage_row({.from = 0, .to = 12, .state = "halted", .seq = 45})}));
  EXPECT_EQ(current(), (Lines{"0 4 halted - 45", "4 10 live minute 9 100", "10 20 missing - 30000",
                              "20 2000 live minute 1999 20000"}));
  ASSERT_TRUE(write({coverage_row({.from = 0, .to = 20, .state = "live", .seq = 40000})}));
  EXPECT_EQ(current(), Lines{"0 2000 live - 40000"});
}

// Rows of one key in one batch are taken in their order, like those of different batches.
TEST_P(WarehouseSink, TakesAKeyThatComesAgainInABatchInItsOrder) {
  ASSERT_TRUE(write({candle_row({.close = "1", .is_closed = false}), candle_row({.close = "2"}),
                     candle_row({.timestamp = at_minute(1), .close = "9"}),
                     candle_row({.close = "3", .revision = 1, .ingested_at = at_minute(10)}),
                     candle_row({.close = "4", .revision = 2, .ingested_at = at_minute(20)})}));
  EXPECT_EQ(stored(), (Lines{"4 1 2", "9 1 0"}));
  EXPECT_EQ(
      lines("SELECT close, revision, superseded_at FROM fact_ohlcv_revision ORDER BY revision"),
      (Lines{fmt::format("2 0 {}", warehouse->moment(at_minute(10))),
             fmt::format("3 1 {}", warehouse->moment(at_minute(20)))}));
}

// Large batches, new and not, which a sink may write in different ways.
TEST_P(WarehouseSink, KeepsItsGuardsInLargeBatches) {
  ASSERT_TRUE(write(candle_rows(0, 1000)));
  ASSERT_TRUE(write(candle_rows(500, 1000))) << "half of them are there";
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv"), Lines{"1500"});
  std::vector<schema::Row> open_again;
  for (std::int64_t i = 0; i < 1000; ++i) {
    open_again.push_back(
        candle_row({.timestamp = at_minute(i + 1000), .close = "1", .is_closed = false}));
  }
  ASSERT_TRUE(write(open_again));
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv WHERE NOT is_closed"), Lines{"500"});
  ASSERT_TRUE(write(candle_rows(1500, 600)));
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv WHERE NOT is_closed"), Lines{"0"});
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv"), Lines{"2100"});
}

TEST_P(WarehouseSink, FollowsTheLivesOfAListing) {
  const auto instrument = [](const std::string& symbol, const std::string& status, int minute) {
    return schema::Row{
        .table = &schema::instruments,
        .values = {std::string("binance"), symbol, std::string("LUNAUSDT"), std::string("spot"),
                   symbol.substr(0, 4), std::string("USDT"), status, log::decimal("0.010"),
                   log::decimal("1"), schema::Null{}, at_minute(minute)}};
  };
  const std::vector<schema::Row> history{
      instrument("LUNA/USDT", "trading", 0), instrument("LUNA/USDT", "halted", 1),
      instrument("LUNA/USDT", "delisted", 2), instrument("LUNA/USDT", "trading", 5),
      instrument("LUNC/USDT", "trading", 9)};
  ASSERT_TRUE(write(history));
  const auto lives = [this] {
    return lines(
        "SELECT c.symbol, l.status, l.delisted_at, l.tick_size, l.price_precision FROM dim_listing "
        "l JOIN dim_cryptocurrency c ON c.crypto_id = l.crypto_id ORDER BY listing_id");
  };
  const Lines expected{fmt::format("LUNA/USDT delisted {} 0.01 2", warehouse->moment(at_minute(2))),
                       fmt::format("LUNA/USDT delisted {} 0.01 2", warehouse->moment(at_minute(9))),
                       "LUNC/USDT trading - 0.01 2"};
  EXPECT_EQ(lives(), expected);
  ASSERT_TRUE(write(history)) << "old news";
  EXPECT_EQ(lives(), expected);
  EXPECT_EQ(lines("SELECT symbol FROM instruments"), Lines{"LUNC/USDT"});
  // A swap of the same spelling is another listing.
  auto swap = instrument("LUNC/USDT:USDT", "trading", 10);
  swap.values[3] = std::string("swap");
  ASSERT_TRUE(write({swap}));
  EXPECT_EQ(lines("SELECT symbol, status FROM instruments ORDER BY symbol"),
            (Lines{"LUNC/USDT trading", "LUNC/USDT:USDT trading"}));
}

TEST_P(WarehouseSink, KeepsBothSpellingsOfARenamedTicker) {
  const auto instrument = [](const std::string& ticker, const std::string& status, int minute) {
    return schema::Row{
        .table = &schema::instruments,
        .values = {std::string("binance"), std::string("BCH/USDT"), ticker, std::string("spot"),
                   std::string("BCH"), std::string("USDT"), status, schema::Null{}, schema::Null{},
                   schema::Null{}, at_minute(minute)}};
  };
  ASSERT_TRUE(write({instrument("BCCUSDT", "trading", 0), candle_row({.symbol = "BCH/USDT"})}));
  ASSERT_TRUE(write({instrument("BCHUSDT", "trading", 5), instrument("BCCUSDT", "delisted", 5)}));
  EXPECT_EQ(lines("SELECT c.symbol, l.exchange_symbol, l.status, l.delisted_at FROM dim_listing l "
                  "JOIN dim_cryptocurrency c ON c.crypto_id = l.crypto_id ORDER BY listing_id"),
            (Lines{fmt::format("BCH/USDT BCCUSDT delisted {}", warehouse->moment(at_minute(5))),
                   "BCH/USDT BCHUSDT trading -"}));
  EXPECT_EQ(lines("SELECT count(*) FROM fact_ohlcv f JOIN dim_cryptocurrency c "
                  "ON c.crypto_id = f.crypto_id WHERE c.symbol = 'BCH/USDT'"),
            Lines{"1"});
}

TEST_P(WarehouseSink, NamesPairsAfterTheirAssetsWhicheverCameFirst) {
  const auto asset = [](const std::string& name, const schema::Value& sector,
                        const schema::Value& launch_date, int minute) {
    return schema::Row{.table = &schema::assets,
                       .values = {std::string("LUNA"), name, sector, launch_date,
                                  std::string("terra-luna-2"), at_minute(minute)}};
  };
  const auto pairs = [this] {
    return lines(
        "SELECT symbol, name, sector, launch_date, coingecko_id FROM dim_cryptocurrency "
        "WHERE base = 'LUNA' ORDER BY symbol");
  };
  const schema::Value launch = parse_rfc3339("2022-05-28").value();
  ASSERT_TRUE(write({candle_row({.symbol = "LUNA/EUR"})}));
  ASSERT_TRUE(write({asset("Terra", std::string("Layer 1"), launch, 1)}));
  ASSERT_TRUE(write({candle_row({.symbol = "LUNA/USDT"})}));
  EXPECT_EQ(pairs(), (Lines{"LUNA/EUR Terra Layer 1 2022-05-28 terra-luna-2",
                            "LUNA/USDT Terra Layer 1 2022-05-28 terra-luna-2"}));
  // Renamed; what the news leaves open stays, and old news changes nothing.
  ASSERT_TRUE(write({asset("Terra 2.0", schema::Null{}, schema::Null{}, 5),
                     asset("Terra", std::string("Old"), launch, 2)}));
  EXPECT_EQ(pairs(), (Lines{"LUNA/EUR Terra 2.0 Layer 1 2022-05-28 terra-luna-2",
                            "LUNA/USDT Terra 2.0 Layer 1 2022-05-28 terra-luna-2"}));
  EXPECT_EQ(lines("SELECT count(*), max(name) FROM assets"), Lines{"1 Terra 2.0"});
}

INSTANTIATE_TEST_SUITE_P(Kinds, WarehouseSink, test::all_warehouse_kinds(),
                         test::warehouse_kind_name);

}  // namespace
}  // namespace candlewick::sink
