// Ranges, order, as-of reads and exact roll-ups against a naive sum.
#include "query/candles.h"

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <map>

#include "query/rollup.h"
#include "query/testing.h"

namespace candlewick::query {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Time start = Time{std::chrono::sys_days{std::chrono::year{2024} / 3 / 4}};  // a Monday

struct Stored {
  Time timestamp = start;
  Timeframe timeframe = Timeframe::m1;
  std::string open = "1";
  std::string high = "2";
  std::string low = "0.5";
  std::string close = "1.5";
  std::string volume = "0.1";
  bool has_quote_volume = true;
  bool is_closed = true;
  int revision = 0;
  Time ingested_at = start;
  std::optional<Time> superseded_at = {};  // set: an earlier value
};

class Candles : public QueryTest {
 protected:
  void store(const Stored& c) {
    std::vector<schema::Value> values{
        std::int64_t{1},
        std::int64_t{1},
        std::string(to_text(c.timeframe)),
        c.timestamp,
        digits(c.open),
        digits(c.high),
        digits(c.low),
        digits(c.close),
        digits(c.volume),
        c.has_quote_volume ? schema::Value{digits("10.01")} : schema::Value{},
        std::int64_t{3},
        schema::Null{},
        schema::Null{},
        c.is_closed,
        std::string("ws"),
        std::int64_t{c.revision},
        c.ingested_at};
    if (c.superseded_at) values.emplace_back(*c.superseded_at);
    insert(c.superseded_at ? "fact_ohlcv_revision" : "fact_ohlcv", values);
  }
  void store_minutes(int from, int count) {
    execute("BEGIN");
    for (int i = from; i < from + count; ++i) {
      store({.timestamp = start + minutes{i}, .close = std::to_string(i)});
    }
    execute("COMMIT");
  }
  static CandleQuery ask(Timeframe timeframe = Timeframe::m1) {
    return {.exchange = "binance", .symbol = "BTC/USDT", .timeframe = timeframe};
  }
  std::vector<Candle> get(const CandleQuery& query) {
    auto found = candles(*database, query);
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::move(*found) : std::vector<Candle>{};
  }
  std::vector<int> minutes_of(const CandleQuery& query) {
    std::vector<int> result;
    for (const auto& candle : get(query)) {
      result.push_back(static_cast<int>((candle.timestamp - start) / minutes{1}));
    }
    return result;
  }
};

TEST_P(Candles, AreGivenWithStartIncludedAndEndExcluded) {
  store_minutes(0, 10);
  auto query = ask();
  query.start = start + minutes{2};
  query.end = start + minutes{5};
  EXPECT_EQ(minutes_of(query), (std::vector{2, 3, 4}));
  query.limit = 2;
  EXPECT_EQ(minutes_of(query), (std::vector{2, 3}));
  query.order = Order::descending;
  EXPECT_EQ(minutes_of(query), (std::vector{4, 3}));
  query.exchange = "kraken";
  EXPECT_EQ(minutes_of(query), std::vector<int>{});
  query.exchange = "nowhere";
  EXPECT_EQ(minutes_of(query), std::vector<int>{});
}

TEST_P(Candles, HaveTheirExactDigitsAndNulls) {
  store({.volume = "0.000000000000000001", .has_quote_volume = false, .is_closed = false});
  const auto found = get(ask());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].volume, digits("0.000000000000000001"));
  EXPECT_FALSE(found[0].quote_volume);
  EXPECT_FALSE(found[0].taker_buy_volume);
  EXPECT_EQ(found[0].trade_count, 3);
  EXPECT_FALSE(found[0].is_complete);
  auto query = ask();
  query.closed_only = true;
  EXPECT_TRUE(get(query).empty());
}

