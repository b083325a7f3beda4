// Amounts, times, levels and URLs in the forms that venues write them.
#include "exchange/reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candlewick::exchange {
namespace {

template <class Read>
auto read(std::string_view text, Read step) {
  json::Reader reader;
  std::invoke_result_t<Read, json::Value&> result{};
  const auto done = reader.read(text, [&](json::Value root) {
    root.elements([&](json::Value value) { result = step(value); });
  });
  return std::pair(done.has_value(), result);
}

TEST(Reading, TellsUnitsOfTimeApartBySize) {
  const Time time = *parse_time("2021-04-05T23:47:00Z");
  for (const std::int64_t epoch :
       {1'617'666'420LL, 1'617'666'420'000LL, 1'617'666'420'000'000LL, 1'617'666'420'000'000'000LL})
    EXPECT_EQ(time_of_epoch(epoch), time) << epoch;
  for (const std::int64_t absurd : {0LL, -1'617'666'420LL, 999'999'999LL, 16'176'664'200LL})
    EXPECT_EQ(time_of_epoch(absurd), std::nullopt) << absurd;
}

TEST(Reading, KeepsFractionsOfSeconds) {
  const Time time = *parse_time("2021-04-05T23:47:00.123456Z");
  for (const char* text : {"[1617666420.123456]", "[\"1617666420.123456\"]"}) {
    EXPECT_EQ(read(text, epoch_seconds), std::pair(true, time));
  }
  EXPECT_EQ(read("[\"2021-04-05T23:47:00.123456Z\"]", timestamp), std::pair(true, time));
  EXPECT_FALSE(read("[16176]", epoch_seconds).first);
  EXPECT_FALSE(read("[\"yesterday\"]", timestamp).first);
  EXPECT_FALSE(read("[12]", epoch).first);
}

TEST(Reading, RefusesNegativeAmounts) {
  EXPECT_TRUE(read("[\"0.5\"]", amount).first);
  EXPECT_FALSE(read("[-0.5]", amount).first);
}

TEST(Reading, TakesNothingForNoAmount) {
  EXPECT_EQ(read("[\"\"]", optional_amount), std::pair(true, std::optional<Decimal>{}));
  EXPECT_EQ(read("[null]", optional_amount), std::pair(true, std::optional<Decimal>{}));
  EXPECT_EQ(read("[\"2\"]", optional_amount), std::pair(true, std::optional{Decimal{2}}));
  EXPECT_FALSE(read("[\"-2\"]", optional_amount).first);
  EXPECT_FALSE(read("[\"two\"]", optional_amount).first);
}

TEST(Reading, CountsTheDigitsOfLevels) {
  json::Reader reader;
  std::vector<Level> levels{{}};
  LevelDigits digits;
  const auto done = reader.read(R"([["5.10","2",0,"1"],[5.125,0.250]])",
                                [&](json::Value root) { read_levels(root, levels, &digits); });
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(levels.size(), 2U);
  EXPECT_EQ(levels[1].price, *Decimal::parse("5.125"));
  EXPECT_EQ(digits.price, 3);
  EXPECT_EQ(digits.size, 3);
  EXPECT_FALSE(reader.read(R"([["5.10"]])", [&](json::Value root) { read_levels(root, levels); }));
}

TEST(Reading, TakesUrlsApart) {
  constexpr std::string_view url = "https://api.x.com/v5/candles?instId=BTC-USDT&bar=1m&q=%2Fa";
  EXPECT_EQ(path_of(url), "/v5/candles");
  EXPECT_EQ(path_of("/v5/time?x=1"), "/v5/time");
  EXPECT_EQ(path_of("wss://x.com"), "");
  EXPECT_EQ(parameter(url, "instId"), "BTC-USDT");
  EXPECT_EQ(parameter(url, "q"), "/a");
  EXPECT_EQ(parameter(url, "inst"), "");
  EXPECT_EQ(percent_encoded("BTC/USD"), "BTC%2FUSD");
  EXPECT_EQ(upper("tBtc"), "TBTC");
  EXPECT_EQ(lower("BTC"), "btc");
}

TEST(Reading, FindsATimeframeByTheVenuesName) {
  constexpr std::array names{TimeframeName{Timeframe::m1, "1min"},
                             TimeframeName{Timeframe::d1, "1day"}};
  EXPECT_EQ(name_of(names, Timeframe::d1), "1day");
  EXPECT_EQ(name_of(names, Timeframe::h1), "");
  EXPECT_EQ(timeframe_of(names, "1min"), Timeframe::m1);
  EXPECT_EQ(timeframe_of(names, "1m"), std::nullopt);
  EXPECT_EQ(timeframes_of(names), (std::array{Timeframe::m1, Timeframe::d1}));
}

// The check value that every description of this CRC gives.
TEST(Reading, ComputesTheChecksumOfZip) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32(""), 0U);
}

}  // namespace
}  // namespace candlewick::exchange
