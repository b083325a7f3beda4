// Rows to text and back, for every table there is.
#include "schema/table.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace candlewick::schema {
namespace {

Value arbitrary_value(ColumnType type) {
  switch (type) {
    case ColumnType::text: {
      // Quotes, control characters and letters outside ASCII among others.
      const auto parts =
          *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
              "a", "BTC/USDT", "\"", "\\", "\n", "\x01", "é", "😀", "{", ",", "|"));
      std::string text;
      for (const auto& part : parts) text += part;
      return text;
    }
    case ColumnType::integer:
      return *rc::gen::arbitrary<std::int64_t>();
    case ColumnType::boolean:
      return *rc::gen::arbitrary<bool>();
    case ColumnType::decimal: {
      const auto high =
          *rc::gen::inRange<std::int64_t>(-5'000'000'000'000'000'000, 5'000'000'000'000'000'000);
      const auto low = *rc::gen::arbitrary<std::uint64_t>();
      const auto shift = *rc::gen::inRange(0, 127);
      return Decimal::from_count(((static_cast<int128>(high) << 64) | low) >> shift);
    }
    case ColumnType::real: {
      const double number = *rc::gen::arbitrary<double>();
      return std::isfinite(number) ? number : 0.1;
    }
    case ColumnType::time:
      return time_from_ns(
          *rc::gen::inRange<std::int64_t>(-9'214'560'000'000'000'000, 9'214'646'400'000'000'000));
    case ColumnType::json:
      return Json{*rc::gen::element<std::string>(R"([["1.5","2"],["1","0.1"]])", "[]",
                                                 R"({"a":{"b":"\"}"}})", "1.50", "\"text\"",
                                                 "true")};
  }
  std::unreachable();
}

Row arbitrary_row(const Table& table) {
  Row row{.table = &table, .values = {}};
  for (const auto& column : table.columns) {
    const bool is_absent = column.nullable && *rc::gen::arbitrary<bool>();
    row.values.push_back(is_absent ? Value{Null{}} : arbitrary_value(column.type));
  }
  return row;
}

RC_GTEST_PROP(RowProperties, WhatIsWrittenReadsBackTheSame, ()) {
  RowReader reader;
  for (const auto* table : all_tables()) {
    const auto row = arbitrary_row(*table);
    const auto text = to_json(row);
    const auto back = reader.read(text);
    RC_ASSERT(back);
    RC_ASSERT(*back == row);
    RC_ASSERT(to_json(*back) == text);
    RC_ASSERT(text.find('\n') == std::string::npos);
  }
}

Row sample() {
  Row row{.table = &indicator_checkpoint, .values = {}};
  row.values = {std::string("binance"),      std::string("BTC/USDT"), std::string("1m"),
                time_from_ms(1723161540000), std::string("{}"),       time_from_ms(1723161600000)};
  return row;
}

TEST(Row, IsWrittenWithItsTableFirstAndItsColumnsInOrder) {
  EXPECT_EQ(
      to_json(sample()),
      R"({"table":"indicator_checkpoint","exchange":"binance","symbol":"BTC/USDT","timeframe":"1m",)"
      R"("candle_time":"2024-08-08T23:59:00Z","state":"{}","recorded_at":"2024-08-09T00:00:00Z"})");
}

TEST(Row, HasANaturalKeyAsText) {
  EXPECT_EQ(key_text(sample()), "binance|BTC/USDT|1m");
  Row candle{.table = &fact_ohlcv_revision,
             .values = std::vector<Value>(fact_ohlcv_revision.columns.size())};
  candle.values[fact_ohlcv_revision.index_of("exchange")] = std::string("binance");
  candle.values[fact_ohlcv_revision.index_of("symbol")] = std::string("BTC/USDT");
  candle.values[fact_ohlcv_revision.index_of("timeframe")] = std::string("1m");
  candle.values[fact_ohlcv_revision.index_of("timestamp")] = time_from_ms(1723161540000);
  candle.values[fact_ohlcv_revision.index_of("revision")] = std::int64_t{3};
  EXPECT_EQ(key_text(candle), "binance|BTC/USDT|1m|2024-08-08T23:59:00Z|3");
}

