// For tests: rows of every table, ordinary and extreme.
#pragma once

#include <rapidcheck.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json_text.h"
#include "log/sqlite_log.h"
#include "market/timeframe.h"
#include "schema/table.h"

namespace candlewick::log {

inline Time at_minute(std::int64_t minute) {
  return Time{std::chrono::minutes{28'000'000 + minute}};
}

struct CandleCells {
  std::string exchange = "binance";
  std::string symbol = "BTC/USDT";
  std::string timeframe = "1m";
  Time timestamp = at_minute(0);
  std::string close = "60000.1";
  std::string volume = "1.5";
  bool is_closed = true;
  std::int64_t revision = 0;
  Time ingested_at = at_minute(1);
};

inline Decimal decimal(std::string_view digits) {
  return Decimal::parse(digits).value();
}

inline schema::Row candle_row(const CandleCells& cells) {
  return {.table = &schema::fact_ohlcv,
          .values = {cells.exchange, cells.symbol, cells.timeframe, cells.timestamp,
                     decimal(cells.close), decimal(cells.close), decimal(cells.close),
                     decimal(cells.close), decimal(cells.volume), decimal("7"), std::int64_t{3},
                     schema::Null{}, schema::Null{}, cells.is_closed, std::string("ws"),
                     cells.revision, cells.ingested_at}};
}

// A value of the column's type; extremes are as likely as ordinary ones.
inline rc::Gen<schema::Value> any_value(const schema::Column& column) {
  using schema::ColumnType;
  using schema::Value;
  const auto text = rc::gen::map(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)),
                                 [](std::string ascii) { return ascii + "é漢🕯\"\\\n"; });
  const auto typed = [&]() -> rc::Gen<Value> {
    switch (column.type) {
      case ColumnType::text:
        return rc::gen::map(text, [](std::string s) { return Value{s}; });
      case ColumnType::integer:
        return rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](auto n) { return Value{n}; });
      case ColumnType::boolean:
        return rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Value{b}; });
      case ColumnType::decimal:
        return rc::gen::map(
            rc::gen::tuple(rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange(0, 4)),
            [](const auto& pair) {
              const auto [count, kind] = pair;
              if (kind == 1) return Value{decimal("99999999999999999999.999999999999999999")};
              if (kind == 2) return Value{decimal("-99999999999999999999.999999999999999999")};
              if (kind == 3) return Value{Decimal::from_count(1)};
              return Value{Decimal::from_count(int128{count} * 1'000'003)};
            });
      case ColumnType::real:
        return rc::gen::map(rc::gen::arbitrary<double>(), [](double number) {
          return std::isfinite(number) ? Value{number} : Value{0.1};
        });
      case ColumnType::time:
        return rc::gen::map(rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000),
                            [](auto us) { return Value{time_from_us(us)}; });
      case ColumnType::json:
        return rc::gen::map(text, [](const std::string& s) {
          std::string document = "[[";
          json::append_string(document, s);
          return Value{schema::Json{document + ",\"0.5\"]]"}};
        });
    }
    std::unreachable();
  }();
  if (!column.nullable) return typed;
  return rc::gen::weightedOneOf<Value>({{4, typed}, {1, rc::gen::just(Value{schema::Null{}})}});
}

inline rc::Gen<schema::Row> any_row_of(const schema::Table& table) {
  return rc::gen::exec([&table] {
    schema::Row row{.table = &table, .values = {}};
    for (const auto& column : table.columns) row.values.push_back(*any_value(column));
    return row;
  });
}

inline rc::Gen<schema::Row> any_row() {
  return rc::gen::mapcat(rc::gen::elementOf(std::vector<const schema::Table*>(
                             schema::all_tables().begin(), schema::all_tables().end())),
                         [](const schema::Table* table) { return any_row_of(*table); });
}

inline std::unique_ptr<Log> open_log(const SqliteLogOptions& options) {
  auto opened = open_sqlite_log(options);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}
inline std::unique_ptr<Log> open_log(const std::filesystem::path& path) {
  return open_log(SqliteLogOptions{.path = path});
}

inline std::vector<schema::Row> candle_rows(std::int64_t from, std::int64_t count) {
  std::vector<schema::Row> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.push_back(
        candle_row({.timestamp = at_minute(from + i), .ingested_at = at_minute(from + i + 1)}));
  }
  return rows;
}

}  // namespace candlewick::log
