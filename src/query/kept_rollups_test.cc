// Candles whose minutes retention has dropped, on real servers without continuous aggregates;
// test/timescale asks those.
#include "query/kept_rollups.h"

#include <array>

#include "query/testing.h"

namespace candlewick::query {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::array lengths{Timeframe::m5,  Timeframe::m15, Timeframe::m30, Timeframe::h1,
                             Timeframe::h2,  Timeframe::h4,  Timeframe::h6,  Timeframe::h8,
                             Timeframe::h12, Timeframe::d1,  Timeframe::d3,  Timeframe::w1,
                             Timeframe::mo1};

class KeptRollupsTest : public QueryTest {
 protected:
  // Some hours of every so many days of three months, with holes, digits that floats have not, and
  // a value that some minutes lack.
  void add_minutes(int days = 10) {
    if (GetParam() == test::WarehouseKind::plain) {
      execute(
          "SELECT make_partition('fact_ohlcv', m) FROM generate_series('2024-07-20'::"
          "timestamptz, '2024-10-20', '1 month') m");
    }
    execute(
        "INSERT INTO fact_ohlcv SELECT 1, c, '1m', t, 100 + n % 7 + 0.123456789012345678, "
        "110 + n % 13, 90 - n % 11, 100 + n % 5, n % 17 + 0.000000000000000001, CASE WHEN n % 501 "
        "= 0 THEN NULL ELSE n % 19 END, n % 23, n % 3, n % 2, true, 'ws', 0, t + interval '1 "
        "minute' FROM (VALUES (1), (2)) s (c), (SELECT t, (extract(epoch FROM t) / 60)::bigint "
        "AS n FROM generate_series('2024-07-20'::timestamptz, '2024-10-19 23:59', '1 minute') t) "
        "m WHERE extract(hour FROM t) IN (0, 5, 23) AND n % 10 <> 3 AND (t::date - '2024-07-20') "
        "% " +
        std::to_string(days) + " = 0");
  }
  void drop() {
    execute("SELECT keep_rollups('2024-09-06')");
    execute("SELECT drop_raw('fact_ohlcv', '2024-09-06')");
  }
  std::vector<Candle> get(const CandleQuery& query) {
    auto found = candles(*database, query);
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::move(*found) : std::vector<Candle>{};
  }
  // Without what is gone with the minutes.
  std::vector<Candle> values(const CandleQuery& query) {
    auto found = get(query);
    for (auto& candle : found) {
      candle.ingested_at = {};
      EXPECT_EQ(candle.revision, 0);
    }
    return found;
  }
  static CandleQuery ask(Timeframe timeframe) {
    return {.exchange = "binance", .symbol = "BTC/USDT", .timeframe = timeframe, .limit = 50'000};
  }
};

TEST_P(KeptRollupsTest, AreNotLookedForWhileEveryMinuteIsThere) {
  add_minutes();
  const auto kept = kept_rollups(*database, Timeframe::h1);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_FALSE(*kept);
}

TEST_P(KeptRollupsTest, GiveTheSameCandlesAsTheMinutesThatWereDropped) {
  add_minutes(1);
  const auto questions = [](Timeframe timeframe) {
    auto newest = ask(timeframe);
    newest.order = Order::descending;
    newest.limit = 7;
    auto across = ask(timeframe);  // from one part into the other, not at borders
    across.start = at("2024-08-17T11:07:00Z");
    across.end = at("2024-09-10T03:33:00Z");
    auto before = across;
    before.start.reset();
    before.limit = 40;
    before.order = Order::descending;
    auto closed = across;
    closed.closed_only = true;
    closed.limit = 3;
    return std::array{ask(timeframe), newest, across, before, closed};
  };
  std::vector<std::vector<Candle>> expected;
  for (const auto timeframe : lengths) {
    for (const auto& question : questions(timeframe)) expected.push_back(values(question));
  }
  EXPECT_EQ(expected[0].size(), std::size_t{92 * 3 * 12});
  drop();
  const auto kept = kept_rollups(*database, Timeframe::d1);
  ASSERT_TRUE(kept && *kept);
  const auto left = get(ask(Timeframe::m1));
  ASSERT_FALSE(left.empty());
  ASSERT_GE(left.front().timestamp, (*kept)->before);
  ASSERT_GT((*kept)->before, at("2024-07-25")) << "something was dropped";
  std::size_t number = 0;
  for (const auto timeframe : lengths) {
    for (const auto& question : questions(timeframe)) {
      EXPECT_EQ(values(question), expected[number++]) << to_text(timeframe);
    }
  }
}

TEST_P(KeptRollupsTest, TellThatMinutesAreMissingInThem) {
  add_minutes();
  drop();
  auto query = ask(Timeframe::h1);
  query.limit = 1;
  const auto hour = get(query);
  ASSERT_EQ(hour.size(), 1U);
  EXPECT_EQ(hour[0].timestamp, at("2024-07-20"));
  EXPECT_EQ(hour[0].bars, 54);
  EXPECT_FALSE(hour[0].is_complete);
  EXPECT_TRUE(hour[0].is_closed);
  EXPECT_EQ(hour[0].source, "rollup");
  EXPECT_EQ(hour[0].ingested_at, at("2024-07-20T01:00:00Z"));
}

TEST_P(KeptRollupsTest, AreNotCountedTwiceWhenAMinuteComesAgain) {
  add_minutes();
  drop();
  const auto before = get(ask(Timeframe::d1));
  insert("fact_ohlcv",
         {std::int64_t{1}, std::int64_t{1}, std::string("1m"), at("2024-07-20T00:05:00Z"),
          digits("1"), digits("9999"), digits("1"), digits("1"), digits("1"), schema::Null{},
          schema::Null{}, schema::Null{}, schema::Null{}, true, std::string("rest"),
          std::int64_t{1}, at("2024-11-01")});
  EXPECT_EQ(get(ask(Timeframe::d1)), before);
}

TEST_P(KeptRollupsTest, DoNotTellWhatWasKnownAtAMomentNorWhatTheyCannotBeDividedInto) {
  add_minutes();
  drop();
  const Time horizon = kept_rollups(*database, Timeframe::h1).value().value().before;
  auto query = ask(Timeframe::h1);
  query.as_of = at("2024-12-01");
  EXPECT_GE(get(query).front().timestamp, horizon);
  EXPECT_GE(get(ask(Timeframe::m3)).front().timestamp, horizon);
}

TEST_P(KeptRollupsTest, StandBehindCandlesThatAreStored) {
  add_minutes();
  drop();
  insert("fact_ohlcv",
         {std::int64_t{1}, std::int64_t{1}, std::string("1h"), at("2024-07-20T05:00:00Z"),
          digits("1"), digits("777"), digits("1"), digits("1"), digits("1"), schema::Null{},
          schema::Null{}, schema::Null{}, schema::Null{}, true, std::string("rest"),
          std::int64_t{0}, at("2024-11-01")});
  auto query = ask(Timeframe::h1);
  query.limit = 3;
  const auto found = get(query);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[1].high, digits("777"));
  EXPECT_FALSE(found[1].bars);
  EXPECT_EQ(found[0].bars, 54);
  EXPECT_EQ(found[2].bars, 54);
}

INSTANTIATE_TEST_SUITE_P(Kinds, KeptRollupsTest,
                         testing::Values(test::WarehouseKind::plain,
                                         test::WarehouseKind::timescale),
                         test::warehouse_kind_name);

}  // namespace
}  // namespace candlewick::query