TEST_P(Candles, AreRolledUpFromClosedMinutes) {
  store_minutes(0, 7);
  store({.timestamp = start + minutes{7}, .is_closed = false});
  const auto found = get(ask(Timeframe::m5));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].timestamp, start);
  EXPECT_EQ(found[0].open, digits("1"));
  EXPECT_EQ(found[0].high, digits("2"));
  EXPECT_EQ(found[0].low, digits("0.5"));
  EXPECT_EQ(found[0].close, digits("4"));
  EXPECT_EQ(found[0].volume, digits("0.5"));
  EXPECT_EQ(found[0].quote_volume, digits("50.05"));
  EXPECT_EQ(found[0].trade_count, 15);
  EXPECT_EQ(found[0].bars, 5);
  EXPECT_EQ(found[0].source, "rollup");
  EXPECT_TRUE(found[0].is_complete && found[0].is_closed);
  EXPECT_EQ(found[1].bars, 2);
  EXPECT_FALSE(found[1].is_complete || found[1].is_closed);
}

TEST_P(Candles, TellWhenAMinuteIsMissingInThem) {
  store_minutes(0, 3);
  store_minutes(4, 3);
  const auto found = get(ask(Timeframe::m5));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].bars, 4);
  EXPECT_FALSE(found[0].is_complete);
  EXPECT_TRUE(found[0].is_closed) << "its last minute is there";
}

TEST_P(Candles, AreTakenAsStoredWhereTheyAreAndRolledUpInTheHoles) {
  store_minutes(0, 4 * 60);
  store({.timestamp = start + hours{1}, .timeframe = Timeframe::h1, .close = "777"});
  const auto found = get(ask(Timeframe::h1));
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].bars, 60);
  EXPECT_EQ(found[1].close, digits("777"));
  EXPECT_FALSE(found[1].bars);
  EXPECT_EQ(found[3].close, digits("239"));
  auto query = ask(Timeframe::h1);
  query.order = Order::descending;
  query.limit = 3;
  const auto newest = get(query);
  ASSERT_EQ(newest.size(), 3U);
  EXPECT_EQ(newest[0], found[3]);
  EXPECT_EQ(newest[1], found[2]);
  EXPECT_EQ(newest[2], found[1]);
}

TEST_P(Candles, BeginAndEndAtWholeBuckets) {
  store_minutes(0, 180);
  auto query = ask(Timeframe::h1);
  query.start = start + minutes{30};
  query.end = start + minutes{121};
  const auto found = get(query);
  ASSERT_EQ(found.size(), 2U) << "a candle belongs to the range when its open time does";
  EXPECT_EQ(found[0].timestamp, start + hours{1});
  EXPECT_EQ(found[1].timestamp, start + hours{2});
  EXPECT_TRUE(found[1].is_complete) << "the end does not cut it";
  query.end = start + hours{2};
  EXPECT_EQ(get(query).size(), 1U);
}

TEST_P(Candles, OfDaysAndWeeksOpenAtMidnightAndOnMonday) {
  store_minutes(0, 1);
  store({.timestamp = start - minutes{1}});
  EXPECT_EQ(get(ask(Timeframe::w1)).front().timestamp, start - hours{24 * 7});
  EXPECT_EQ(get(ask(Timeframe::d1)).back().timestamp, start);
  EXPECT_EQ(get(ask(Timeframe::mo1)).front().timestamp, at("2024-03-01"));
}

TEST_P(Candles, ShowWhatWasKnownAtAMoment) {
  // Revision 0 at minute 1, corrected at minute 10 and at minute 20.
  store({.close = "10",
         .revision = 0,
         .ingested_at = start + minutes{1},
         .superseded_at = start + minutes{10}});
  store({.close = "11",
         .revision = 1,
         .ingested_at = start + minutes{10},
         .superseded_at = start + minutes{20}});
  store({.close = "12", .revision = 2, .ingested_at = start + minutes{20}});
  const auto close_as_of = [&](Time moment) {
    auto query = ask();
    query.as_of = moment;
    const auto found = get(query);
    return found.empty() ? std::string("none") : found.front().close.to_string();
  };
  EXPECT_EQ(close_as_of(start), "none");
  EXPECT_EQ(close_as_of(start + minutes{1}), "10");
  EXPECT_EQ(close_as_of(start + minutes{9}), "10");
  EXPECT_EQ(close_as_of(start + minutes{10}), "11");
  EXPECT_EQ(close_as_of(start + minutes{15}), "11");
  EXPECT_EQ(close_as_of(start + hours{5}), "12");
  EXPECT_EQ(get(ask()).front().close, digits("12"));
}

