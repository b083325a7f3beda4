// Every maker of rows against the schema: the two must agree on every column and its type.
#include "pipeline/rows.h"

#include <gtest/gtest.h>

#include "indicator/registry.h"
#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::decimal;
using testing::decimal_at;
using testing::noon;
using testing::time_at;

bool fits(schema::ColumnType type, const schema::Value& value) {
  using enum schema::ColumnType;
  switch (type) {
    case text:
      return std::holds_alternative<std::string>(value);
    case integer:
      return std::holds_alternative<std::int64_t>(value);
    case boolean:
      return std::holds_alternative<bool>(value);
    case schema::ColumnType::decimal:
      return std::holds_alternative<Decimal>(value);
    case real:
      return std::holds_alternative<double>(value);
    case time:
      return std::holds_alternative<Time>(value);
    case json:
      return std::holds_alternative<schema::Json>(value);
  }
  return false;
}

void expect_true_to_schema(const schema::Row& row, const schema::Table& table) {
  ASSERT_EQ(row.table, &table);
  ASSERT_EQ(row.values.size(), table.columns.size()) << table.name;
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const auto& column = table.columns[i];
    if (schema::is_null(row.values[i])) {
      EXPECT_TRUE(column.nullable) << table.name << "." << column.name;
    } else {
      EXPECT_TRUE(fits(column.type, row.values[i])) << table.name << "." << column.name;
    }
  }
  schema::RowReader reader;
  const auto again = reader.read(schema::to_json(row));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, row) << schema::to_json(row);
}

std::size_t nulls_in(const schema::Row& row) {
  return static_cast<std::size_t>(std::ranges::count_if(row.values, schema::is_null));
}

Tick full_tick() {
  return {.instrument = &bitcoin(),
          .window = Timeframe::m1,
          .exchange_time = noon,
          .candle = testing::closed_candle(noon - 1min),
          .last_price = decimal("1.1"),
          .price_change_pct_1h = 0.25,
          .price_change_pct_24h = -1.5,
          .volume_24h_quote = decimal("1234567.89"),
          .volume_change_pct_24h = 12.5,
          .market_cap = decimal("1200000000000"),
          .circulating_supply = decimal("19700000"),
          .bid_ask_spread = decimal("0.01"),
          .bids = {{decimal("1.10"), decimal("5")},
                   {decimal("1.09"), decimal("6")},
                   {decimal("1.08"), decimal("7")}},
          .asks = {{decimal("1.11"), decimal("8")}}};
}

indicator::Values full_values() {
  indicator::Values values;
  values.open_time = noon - 1min;
  double next = 0.5;
  for (const auto& column : indicator::columns()) values.*column.value = next++;
  for (std::size_t i = 0; i < indicator::extra_names().size(); ++i)
    values.extra.emplace_back(next++);
  return values;
}

TEST(Rows, AnInstrumentSaysWhatTheListingSaid) {
  Instrument instrument = bitcoin();
  instrument.tick_size = decimal("0.01");
  instrument.step_size = decimal("0.00001");
  const auto row = instrument_row(instrument, noon);
  expect_true_to_schema(row, schema::instruments);
  EXPECT_EQ(std::get<std::string>(row.at("status")), "trading");
  EXPECT_EQ(decimal_at(row, "step_size"), decimal("0.00001"));
  EXPECT_EQ(time_at(row, "recorded_at"), noon);
  EXPECT_TRUE(schema::is_null(row.at("listed_at")));
  instrument.listed_at = noon - 24h;
  EXPECT_EQ(time_at(instrument_row(instrument, noon), "listed_at"), noon - 24h);
  expect_true_to_schema(instrument_row(bitcoin(), noon), schema::instruments);
}

TEST(Rows, ACandleKeepsEveryDigit) {
  Candle candle = testing::closed_candle(noon);
  candle.open = decimal("0.000000000000000001");
  candle.volume = decimal("99999999999999999999.999999999999999999");
  candle.revision = 3;
  const auto row = candle_row(candle, noon + 2min);
  expect_true_to_schema(row, schema::fact_ohlcv);
  EXPECT_EQ(nulls_in(row), 0U);
  EXPECT_EQ(decimal_at(row, "open"), candle.open);
  EXPECT_EQ(decimal_at(row, "high"), candle.high);
  EXPECT_EQ(decimal_at(row, "low"), candle.low);
  EXPECT_EQ(decimal_at(row, "close"), candle.close);
  EXPECT_EQ(decimal_at(row, "volume"), candle.volume);
  EXPECT_EQ(decimal_at(row, "quote_volume"), candle.quote_volume);
  EXPECT_EQ(decimal_at(row, "taker_buy_volume"), candle.taker_buy_volume);
  EXPECT_EQ(decimal_at(row, "taker_buy_quote_volume"), candle.taker_buy_quote_volume);
  EXPECT_EQ(testing::integer_at(row, "trade_count"),
            static_cast<std::int64_t>(*candle.trade_count));
  EXPECT_EQ(testing::integer_at(row, "revision"), 3);
  EXPECT_TRUE(std::get<bool>(row.at("is_closed")));
  EXPECT_EQ(std::get<std::string>(row.at("source")), "ws");
  EXPECT_EQ(std::get<std::string>(row.at("timeframe")), "1m");
  EXPECT_EQ(time_at(row, "timestamp"), noon);
  EXPECT_EQ(time_at(row, "ingested_at"), noon + 2min);
}