TEST(Row, IsAskedForItsValuesByColumn) {
  EXPECT_EQ(sample().at("symbol"), Value{std::string("BTC/USDT")});
}

TEST(RowDeathTest, AskingForAColumnThatIsNotThereStopsTheProgram) {
  EXPECT_DEATH((void)sample().at("price"), "broken invariant");
}

TEST(RowReader, TakesColumnsInAnyOrderAndMissingOnesForNull) {
  RowReader reader;
  const auto row = reader.read(
      R"({"table":"instruments","symbol":"BTC/USDT","exchange":"binance","recorded_at":"2024-08-08T00:00:00Z",)"
      R"("status":"trading","exchange_symbol":"BTCUSDT","market":"spot","tick_size":0.01,"base":"BTC","quote":"USDT"})");
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_EQ(row->at("symbol"), Value{std::string("BTC/USDT")});
  EXPECT_EQ(row->at("tick_size"), Value{*Decimal::parse("0.01")});
  EXPECT_TRUE(is_null(row->at("step_size")));
}

TEST(RowReader, RefusesByName) {
  struct Bad {
    std::string_view text;
    std::string_view part;
  };
  RowReader reader;
  for (const auto& [text, part] : std::initializer_list<Bad>{
           {R"({"table":"nonsense"})", "table: unknown table"},
           {R"({"exchange":"binance"})", "exchange: a row names its table first"},
           {R"({})", "a row without a table"},
           {R"([])", "an object was expected"},
           {R"({"table":"coverage","price":1})", "price: unknown column"},
           {R"({"table":"coverage","seq":1,"exchange":null})", "coverage.exchange is null"},
           {R"({"table":"coverage"})", "coverage.exchange is null"},
           {R"({"table":"coverage","seq":1.5})", "seq: not an integer"},
           {R"({"table":"coverage","from":"yesterday"})", "from: not an RFC 3339 time"},
           {R"({"table":"fact_ohlcv","open":"x"})", "open: not a decimal"},
           {R"({"table":"fact_ohlcv","is_closed":1})", "is_closed: true or false was expected"},
           {R"({"table":"technical_indicators","macd":"NaN"})", "macd: not a number"},
           {R"({"table":1})", "table: a string was expected"},
       }) {
    const auto row = reader.read(text);
    ASSERT_FALSE(row) << text;
    EXPECT_EQ(row.error().kind, ErrorKind::malformed);
    EXPECT_NE(row.error().message.find(part), std::string::npos)
        << text << ": " << row.error().message;
  }
  EXPECT_TRUE(reader.read(to_json(sample()))) << "a refusal does not stick";
}

TEST(RowReader, RefusesEveryTruncation) {
  RowReader reader;
  const auto text = to_json(sample());
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(reader.read(std::string_view(text).substr(0, length))) << length;
  }
}

TEST(Table, HasItsKeyAmongItsColumnsAndNamesEachOnce) {
  std::set<std::string_view> tables;
  for (const auto* table : all_tables()) {
    EXPECT_TRUE(tables.insert(table->name).second) << table->name;
    EXPECT_EQ(find_table(table->name), table);
    std::set<std::string_view> columns;
    for (const auto& column : table->columns)
      EXPECT_TRUE(columns.insert(column.name).second) << column.name;
    EXPECT_FALSE(columns.contains("table")) << "that name is taken by the row's text";
    for (const auto column : table->key) {
      const auto index = table->index_of(column);
      ASSERT_NE(index, Table::npos) << table->name << "." << column;
      EXPECT_FALSE(table->columns[index].nullable) << table->name << "." << column;
    }
    if (table->conflict == Conflict::newer_wins) {
      EXPECT_NE(table->index_of("revision"), Table::npos) << table->name;
    }
  }
  EXPECT_EQ(find_table("nonsense"), nullptr);
  EXPECT_EQ(coverage.index_of("nonsense"), Table::npos);
}

}  // namespace
}  // namespace candlewick::schema
