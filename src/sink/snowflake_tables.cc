// Column names are quoted: OPEN, TIMESTAMP and the like mean something of their own elsewhere.
#include "sink/snowflake_tables.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "schema/table.h"

namespace candlewick::sink::snowflake {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string quoted(std::string_view name) {
  return fmt::format("\"{}\"", name);
}

CellType cell_type(schema::ColumnType type) {
  switch (type) {
    case schema::ColumnType::text:
      return CellType::text;
    case schema::ColumnType::integer:
      return CellType::integer;
    case schema::ColumnType::boolean:
      return CellType::boolean;
    case schema::ColumnType::decimal:
      return CellType::decimal;
    case schema::ColumnType::real:
      return CellType::real;
    case schema::ColumnType::time:
      return CellType::time;
    case schema::ColumnType::json:
      return CellType::json;
  }
  std::unreachable();
}

Target same_as(const schema::Table& table, Rule rule) {
  Target target{.name = upper(table.name), .rule = rule};
  for (const auto& column : table.columns) {
    target.columns.push_back({upper(column.name), cell_type(column.type), column.nullable});
  }
  for (const auto column : table.key) {
    target.key.push_back(upper(column));
    if (table.columns[table.index_of(column)].type == schema::ColumnType::time) {
      target.time_column = upper(column);
    }
  }
  return target;
}

constexpr bool required = false;

// Facts name their exchange and pair by ids that are computed from the names (snowflake_rows.h), so
// that nothing needs to be looked up before it is written.
Target fact_ohlcv() {
  Target target = same_as(schema::fact_ohlcv, Rule::newer_candle);
  target.columns[0] = {"EXCHANGE_ID", CellType::integer, required};
  target.columns[1] = {"CRYPTO_ID", CellType::integer, required};
  target.key = {"EXCHANGE_ID", "CRYPTO_ID", "TIMEFRAME", "TIMESTAMP"};
  return target;
}

Target dim_exchange() {
  return {.name = "DIM_EXCHANGE",
          .columns = {{"EXCHANGE_ID", CellType::integer, required},
                      {"NAME", CellType::text, required},
                      {"DISPLAY_NAME"},
                      {"REGION"},
                      {"TRADING_FEES", CellType::decimal},
                      {"RECORDED_AT", CellType::time, required}},
          .key = {"EXCHANGE_ID"},
          .rule = Rule::later};
}

Target dim_cryptocurrency() {
  return {.name = "DIM_CRYPTOCURRENCY",
          .columns = {{"CRYPTO_ID", CellType::integer, required},
                      {"SYMBOL", CellType::text, required},
                      {"NAME"},
                      {"SECTOR"},
                      {"LAUNCH_DATE", CellType::date},
                      {"BASE", CellType::text, required},
                      {"QUOTE", CellType::text, required},
                      {"COINGECKO_ID"},
                      {"RECORDED_AT", CellType::time, required}},
          .key = {"CRYPTO_ID"},
          .rule = Rule::later};
}

Target dim_listing() {
  return {.name = "DIM_LISTING",
          .columns = {{"EXCHANGE_ID", CellType::integer, required},
                      {"CRYPTO_ID", CellType::integer, required},
                      {"EXCHANGE_SYMBOL", CellType::text, required},
                      {"MARKET", CellType::text, required},
                      {"STATUS", CellType::text, required},
                      {"LISTED_AT", CellType::time},
                      {"DELISTED_AT", CellType::time},
                      {"PRICE_PRECISION", CellType::integer},
                      {"SIZE_PRECISION", CellType::integer},
                      {"TICK_SIZE", CellType::decimal},
                      {"STEP_SIZE", CellType::decimal},
                      {"RECORDED_AT", CellType::time, required}},
          .key = {"EXCHANGE_ID", "CRYPTO_ID", "EXCHANGE_SYMBOL", "MARKET"},
          .rule = Rule::later};
}

Target dim_asset() {
  Target target = same_as(schema::assets, Rule::later);
  target.name = "DIM_ASSET";
  for (auto& column : target.columns) {
    if (column.name == "LAUNCH_DATE") column.type = CellType::date;
  }
  return target;
}

std::string key_list(const Target& target, std::string_view prefix = "") {
  std::string list;
  for (const auto& column : target.key) {
    list += fmt::format("{}{}{}", list.empty() ? "" : ", ", prefix, quoted(column));
  }
  return list;
}

// Of several rows of one key the one that would be left if they came one after the other.
std::string best_first(const Target& target, std::string_view order) {
  const std::string tie = order.empty() ? "" : fmt::format(", {}", order);
  switch (target.rule) {
    case Rule::keep:
      return order.empty() ? quoted("INGESTED_AT") : std::string(order);
    case Rule::newer_revision:
      return R"("REVISION" DESC)" + tie;
    case Rule::newer_candle:
      return R"("IS_CLOSED" DESC, "REVISION" DESC)" + tie;
    case Rule::later:
      return R"("RECORDED_AT" DESC)" + (order.empty() ? "" : fmt::format(", {} DESC", order));
  }
  std::unreachable();
}

// Empty: what is there stays. Rows of the original service have no revision.
std::string guard(const Target& target) {
  switch (target.rule) {
    case Rule::keep:
      return "";
    case Rule::newer_revision:
      return R"(S."REVISION" > COALESCE(T."REVISION", -1))";
    case Rule::newer_candle:
      return R"((S."IS_CLOSED" AND NOT T."IS_CLOSED") OR )"
             R"((S."IS_CLOSED" = T."IS_CLOSED" AND S."REVISION" > T."REVISION"))";
    case Rule::later:
      return R"(S."RECORDED_AT" >= T."RECORDED_AT")";
  }
  std::unreachable();
}

bool is_in(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string column_definitions(const Target& target) {
  std::string text;
  for (const auto& column : target.columns) {
    text += fmt::format("{}\n  {} {}{}", text.empty() ? "" : ",", quoted(column.name),
                        sql_type(column.type), column.nullable ? "" : " NOT NULL");
  }
  return text;
}

}  // namespace

std::vector<Target> targets(bool with_candles) {
  std::vector<Target> all;
  if (with_candles) {
    all = {dim_asset(), dim_exchange(), dim_cryptocurrency(), dim_listing(), fact_ohlcv()};
  }
  all.push_back(same_as(schema::technical_indicators, Rule::newer_revision));
  all.push_back(same_as(schema::market_ticks, Rule::keep));
  return all;
}

std::string sql_type(CellType type) {
  switch (type) {
    case CellType::text:
      return "VARCHAR";
    case CellType::integer:
      return "NUMBER(19,0)";
    case CellType::boolean:
      return "BOOLEAN";
    case CellType::decimal:
      return "NUMBER(38,18)";
    case CellType::real:
      return "FLOAT";
    case CellType::date:
      return "DATE";
    case CellType::time:
      return "TIMESTAMP_NTZ(9)";
    case CellType::json:
      return "VARIANT";
  }
  std::unreachable();
}

std::string time_text(Time time) {
  std::string text = to_rfc3339(time);
  text[text.find('T')] = ' ';
  text.pop_back();  // the Z
  return text;
}

std::string create_sql(const Target& target) {
  return fmt::format("CREATE TABLE IF NOT EXISTS {} ({}\n)", target.name,
                     column_definitions(target));
}

std::string create_cursor_sql() {
  return "CREATE TABLE IF NOT EXISTS CANDLEWICK_CURSOR (\n  \"LOG_ID\" VARCHAR NOT NULL,\n  "
         "\"SEQUENCE\" NUMBER(19,0) NOT NULL\n)";
}

std::string create_staging_sql(const Target& target) {
  std::string text = fmt::format("CREATE OR REPLACE TEMPORARY TABLE STAGED_{} (\n  {} NUMBER(19,0)",
                                 target.name, quoted(order_column));
  for (const auto& column : target.columns) {
    const CellType type = column.type == CellType::json ? CellType::text : column.type;
    text += fmt::format(",\n  {} {}", quoted(column.name), sql_type(type));
  }
  return text + "\n)";
}

std::string clear_staging_sql(const Target& target) {
  return "DELETE FROM STAGED_" + target.name;
}

std::string stage_sql(const Target& target) {
  std::string names = quoted(order_column);
  std::string places = "?";
  for (const auto& column : target.columns) {
    names += ", " + quoted(column.name);
    places += ", ?";
  }
  return fmt::format("INSERT INTO STAGED_{} ({}) VALUES ({})", target.name, names, places);
}

std::string merge_sql(const Target& target, const std::optional<TimeRange>& range) {
  std::string source;
  std::string names;
  std::string values;
  std::string updates;
  for (const auto& column : target.columns) {
    const std::string name = quoted(column.name);
    source += source.empty() ? "" : ", ";
    source += column.type == CellType::json ? fmt::format("PARSE_JSON({0}) AS {0}", name) : name;
    names += (names.empty() ? "" : ", ") + name;
    values += (values.empty() ? "S." : ", S.") + name;
    if (!is_in(target.key, column.name)) {
      updates += fmt::format("{0}{1} = S.{1}", updates.empty() ? "" : ", ", name);
    }
  }
  std::string matches;
  for (const auto& column : target.key) {
    matches += fmt::format("{0}T.{1} = S.{1}", matches.empty() ? "" : " AND ", quoted(column));
  }
  if (range && !target.time_column.empty()) {
    // So that partitions of other times need not be read.
    matches +=
        fmt::format(" AND T.{} BETWEEN '{}'::TIMESTAMP_NTZ AND '{}'::TIMESTAMP_NTZ",
                    quoted(target.time_column), time_text(range->from), time_text(range->to));
  }
  std::string sql = fmt::format(
      "MERGE INTO {0} T USING (SELECT {1} FROM STAGED_{0} QUALIFY ROW_NUMBER() OVER (PARTITION BY "
      "{2} ORDER BY {3}) = 1) S ON {4}",
      target.name, source, key_list(target), best_first(target, quoted(order_column)), matches);
  if (const std::string condition = guard(target); !condition.empty()) {
    sql += fmt::format(" WHEN MATCHED AND ({}) THEN UPDATE SET {}", condition, updates);
  }
  return sql + fmt::format(" WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})", names, values);
}

std::string move_cursor_sql(std::int64_t sequence) {
  return fmt::format(
      "MERGE INTO CANDLEWICK_CURSOR T USING (SELECT ? AS \"LOG_ID\", {} AS \"SEQUENCE\") S ON "
      "T.\"LOG_ID\" = S.\"LOG_ID\" AND T.\"SEQUENCE\" = S.\"SEQUENCE\" WHEN NOT MATCHED THEN "
      "INSERT "
      "(\"LOG_ID\", \"SEQUENCE\") VALUES (S.\"LOG_ID\", S.\"SEQUENCE\")",
      sequence);
}

std::string name_cryptocurrencies_sql() {
  std::string source = R"(SELECT C."CRYPTO_ID", A."NAME")";
  std::string updates = R"("NAME" = S."NAME")";
  std::string differs = R"(C."NAME" IS DISTINCT FROM A."NAME")";
  for (const std::string_view column : {"SECTOR", "LAUNCH_DATE", "COINGECKO_ID"}) {
    const std::string better = fmt::format(R"(COALESCE(A."{0}", C."{0}"))", column);
    source += fmt::format(R"(, {} AS "{}")", better, column);
    updates += fmt::format(R"(, "{0}" = S."{0}")", column);
    differs += fmt::format(R"( OR C."{}" IS DISTINCT FROM {})", column, better);
  }
  return fmt::format(
      "MERGE INTO DIM_CRYPTOCURRENCY T USING ({} FROM DIM_CRYPTOCURRENCY C JOIN DIM_ASSET A ON "
      "A.\"ASSET\" = C.\"BASE\" WHERE {}) S ON T.\"CRYPTO_ID\" = S.\"CRYPTO_ID\" WHEN MATCHED THEN "
      "UPDATE SET {}",
      source, differs, updates);
}

std::string current_view_sql(const Target& target) {
  return fmt::format(
      "CREATE VIEW IF NOT EXISTS {0}_CURRENT AS SELECT * FROM {0}\n  QUALIFY ROW_NUMBER() OVER "
      "(PARTITION BY {1} ORDER BY {2}) = 1",
      target.name, key_list(target), best_first(target, ""));
}

std::string ohlcv_view_sql(bool of_current) {
  const std::string_view suffix = of_current ? "_CURRENT" : "";
  return fmt::format(
      "CREATE VIEW IF NOT EXISTS OHLCV AS SELECT\n"
      "  E.\"NAME\" AS EXCHANGE, C.\"SYMBOL\", F.\"TIMEFRAME\", F.\"TIMESTAMP\",\n"
      "  F.\"OPEN\"::FLOAT AS OPEN, F.\"HIGH\"::FLOAT AS HIGH, F.\"LOW\"::FLOAT AS LOW,\n"
      "  F.\"CLOSE\"::FLOAT AS CLOSE, F.\"VOLUME\"::FLOAT AS VOLUME,\n"
      "  F.\"QUOTE_VOLUME\"::FLOAT AS QUOTE_VOLUME, F.\"TRADE_COUNT\", F.\"IS_CLOSED\"\n"
      "FROM FACT_OHLCV{0} F\n"
      "JOIN DIM_EXCHANGE{0} E ON E.\"EXCHANGE_ID\" = F.\"EXCHANGE_ID\"\n"
      "JOIN DIM_CRYPTOCURRENCY{0} C ON C.\"CRYPTO_ID\" = F.\"CRYPTO_ID\"",
      suffix);
}

std::string add_columns_sql(const Target& target, std::span<const std::string> names) {
  std::string sql;
  for (const auto& column : target.columns) {
    if (std::ranges::find(names, column.name) == names.end()) continue;
    // Rows that are there have no value for it, so it cannot be required.
    sql += fmt::format("{}ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {};", sql.empty() ? "" : "\n",
                       target.name, quoted(column.name), sql_type(column.type));
  }
  return sql;
}

std::string setup_script(const SetupNames& names, bool with_candles, bool streaming) {
  const std::string place = names.database + "." + names.schema;
  std::string text =
      "-- Candlewick in Snowflake. To be run by a role that may create schemas and grant; every\n"
      "-- statement may be run again. Tables that the original service filled keep their rows and\n"
      "-- get the columns that they lack.\n\n";
  text += fmt::format("CREATE DATABASE IF NOT EXISTS {};\nCREATE SCHEMA IF NOT EXISTS {};\n",
                      names.database, place);
  text += fmt::format("USE SCHEMA {};\n\n", place);
  const auto all = targets(with_candles);
  for (const auto& target : all) text += create_sql(target) + ";\n\n";
  if (!streaming) text += create_cursor_sql() + ";\n\n";
  text += "-- Columns that tables of the original service lack.\n";
  for (const auto& target : all) {
    if (target.name != "MARKET_TICKS" && target.name != "TECHNICAL_INDICATORS") continue;
    std::vector<std::string> columns;
    for (const auto& column : target.columns) columns.push_back(column.name);
    text += add_columns_sql(target, columns) + "\n";
  }
  if (streaming) {
    text += "\n-- Streams only add rows; these show of each key the row that counts.\n";
    for (const auto& target : all) text += current_view_sql(target) + ";\n";
  }
  if (with_candles) text += "\n" + ohlcv_view_sql(streaming) + ";\n";
  text += fmt::format("\nGRANT USAGE ON DATABASE {} TO ROLE {};\n", names.database, names.role);
  text += fmt::format("GRANT USAGE, CREATE TABLE, CREATE VIEW ON SCHEMA {} TO ROLE {};\n", place,
                      names.role);
  if (!streaming) {
    text += fmt::format("GRANT USAGE ON WAREHOUSE {} TO ROLE {};\n", names.warehouse, names.role);
  }
  const std::string_view rights = streaming ? "SELECT, INSERT" : "SELECT, INSERT, UPDATE, DELETE";
  for (const auto& target : all) {
    text += fmt::format("GRANT {} ON TABLE {}.{} TO ROLE {};\n", rights, place, target.name,
                        names.role);
  }
  if (!streaming) {
    text += fmt::format("GRANT {} ON TABLE {}.CANDLEWICK_CURSOR TO ROLE {};\n", rights, place,
                        names.role);
  }
  return text;
}

}  // namespace candlewick::sink::snowflake