TEST(Rows, WhatAVenueDoesNotSayIsNullInACandle) {
  Candle candle = testing::closed_candle(noon);
  candle.quote_volume.reset();
  candle.trade_count.reset();
  candle.taker_buy_volume.reset();
  candle.taker_buy_quote_volume.reset();
  const auto row = candle_row(candle, noon);
  expect_true_to_schema(row, schema::fact_ohlcv);
  EXPECT_EQ(nulls_in(row), 4U);
}

TEST(Rows, ATickPutsEveryValueIntoItsColumn) {
  const Tick tick = full_tick();
  const auto row = tick_row(tick, 2, noon + 1s);
  expect_true_to_schema(row, schema::market_ticks);
  EXPECT_EQ(nulls_in(row), 0U);
  EXPECT_EQ(std::get<std::string>(row.at("symbol")), "BTC/USDT");
  EXPECT_EQ(std::get<std::string>(row.at("exchange_symbol")), "BTCUSDT");
  EXPECT_EQ(std::get<std::string>(row.at("window_interval")), "1m");
  EXPECT_EQ(time_at(row, "exchange_ts"), noon);
  EXPECT_EQ(decimal_at(row, "open"), tick.candle->open);
  EXPECT_EQ(decimal_at(row, "high"), tick.candle->high);
  EXPECT_EQ(decimal_at(row, "low"), tick.candle->low);
  EXPECT_EQ(decimal_at(row, "close"), tick.candle->close);
  EXPECT_EQ(decimal_at(row, "last_price"), tick.last_price);
  EXPECT_EQ(testing::real_at(row, "price_change_pct_1h"), 0.25);
  EXPECT_EQ(testing::real_at(row, "price_change_pct_24h"), -1.5);
  EXPECT_EQ(decimal_at(row, "volume_24h_quote"), tick.volume_24h_quote);
  EXPECT_EQ(testing::real_at(row, "volume_change_pct_24h"), 12.5);
  EXPECT_EQ(decimal_at(row, "market_cap"), tick.market_cap);
  EXPECT_EQ(decimal_at(row, "circulating_supply"), tick.circulating_supply);
  EXPECT_EQ(decimal_at(row, "bid_ask_spread"), tick.bid_ask_spread);
  EXPECT_EQ(time_at(row, "candle_time"), noon - 1min);
  EXPECT_EQ(time_at(row, "ingested_at"), noon + 1s);
  // The best two, best first.
  EXPECT_EQ(std::get<schema::Json>(row.at("bid_depth")).text, R"([["1.1","5"],["1.09","6"]])");
  EXPECT_EQ(std::get<schema::Json>(row.at("ask_depth")).text, R"([["1.11","8"]])");
}

TEST(Rows, ATickOfNothingIsNullButForItsKey) {
  const auto row = tick_row({.instrument = &bitcoin(), .exchange_time = noon}, 20, noon);
  expect_true_to_schema(row, schema::market_ticks);
  EXPECT_EQ(nulls_in(row), schema::market_ticks.columns.size() - 6);
}

TEST(Rows, OneEmptySideOfALadderIsEmptyAndNotUnknown) {
  Tick tick = full_tick();
  tick.asks.clear();
  const auto row = tick_row(tick, 20, noon);
  EXPECT_EQ(std::get<schema::Json>(row.at("ask_depth")).text, "[]");
}

TEST(Rows, IndicatorsGoIntoTheColumnsOfTheirNames) {
  const auto values = full_values();
  const auto row = indicator_row(bitcoin(), Timeframe::m1, noon, values, 2, noon + 1s);
  expect_true_to_schema(row, schema::technical_indicators);
  EXPECT_EQ(nulls_in(row), 0U);
  for (const auto& column : indicator::columns()) {
    EXPECT_EQ(testing::real_at(row, column.name), *(values.*column.value)) << column.name;
  }
  EXPECT_EQ(time_at(row, "exchange_ts"), noon);
  EXPECT_EQ(time_at(row, "candle_time"), noon - 1min);
  EXPECT_EQ(testing::integer_at(row, "revision"), 2);
  std::string extra;
  indicator::append_extra(extra, values);
  EXPECT_EQ(std::get<schema::Json>(row.at("extra")).text, extra);
  EXPECT_NE(extra.find(indicator::extra_names().back()), std::string::npos);
}

TEST(Rows, IndicatorsThatAreNotThereYetAreNull) {
  indicator::Values values;
  values.open_time = noon;
  values.extra.resize(indicator::extra_names().size());
  const auto row = indicator_row(bitcoin(), Timeframe::m1, noon, values, 0, noon);
  expect_true_to_schema(row, schema::technical_indicators);
  EXPECT_EQ(nulls_in(row), indicator::columns().size());
}

TEST(Rows, ACheckpointCarriesTheState) {
  const auto row =
      checkpoint_row(bitcoin(), Timeframe::m1, noon, "v1 \"quoted\" 1.5e-300", noon + 1s);
  expect_true_to_schema(row, schema::indicator_checkpoint);
  EXPECT_EQ(std::get<std::string>(row.at("state")), "v1 \"quoted\" 1.5e-300");
  EXPECT_EQ(time_at(row, "candle_time"), noon);
}

}  // namespace
}  // namespace candlewick::pipeline
