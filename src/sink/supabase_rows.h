// Rows as PostgREST takes them in: which table and columns, each row as JSON, one for each key.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "log/log.h"
#include "schema/table.h"

namespace candlewick::sink {

struct SupabaseColumn {
  std::string_view name;
  std::string_view source;  // the column of the schema's table that it is filled from
  schema::ColumnType type;
};

// A table of the project, and what of our rows goes into it.
struct SupabaseTable {
  std::string_view name;
  const schema::Table* from = nullptr;
  std::vector<SupabaseColumn> columns;
  std::vector<std::string_view> key;
  // The column by which a row is told from a newer one of its key; empty: rows never change.
  std::string_view newer_by;
  std::string_view time;  // the column that ranges are asked by

  bool is_immutable() const { return newer_by.empty(); }
  const SupabaseColumn* find(std::string_view column) const;
};

SupabaseTable supabase_ticks();
SupabaseTable supabase_indicators();
SupabaseTable supabase_candles();
// The two parts of market_latest: columns of the tick, and columns of the indicators.
SupabaseTable supabase_latest_tick();
SupabaseTable supabase_latest_indicators();

// A row that goes in. Of two with one key the one of the higher rank goes.
struct SupabaseRow {
  std::string key;
  std::tuple<Time, std::int64_t> rank;  // of immutable rows always the same
  Time time;
  std::string json;
};

// The rows of that table, each key once, in the order in which keys first come. With
// `exchange_symbols` the column symbol has the venue's spelling. Decimals are JSON strings: nobody
// between here and the column reads them into a double. Times are cut to microseconds, as in every
// other sink.
std::vector<SupabaseRow> supabase_rows(const SupabaseTable& table,
                                       std::span<const log::Entry> entries, bool exchange_symbols);

// The key as SupabaseRow has it, from the values of the key's columns as text.
std::string supabase_key(std::span<const std::string> values);

// "[{…},{…}]"
std::string json_array(std::span<const SupabaseRow> rows);

}  // namespace candlewick::sink
