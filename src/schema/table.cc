// The columns of every table, and rows to and from text.
#include "schema/table.h"

#include <array>

#include "base/check.h"
#include "base/json_text.h"

namespace candlewick::schema {
namespace {

using enum ColumnType;

constexpr bool required = false;  // Column::nullable

constexpr std::array<Column, 11> instrument_columns{{{"exchange", text, required},
                                                     {"symbol", text, required},
                                                     {"exchange_symbol", text, required},
                                                     {"market", text, required},
                                                     {"base", text, required},
                                                     {"quote", text, required},
                                                     {"status", text, required},
                                                     {"tick_size", decimal},
                                                     {"step_size", decimal},
                                                     {"listed_at", time},
                                                     {"recorded_at", time, required}}};
constexpr std::array<std::string_view, 3> instrument_key{"exchange", "exchange_symbol", "market"};

// A launch date is its midnight UTC.
constexpr std::array<Column, 6> asset_columns{{{"asset", text, required},
                                               {"name", text, required},
                                               {"sector", text},
                                               {"launch_date", time},
                                               {"coingecko_id", text},
                                               {"recorded_at", time, required}}};
constexpr std::array<std::string_view, 1> asset_key{"asset"};

constexpr std::array<Column, 17> ohlcv_columns{{{"exchange", text, required},
                                                {"symbol", text, required},
                                                {"timeframe", text, required},
                                                {"timestamp", time, required},
                                                {"open", decimal, required},
                                                {"high", decimal, required},
                                                {"low", decimal, required},
                                                {"close", decimal, required},
                                                {"volume", decimal, required},
                                                {"quote_volume", decimal},
                                                {"trade_count", integer},
                                                {"taker_buy_volume", decimal},
                                                {"taker_buy_quote_volume", decimal},
                                                {"is_closed", boolean, required},
                                                {"source", text, required},
                                                {"revision", integer, required},
                                                {"ingested_at", time, required}}};
constexpr std::array<std::string_view, 4> ohlcv_key{"exchange", "symbol", "timeframe", "timestamp"};

// An earlier value and when it was replaced.
constexpr auto revision_columns = [] {
  std::array<Column, ohlcv_columns.size() + 1> columns{};
  std::ranges::copy(ohlcv_columns, columns.begin());
  columns.back() = {"superseded_at", time, required};
  return columns;
}();
constexpr std::array<std::string_view, 5> revision_key{"exchange", "symbol", "timeframe",
                                                       "timestamp", "revision"};

// The id is the venue's own text, or made of the trade itself where the venue gives none. The time
// is part of the key because large tables are cut by it.
constexpr std::array<Column, 9> trade_columns{{{"exchange", text, required},
                                               {"symbol", text, required},
                                               {"exchange_time", time, required},
                                               {"trade_id", text, required},
                                               {"price", decimal, required},
                                               {"size", decimal, required},
                                               {"quote_size", decimal},
                                               {"taker_side", text, required},
                                               {"ingested_at", time, required}}};
constexpr std::array<std::string_view, 4> trade_key{"exchange", "symbol", "exchange_time",
                                                    "trade_id"};

constexpr std::array<Column, 21> tick_columns{{{"symbol", text, required},
                                               {"exchange", text, required},
                                               {"exchange_symbol", text, required},
                                               {"window_interval", text, required},
                                               {"exchange_ts", time, required},
                                               {"open", decimal},
                                               {"high", decimal},
                                               {"low", decimal},
                                               {"close", decimal},
                                               {"last_price", decimal},
                                               {"price_change_pct_1h", real},
                                               {"price_change_pct_24h", real},
                                               {"volume_24h_quote", decimal},
                                               {"volume_change_pct_24h", real},
                                               {"market_cap", decimal},
                                               {"circulating_supply", decimal},
                                               {"bid_ask_spread", decimal},
                                               {"bid_depth", json},
                                               {"ask_depth", json},
                                               {"candle_time", time},
                                               {"ingested_at", time, required}}};
constexpr std::array<std::string_view, 4> snapshot_key{"exchange", "symbol", "window_interval",
                                                       "exchange_ts"};

constexpr std::array<Column, 18> indicator_columns{{{"symbol", text, required},
                                                    {"exchange", text, required},
                                                    {"exchange_symbol", text, required},
                                                    {"window_interval", text, required},
                                                    {"exchange_ts", time, required},
                                                    {"rolling_return_1h", real},
                                                    {"rolling_return_24h", real},
                                                    {"rolling_volatility_24h", real},
                                                    {"high_low_range_24h", real},
                                                    {"moving_average_7", real},
                                                    {"moving_average_30", real},
                                                    {"rsi_14", real},
                                                    {"macd", real},
                                                    {"macd_signal", real},
                                                    {"extra", json},
                                                    {"candle_time", time},
                                                    {"revision", integer, required},
                                                    {"created_at", time, required}}};

constexpr std::array<Column, 11> coverage_columns{{{"exchange", text, required},
                                                   {"symbol", text, required},
                                                   {"timeframe", text, required},
                                                   {"stream", text, required},
                                                   {"from", time, required},
                                                   {"to", time, required},
                                                   {"state", text, required},
                                                   {"cause", text},
                                                   {"evidence", text},
                                                   {"recorded_at", time, required},
                                                   {"seq", integer, required}}};
constexpr std::array<std::string_view, 4> coverage_key{"exchange", "symbol", "timeframe", "seq"};

constexpr std::array<Column, 6> checkpoint_columns{{{"exchange", text, required},
                                                    {"symbol", text, required},
                                                    {"timeframe", text, required},
                                                    {"candle_time", time, required},
                                                    {"state", text, required},
                                                    {"recorded_at", time, required}}};
constexpr std::array<std::string_view, 3> checkpoint_key{"exchange", "symbol", "timeframe"};

constexpr std::array<Column, 12> verification_columns{{{"exchange", text, required},
                                                       {"symbol", text, required},
                                                       {"timeframe", text, required},
                                                       {"against", text, required},
                                                       {"from", time, required},
                                                       {"to", time, required},
                                                       {"checked", integer, required},
                                                       {"equal", integer, required},
                                                       {"different", integer, required},
                                                       {"absent", integer, required},
                                                       {"recorded_at", time, required},
                                                       {"seq", integer, required}}};
constexpr std::array<std::string_view, 5> verification_key{"exchange", "symbol", "timeframe",
                                                           "against", "seq"};

// Columns are null when one side has no candle; then that side is null too.
constexpr std::array<Column, 10> mismatch_columns{{{"exchange", text, required},
                                                   {"symbol", text, required},
                                                   {"timeframe", text, required},
                                                   {"timestamp", time, required},
                                                   {"against", text, required},
                                                   {"columns", text},
                                                   {"stored", ColumnType::json},
                                                   {"found", ColumnType::json},
                                                   {"action", text, required},
                                                   {"recorded_at", time, required}}};
constexpr std::array<std::string_view, 6> mismatch_key{"exchange",  "symbol",  "timeframe",
                                                       "timestamp", "against", "recorded_at"};

}  // namespace

constinit const Table instruments{"instruments", instrument_columns, instrument_key,
                                  Conflict::replace};
constinit const Table assets{"assets", asset_columns, asset_key, Conflict::replace};
constinit const Table fact_ohlcv{"fact_ohlcv", ohlcv_columns, ohlcv_key, Conflict::newer_wins};
constinit const Table fact_ohlcv_revision{"fact_ohlcv_revision", revision_columns, revision_key,
                                          Conflict::keep};
constinit const Table fact_trade{"fact_trade", trade_columns, trade_key, Conflict::keep};
constinit const Table market_ticks{"market_ticks", tick_columns, snapshot_key, Conflict::keep};
constinit const Table technical_indicators{"technical_indicators", indicator_columns, snapshot_key,
                                           Conflict::newer_wins};
constinit const Table coverage{"coverage", coverage_columns, coverage_key, Conflict::keep};
constinit const Table indicator_checkpoint{"indicator_checkpoint", checkpoint_columns,
                                           checkpoint_key, Conflict::replace};
constinit const Table verification{"verification", verification_columns, verification_key,
                                   Conflict::keep};
constinit const Table verification_mismatch{"verification_mismatch", mismatch_columns, mismatch_key,
                                            Conflict::keep};

namespace {

constexpr std::array<const Table*, 11> tables{
    &instruments,          &assets,       &fact_ohlcv,           &fact_ohlcv_revision,
    &fact_trade,           &market_ticks, &technical_indicators, &coverage,
    &indicator_checkpoint, &verification, &verification_mismatch};

void append_value(std::string& out, const Value& value) {
  struct Appender {
    std::string& out;
    void operator()(Null) const { out += "null"; }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
    void operator()(std::int64_t number) const { json::append(out, number); }
    void operator()(double number) const { json::append(out, number); }
    void operator()(Decimal number) const { json::append(out, number); }
    void operator()(Time moment) const { json::append(out, moment); }
    void operator()(const std::string& words) const { json::append_string(out, words); }
    void operator()(const Json& document) const { out += document.text; }
  };
  std::visit(Appender{out}, value);
}

Value read_value(json::Value& value, ColumnType type) {
  switch (type) {
    case text:
      return std::string(value.string());
    case integer:
      return value.integer();
    case boolean:
      return value.boolean();
    case decimal:
      return value.decimal();
    case real:
      return value.floating();
    case time:
      return value.time_text();
    case ColumnType::json:
      return Json{std::string(value.text())};
  }
  std::unreachable();
}

}  // namespace

std::size_t Table::index_of(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return i;
  }
  return npos;
}