TEST_P(Candles, AreRolledUpFromWhatWasKnownAtAMoment) {
  store_minutes(0, 4);
  store({.timestamp = start + minutes{4},
         .close = "10",
         .ingested_at = start,
         .superseded_at = start + hours{1}});
  store({.timestamp = start + minutes{4},
         .close = "12",
         .revision = 1,
         .ingested_at = start + hours{1}});
  auto query = ask(Timeframe::m5);
  query.as_of = start + minutes{30};
  ASSERT_EQ(get(query).size(), 1U);
  EXPECT_EQ(get(query).front().close, digits("10"));
  EXPECT_EQ(get(ask(Timeframe::m5)).front().close, digits("12"));
}

TEST_P(Candles, AsStoredAreClosedOnesOfThatTimeframeOnly) {
  store_minutes(0, 10);
  store({.timestamp = start + minutes{10}, .is_closed = false});
  store({.timestamp = start, .timeframe = Timeframe::m5, .close = "9"});
  const auto times = stored_times(*database, {.exchange = "binance",
                                              .symbol = "BTC/USDT",
                                              .start = start + minutes{8},
                                              .end = start + minutes{20}});
  ASSERT_TRUE(times) << times.error().message;
  EXPECT_EQ(*times, (std::vector<Time>{start + minutes{8}, start + minutes{9}}));
  const auto stored = stored_candles(*database, {.exchange = "binance",
                                                 .symbol = "BTC/USDT",
                                                 .timeframe = Timeframe::m5,
                                                 .start = start,
                                                 .end = start + hours{1}});
  ASSERT_TRUE(stored) << stored.error().message;
  ASSERT_EQ(stored->size(), 1U) << "nothing is rolled up";
  EXPECT_EQ(stored->front().close, digits("9"));
}

TEST_P(Candles, KnowTheirLatestTime) {
  EXPECT_FALSE(latest_candle_time(*database, "binance", "BTC/USDT", Timeframe::m1).value());
  store_minutes(0, 5);
  store({.timestamp = start + minutes{5}, .is_closed = false});
  EXPECT_EQ(latest_candle_time(*database, "binance", "BTC/USDT", Timeframe::m1).value(),
            start + minutes{4});
}

