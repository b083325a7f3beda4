// Scores, minutes and differences of series that were compared, covered, both or neither.
#include "query/quality.h"

#include <gtest/gtest.h>

#include "query/coverage.h"
#include "query/testing.h"

namespace candlewick::query {
namespace {

constexpr std::int64_t minute_us = 60'000'000;

class QualityQuestions : public QueryTest {
 protected:
  void SetUp() override {
    QueryTest::SetUp();
    if (IsSkipped()) return;
    // exchange, symbol, timeframe, against, from, to, checked, equal, different, absent, …
    insert("verification",
           {std::string("binance"), std::string("BTC/USDT"), std::string("1m"), std::string("rest"),
            time_from_us(0), time_from_us(60000000), std::int64_t{10}, std::int64_t{8},
            std::int64_t{1}, std::int64_t{1}, time_from_us(100), std::int64_t{1}});
    insert("verification",
           {std::string("binance"), std::string("BTC/USDT"), std::string("1m"), std::string("rest"),
            time_from_us(60000000), time_from_us(120000000), std::int64_t{10}, std::int64_t{10},
            std::int64_t{0}, std::int64_t{0}, time_from_us(200), std::int64_t{2}});
    insert("verification",
           {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
            std::string("trades"), time_from_us(0), time_from_us(60000000), std::int64_t{5},
            std::int64_t{5}, std::int64_t{0}, std::int64_t{0}, time_from_us(50), std::int64_t{3}});
    insert("verification",
           {std::string("kraken"), std::string("BTC/USDT"), std::string("1m"), std::string("book"),
            time_from_us(0), time_from_us(60000000), std::int64_t{0}, std::int64_t{0},
            std::int64_t{0}, std::int64_t{0}, time_from_us(60), std::int64_t{4}});
    insert("coverage_current",
           {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
            std::string("candles"), time_from_us(0), time_from_us(600000000), std::string("live"),
            schema::Null{}, schema::Null{}, time_from_us(1), std::int64_t{1}});
    insert(
        "coverage_current",
        {std::string("binance"), std::string("BTC/USDT"), std::string("1m"), std::string("candles"),
         time_from_us(600000000), time_from_us(900000000), std::string("missing"),
         std::string("silence"), schema::Null{}, time_from_us(2), std::int64_t{2}});
    insert("coverage_current",
           {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
            std::string("candles"), time_from_us(900000000), time_from_us(960000000),
            std::string("live"), schema::Null{}, schema::Null{}, time_from_us(3), std::int64_t{3}});
    insert("coverage_current",
           {std::string("binance"), std::string("BTC/USDT"), std::string("1m"),
            std::string("trades"), time_from_us(0), time_from_us(600000000), std::string("live"),
            schema::Null{}, schema::Null{}, time_from_us(4), std::int64_t{4}});
    insert("coverage_current", {std::string("binance"), std::string("ETH/USDT"), std::string("1h"),
                                std::string("candles"), time_from_us(0), time_from_us(7200000000),
                                std::string("backfilled"), schema::Null{}, schema::Null{},
                                time_from_us(5), std::int64_t{5}});
    const auto differs = [this](const std::string& exchange, std::int64_t us,
                                const schema::Value& columns, const std::string& stored,
                                const schema::Value& found, const std::string& action,
                                std::int64_t recorded_us) {
      insert("verification_mismatch",
             {exchange, std::string("BTC/USDT"), std::string("1m"), time_from_us(us),
              std::string("rest"), columns, schema::Json{stored}, found, action,
              time_from_us(recorded_us)});
    };
    differs("binance", 0, std::string("close,volume"), R"({"close":1.50})",
            schema::Json{R"({"close":1.6})"}, "revised", 100);
    differs("binance", minute_us, schema::Null{}, R"({"close":2})", schema::Null{}, "recorded",
            100);
    differs("kraken", 0, std::string("close"), "{}", schema::Json{"{}"}, "revised", 300);
  }
};

TEST_P(QualityQuestions, AddsUpWhatWasCompared) {
  const auto found = quality(*database, {});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->series.size(), 3U);
  const auto& bitcoin = found->series[0];
  EXPECT_EQ(bitcoin.exchange + " " + bitcoin.symbol + " " + bitcoin.timeframe,
            "binance BTC/USDT 1m");
  ASSERT_EQ(bitcoin.scores.size(), 2U);
  const Score& rest = bitcoin.scores[0];
  EXPECT_EQ(rest.against, "rest");
  EXPECT_EQ(rest.checked, 20);
  EXPECT_EQ(rest.equal, 18);
  EXPECT_EQ(rest.different, 1);
  EXPECT_EQ(rest.absent, 1);
  EXPECT_EQ(rest.share_equal(), 0.9);
  EXPECT_EQ(rest.last_checked_at, time_from_us(200));
  EXPECT_EQ(bitcoin.scores[1].against, "trades");
  EXPECT_EQ(bitcoin.scores[1].share_equal(), 1.0);
  EXPECT_EQ(found->series[2].scores.front().share_equal(), std::nullopt) << "nothing was checked";
}

TEST_P(QualityQuestions, CountsTheMinutesOfItsCandlesByState) {
  const auto found = quality(*database, {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->series[0].minutes,
            (std::map<std::string, std::int64_t>{{"live", 11}, {"missing", 5}}));
  EXPECT_EQ(found->series[1].symbol, "ETH/USDT");
  EXPECT_TRUE(found->series[1].scores.empty());
  EXPECT_EQ(found->series[1].minutes, (std::map<std::string, std::int64_t>{{"backfilled", 120}}));
  EXPECT_TRUE(found->series[2].minutes.empty());
}

TEST_P(QualityQuestions, TellsTheDifferencesFoundLastFirst) {
  const auto found = quality(*database, {.exchange = "binance", .mismatch_limit = 2});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->mismatches.size(), 2U);
  const auto& gone = found->mismatches[0];
  EXPECT_EQ(gone.timestamp, time_from_us(minute_us));
  EXPECT_EQ(gone.columns, std::nullopt);
  EXPECT_EQ(gone.found, std::nullopt);
  EXPECT_EQ(gone.action, "recorded");
  const auto& revised = found->mismatches[1];
  EXPECT_EQ(revised.columns, "close,volume");
  EXPECT_EQ(revised.stored, R"({"close":1.50})") << "digits as they were written";
  EXPECT_EQ(revised.recorded_at, time_from_us(100));
  EXPECT_EQ(quality(*database, {.mismatch_limit = 1})->mismatches.front().exchange, "kraken");
}

TEST_P(QualityQuestions, CountsDifferencesByExchange) {
  const auto all = mismatch_counts(*database, time_from_us(0));
  ASSERT_TRUE(all) << all.error().message;
  const auto found = quality(*database, {.mismatch_limit = 100});
  std::map<std::string, std::uint64_t> counted;
  for (const auto& mismatch : found->mismatches) ++counted[mismatch.exchange];
  EXPECT_EQ(*all, counted);
  EXPECT_EQ(all->size(), 2U);
  Time newest{};
  for (const auto& mismatch : found->mismatches) newest = std::max(newest, mismatch.recorded_at);
  EXPECT_TRUE(mismatch_counts(*database, newest)->empty());
}

TEST_P(QualityQuestions, LeavesOutWhatIsOlder) {
  const auto found = quality(*database, {.exchange = "binance", .since = time_from_us(minute_us)});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->series.size(), 2U);
  ASSERT_EQ(found->series[0].scores.size(), 1U);
  EXPECT_EQ(found->series[0].scores[0].checked, 10);
  EXPECT_EQ(found->series[0].minutes,
            (std::map<std::string, std::int64_t>{{"live", 10}, {"missing", 5}}));
  EXPECT_EQ(found->mismatches.size(), 1U);
}

TEST_P(QualityQuestions, IsEmptyForASeriesThatNobodyHas) {
  const auto found = quality(*database, {.symbol = "DOGE/USDT"});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->series.empty());
  EXPECT_TRUE(found->mismatches.empty());
}

TEST_P(QualityQuestions, SummariseCoverageByStream) {
  const auto found = coverage_summary(
      *database,
      {.symbol = "BTC/USDT", .start = time_from_us(0), .end = time_from_us(660'000'000)});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].stream, "candles");
  EXPECT_EQ((*found)[0].from, time_from_us(0));
  EXPECT_EQ((*found)[0].to, time_from_us(660'000'000));
  EXPECT_EQ((*found)[0].minutes,
            (std::map<std::string, std::int64_t>{{"live", 10}, {"missing", 1}}));
  EXPECT_EQ((*found)[1].stream, "trades");
}

TEST_P(QualityQuestions, FindsSpansByState) {
  const auto found = coverage(*database, {.states = {"missing", "unrecoverable"}});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().cause, "silence");
  EXPECT_EQ(coverage(*database, {.states = {"live", "backfilled"}})->size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, QualityQuestions, test::all_warehouse_kinds(),
                         test::warehouse_kind_name);

}  // namespace
}  // namespace candlewick::query