std::span<const Table* const> all_tables() {
  return tables;
}

const Table* find_table(std::string_view name) {
  for (const auto* table : tables) {
    if (table->name == name) return table;
  }
  return nullptr;
}

const Value& Row::at(std::string_view column) const {
  const auto index = table->index_of(column);
  check(index != Table::npos, "a row is asked for a column that its table has");
  return values[index];
}

void append_json(std::string& out, const Row& row) {
  json::Members members(out);
  members("table", row.table->name);
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    append_value(members.name(row.table->columns[i].name), row.values[i]);
  }
  members.close();
}

std::string to_json(const Row& row) {
  std::string out;
  append_json(out, row);
  return out;
}

Result<Row> RowReader::read(std::string_view words) {
  Row row;
  std::size_t next = 0;
  auto read = reader_.read(words, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (row.table == nullptr) {
        if (key != "table") return value.reject("a row names its table first");
        row.table = find_table(value.string());
        if (row.table == nullptr) return value.reject("unknown table");
        row.values.resize(row.table->columns.size());
        return;
      }
      const auto& columns = row.table->columns;
      if (next >= columns.size() || columns[next].name != key) next = row.table->index_of(key);
      if (next == Table::npos) return value.reject("unknown column");
      if (!value.is_null()) row.values[next] = read_value(value, columns[next].type);
      ++next;
    });
  });
  if (!read) return fail(std::move(read.error()));
  if (row.table == nullptr) return fail(ErrorKind::malformed, "a row without a table");
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const Column& column = row.table->columns[i];
    if (!column.nullable && is_null(row.values[i])) {
      return fail(ErrorKind::malformed, "{}.{} is null", row.table->name, column.name);
    }
  }
  return row;
}

std::string key_text(const Row& row) {
  std::string key;
  for (const auto column : row.table->key) {
    if (!key.empty()) key += '|';
    const Value& value = row.at(column);
    if (const auto* words = std::get_if<std::string>(&value)) {
      key += *words;
    } else if (const auto* moment = std::get_if<Time>(&value)) {
      append_rfc3339(key, *moment);
    } else {
      append_value(key, value);
    }
  }
  return key;
}

}  // namespace candlewick::schema
