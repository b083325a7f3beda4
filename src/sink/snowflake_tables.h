// The tables in Snowflake as data, and the SQL that makes, fills and reads them. sql/snowflake/
// holds the same SQL for people; a test keeps the two equal.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace candlewick::sink::snowflake {

enum class CellType : unsigned char { text, integer, boolean, decimal, real, date, time, json };

struct TableColumn {
  std::string name;  // as stored: upper case
  CellType type = CellType::text;
  bool nullable = true;
};

// What happens when a row's key is there already.
enum class Rule : unsigned char {
  keep,            // the first one stays
  newer_revision,  // replaced if REVISION grows
  newer_candle,    // replaced if (IS_CLOSED, REVISION) grows
  later,           // replaced unless RECORDED_AT is older
};

struct Target {
  std::string name;  // "MARKET_TICKS"
  std::vector<TableColumn> columns;
  std::vector<std::string> key;
  std::string time_column;  // of the key; a MERGE looks only between its least and greatest value
  Rule rule = Rule::keep;
};

// In the order in which they are written; facts after the dimensions that they name, market ticks
// last: the position of a stream is theirs.
std::vector<Target> targets(bool with_candles);

// The first column of every staging table: the order of rows.
inline constexpr std::string_view order_column = "CANDLEWICK_ORDER";

std::string create_sql(const Target& target);
std::string create_cursor_sql();
// Temporary: it is the session's own, and gone with it.
std::string create_staging_sql(const Target& target);
std::string clear_staging_sql(const Target& target);
std::string stage_sql(const Target& target);
struct TimeRange {
  Time from;
  Time to;  // inclusive
};
std::string merge_sql(const Target& target, const std::optional<TimeRange>& range);
// Adds the position of the log that is bound.
std::string move_cursor_sql(std::int64_t sequence);
// Names and sectors of assets into the pairs of which they are the base.
std::string name_cryptocurrencies_sql();
// <TABLE>_CURRENT: of each key the row that a MERGE would have kept, for tables that only grow.
std::string current_view_sql(const Target& target);
std::string ohlcv_view_sql(bool of_current);
std::string add_columns_sql(const Target& target, std::span<const std::string> names);

// "2024-05-01 12:00:00.123456": as every time is written.
std::string time_text(Time time);
std::string sql_type(CellType type);

struct SetupNames {
  std::string database;
  std::string schema;
  std::string role;
  std::string warehouse;
};
// All of it for the owner of a schema: grants, tables, the columns that tables of the original
// service lack, views.
std::string setup_script(const SetupNames& names, bool with_candles, bool streaming);

}  // namespace candlewick::sink::snowflake
