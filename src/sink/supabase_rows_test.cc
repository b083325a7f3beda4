// Rows into JSON: exact digits, one row for each key, the right one.
#include "sink/supabase_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sink/testing.h"

namespace candlewick::sink {
namespace {

using ::testing::HasSubstr;

std::vector<log::Entry> entries_of(std::vector<schema::Row> rows) {
  std::vector<log::Entry> entries;
  for (auto& row : rows) {
    entries.push_back(
        {.sequence = static_cast<log::Sequence>(entries.size()) + 1, .row = std::move(row)});
  }
  return entries;
}

TEST(SupabaseRows, DecimalsAreTextAndTimesMicroseconds) {
  schema::Row row = tick_row("60000.123456789012345678");
  row.values[schema::market_ticks.index_of("exchange_ts")] =
      time_from_ns(1'700'000'000'123'456'789);
  const auto rows = supabase_rows(supabase_ticks(), entries_of({row}), false);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].json, HasSubstr(R"("last_price":"60000.123456789012345678")"));
  EXPECT_THAT(rows[0].json, HasSubstr(R"("exchange_ts":"2023-11-14T22:13:20.123456Z")"));
  EXPECT_THAT(rows[0].json, HasSubstr(R"("bid_depth":[["1","2"]])"));
  EXPECT_THAT(rows[0].json, HasSubstr(R"("ask_depth":null)"));
  EXPECT_THAT(rows[0].json, HasSubstr(R"("symbol":"BTC/USDT")"));
}

TEST(SupabaseRows, WhatIsNoNumberIsNull) {
  const auto rows = supabase_rows(
      supabase_indicators(),
      entries_of({indicator_row(std::numeric_limits<double>::quiet_NaN(), 0)}), false);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].json, HasSubstr(R"("rsi_14":null)"));
}

TEST(SupabaseRows, AKeyGoesInOnceWithItsHighestRevision) {
  const auto rows = supabase_rows(
      supabase_indicators(),
      entries_of({indicator_row(1, 0), indicator_row(3, 2), tick_row("1"), indicator_row(2, 1)}),
      false);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].json, HasSubstr(R"("rsi_14":3)"));
}

TEST(SupabaseRows, TheFirstTickOfAnInstantStays) {
  const auto rows =
      supabase_rows(supabase_ticks(), entries_of({tick_row("1"), tick_row("2")}), false);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].json, HasSubstr(R"("last_price":"1")"));
}

TEST(SupabaseRows, OnlyClosedCandlesGoIn) {
  const auto rows = supabase_rows(
      supabase_candles(),
      entries_of({candle_row({.is_closed = false}), candle_row({.close = "2", .revision = 1}),
                  candle_row({.close = "1", .revision = 0})}),
      false);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].json, HasSubstr(R"("close":"2")"));
}

TEST(SupabaseRows, TheLatestOfASymbolIsTheNewestInstant) {
  schema::Row newer = tick_row("2");
  newer.values[schema::market_ticks.index_of("exchange_ts")] = at_minute(9);
  const auto ticks = supabase_rows(supabase_latest_tick(),
                                   entries_of({tick_row("1"), newer, tick_row("3")}), false);
  ASSERT_EQ(ticks.size(), 1U);
  EXPECT_THAT(ticks[0].json, HasSubstr(R"("last_price":"2")"));
  const auto part = supabase_rows(supabase_latest_indicators(),
                                  entries_of({indicator_row(5, 1), indicator_row(4, 0)}), false);
  ASSERT_EQ(part.size(), 1U);
  EXPECT_THAT(part[0].json, HasSubstr(R"("rsi_14":5)"));
  EXPECT_THAT(part[0].json, HasSubstr("indicators_ts"));
  // It must not move the tick's own instant.
  EXPECT_EQ(part[0].json.find("exchange_ts"), std::string::npos);
}

TEST(SupabaseRows, TheVenuesSpellingIsPartOfTheKey) {
  const auto rows = supabase_rows(supabase_ticks(), entries_of({tick_row("1")}), true);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].json, HasSubstr(R"("symbol":"BTCUSDT")"));
  EXPECT_THAT(rows[0].key, HasSubstr("BTCUSDT\n"));
}

TEST(SupabaseRows, ManyRowsAreOneArray) {
  auto rows = supabase_rows(supabase_candles(),
                            entries_of({candle_row({.timestamp = at_minute(1)}),
                                        candle_row({.timestamp = at_minute(2)})}),
                            false);
  const std::string array = json_array(rows);
  EXPECT_EQ(array, "[" + rows[0].json + "," + rows[1].json + "]");
  EXPECT_EQ(json_array({}), "[]");
}

}  // namespace
}  // namespace candlewick::sink
