// The columns of the project's tables derive from the schema's, so one is added in one place.
#include "sink/supabase_rows.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/json_text.h"
#include "postgres/binary.h"

namespace candlewick::sink {
namespace {

using schema::ColumnType;
using schema::Value;

SupabaseTable all_columns_of(const schema::Table& table) {
  SupabaseTable result{.name = table.name, .from = &table, .columns = {}, .key = {}};
  for (const auto& column : table.columns) {
    result.columns.push_back({column.name, column.name, column.type});
  }
  result.key.assign(table.key.begin(), table.key.end());
  return result;
}

const Value& value_of(const schema::Row& row, std::string_view column, bool exchange_symbols) {
  if (exchange_symbols && column == "symbol" &&
      row.table->index_of("exchange_symbol") != schema::Table::npos) {
    return row.at("exchange_symbol");
  }
  return row.at(column);
}

Time cut_to_microseconds(Time time) {
  return time_from_us(to_us(time));
}

void append_value(std::string& out, const Value& value) {
  struct Appender {
    std::string& out;
    void operator()(schema::Null) const { out += "null"; }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
    void operator()(std::int64_t number) const { json::append(out, number); }
    void operator()(double number) const { json::append(out, number); }
    void operator()(Decimal number) const {
      out += '"';
      json::append(out, number);
      out += '"';
    }
    void operator()(Time moment) const { json::append(out, cut_to_microseconds(moment)); }
    void operator()(const std::string& words) const { json::append_string(out, words); }
    void operator()(const schema::Json& document) const { out += document.text; }
  };
  std::visit(Appender{out}, value);
}

// What a key's column is compared by.
std::string key_part(const Value& value) {
  if (const auto* words = std::get_if<std::string>(&value)) return *words;
  if (const auto* moment = std::get_if<Time>(&value)) {
    return to_rfc3339(cut_to_microseconds(*moment));
  }
  std::string text;
  append_value(text, value);
  return text;
}

bool goes_in(const schema::Row& row) {
  if (row.table != &schema::fact_ohlcv) return true;
  const auto* is_closed = std::get_if<bool>(&row.at("is_closed"));
  return is_closed != nullptr && *is_closed;
}

SupabaseRow make_row(const SupabaseTable& table, const schema::Row& row, bool exchange_symbols) {
  SupabaseRow made;
  const auto source_of = [&](std::string_view column) { return table.find(column)->source; };
  std::vector<std::string> key;
  key.reserve(table.key.size());
  for (const auto column : table.key) {
    key.push_back(key_part(value_of(row, source_of(column), exchange_symbols)));
  }
  made.key = supabase_key(key);
  if (const auto* moment = std::get_if<Time>(&row.at(source_of(table.time)))) {
    made.time = cut_to_microseconds(*moment);
  }
  if (!table.is_immutable()) {
    // In market_latest a key's instant moves on; elsewhere it is part of the key.
    if (std::ranges::find(table.key, table.time) == table.key.end()) {
      std::get<Time>(made.rank) = made.time;
    }
    const auto* revision = std::get_if<std::int64_t>(&row.at(source_of(table.newer_by)));
    if (revision != nullptr) std::get<std::int64_t>(made.rank) = *revision;
  }
  json::Members members(made.json);
  for (const auto& column : table.columns) {
    append_value(members.name(column.name), value_of(row, column.source, exchange_symbols));
  }
  members.close();
  return made;
}

}  // namespace

const SupabaseColumn* SupabaseTable::find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &SupabaseColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

SupabaseTable supabase_ticks() {
  SupabaseTable table = all_columns_of(schema::market_ticks);
  table.time = "exchange_ts";
  return table;
}

SupabaseTable supabase_indicators() {
  SupabaseTable table = all_columns_of(schema::technical_indicators);
  table.newer_by = "revision";
  table.time = "exchange_ts";
  return table;
}

SupabaseTable supabase_candles() {
  SupabaseTable table = all_columns_of(schema::fact_ohlcv);
  table.newer_by = "revision";
  table.time = "timestamp";
  return table;
}

SupabaseTable supabase_latest_tick() {
  SupabaseTable table = all_columns_of(schema::market_ticks);
  table.name = "market_latest";
  table.key = {"exchange", "symbol"};
  table.newer_by = "exchange_ts";
  table.time = "exchange_ts";
  return table;
}

SupabaseTable supabase_latest_indicators() {
  SupabaseTable table = all_columns_of(schema::technical_indicators);
  table.name = "market_latest";
  table.key = {"exchange", "symbol"};
  table.newer_by = "revision";
  // Both parts have these; the tick's stay.
  std::erase_if(table.columns, [](const SupabaseColumn& column) {
    return column.name == "candle_time" || column.name == "created_at";
  });
  for (auto& column : table.columns) {
    if (column.name == "exchange_ts") column.name = "indicators_ts";
  }
  table.time = "indicators_ts";
  return table;
}

std::string supabase_key(std::span<const std::string> values) {
  std::string key;
  for (const auto& value : values) {
    key += value;
    key += '\n';
  }
  return key;
}

std::vector<SupabaseRow> supabase_rows(const SupabaseTable& table,
                                       std::span<const log::Entry> entries, bool exchange_symbols) {
  std::vector<SupabaseRow> rows;
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& entry : entries) {
    if (entry.row.table != table.from || !goes_in(entry.row)) continue;
    SupabaseRow row = make_row(table, entry.row, exchange_symbols);
    const auto [place, is_new] = places.emplace(row.key, rows.size());
    if (is_new) {
      rows.push_back(std::move(row));
    } else if (!table.is_immutable() && row.rank >= rows[place->second].rank) {
      rows[place->second] = std::move(row);
    }
  }
  return rows;
}

std::string json_array(std::span<const SupabaseRow> rows) {
  std::string out = "[";
  for (const auto& row : rows) {
    if (out.size() > 1) out += ',';
    out += row.json;
  }
  out += ']';
  return out;
}

}  // namespace candlewick::sink