// Random minutes with random digits and holes; any bounds, order and limit.
TEST_P(Candles, RolledUpEqualANaiveExactSumForAnyQuestion) {
  std::map<Time, Decimal> volumes;
  execute("BEGIN");
  const auto span = 3 * 24 * 60;
  std::uint64_t state = 42;
  for (int i = 0; i < span; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    if (state >> 60 == 0 || (i > 1000 && i < 1500)) continue;
    const auto volume = Decimal::from_count(static_cast<int128>(state >> 3) * 1'000'003);
    volumes[start + minutes{i}] = volume;
    store({.timestamp = start + minutes{i}, .volume = volume.to_string()});
  }
  execute("COMMIT");
  ASSERT_TRUE(rc::check([&] {
    const auto timeframe = *rc::gen::element(Timeframe::m3, Timeframe::m5, Timeframe::m15,
                                             Timeframe::h1, Timeframe::h4, Timeframe::d1);
    auto query = ask(timeframe);
    if (*rc::gen::arbitrary<bool>()) query.start = start + minutes{*rc::gen::inRange(-100, span)};
    if (*rc::gen::arbitrary<bool>()) query.end = start + minutes{*rc::gen::inRange(0, span + 100)};
    query.limit = static_cast<std::size_t>(*rc::gen::inRange(1, 200));
    query.order = *rc::gen::element(Order::ascending, Order::descending);

    std::map<Time, std::pair<Decimal, std::int64_t>> naive;
    for (const auto& [time, volume] : volumes) {
      const Time open = open_of(timeframe, time);
      if (query.start && open < *query.start) continue;
      if (query.end && open >= *query.end) continue;
      auto& [sum, bars] = naive[open];
      sum = Decimal::add(sum, volume).value();
      ++bars;
    }
    std::vector<std::pair<Time, std::pair<Decimal, std::int64_t>>> expected(naive.begin(),
                                                                            naive.end());
    if (query.order == Order::descending) std::ranges::reverse(expected);
    if (expected.size() > query.limit) expected.resize(query.limit);
    const auto found = candles(*database, query);
    RC_ASSERT(found.has_value());
    RC_ASSERT(found->size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      RC_ASSERT((*found)[i].timestamp == expected[i].first);
      RC_ASSERT((*found)[i].volume == expected[i].second.first);
      RC_ASSERT((*found)[i].bars == expected[i].second.second);
    }
  }));
}

// The views for other tools agree with the program's answers, in doubles.
TEST_P(Candles, RolledUpByTheWarehousesViewsAreTheSame) {
  store({.timestamp = start - minutes{1}, .open = "3", .high = "9"});
  store_minutes(0, 200);
  for (const auto timeframe : {Timeframe::m5, Timeframe::m15, Timeframe::h1, Timeframe::h4,
                               Timeframe::d1, Timeframe::w1}) {
    using enum schema::ColumnType;
    constexpr std::array types{text, real, real, real, real, real, real, integer, integer, boolean};
    const auto rows = database->select(
        fmt::format("SELECT timestamp, open, high, low, close, volume, quote_volume, trade_count, "
                    "bars, is_complete FROM ohlcv_{} WHERE exchange = 'binance' AND "
                    "symbol = 'BTC/USDT' ORDER BY timestamp",
                    to_text(timeframe)),
        {}, types);
    ASSERT_TRUE(rows) << rows.error().message;
    const auto exact = get(ask(timeframe));
    ASSERT_EQ(rows->size(), exact.size()) << to_text(timeframe);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const auto& row = (*rows)[i];
      EXPECT_EQ(std::get<std::string>(row[0]), to_rfc3339(exact[i].timestamp));
      EXPECT_EQ(std::get<double>(row[1]), exact[i].open.to_double());
      EXPECT_EQ(std::get<double>(row[2]), exact[i].high.to_double());
      EXPECT_EQ(std::get<double>(row[3]), exact[i].low.to_double());
      EXPECT_EQ(std::get<double>(row[4]), exact[i].close.to_double());
      EXPECT_NEAR(std::get<double>(row[5]), exact[i].volume.to_double(), 1e-9);
      EXPECT_NEAR(std::get<double>(row[6]), exact[i].quote_volume->to_double(), 1e-6);
      EXPECT_EQ(std::get<std::int64_t>(row[7]), exact[i].trade_count);
      EXPECT_EQ(std::get<std::int64_t>(row[8]), exact[i].bars);
      EXPECT_EQ(std::get<bool>(row[9]), exact[i].is_complete);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Candles, test::all_warehouse_kinds(), test::warehouse_kind_name);

TEST(RollUp, RefusesASumThatLeavesTheRange) {
  // The limit of one value is below the type's own, so it takes several to leave it.
  std::vector<Candle> huge(30);
  for (std::size_t i = 0; i < huge.size(); ++i) {
    huge[i].timestamp = start + minutes{i};
    huge[i].volume = digits("99999999999999999999");
  }
  const auto outcome = roll_up(huge, Timeframe::h1);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::rejected);
}

}  // namespace
}  // namespace candlewick::query
