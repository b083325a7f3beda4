// One row a kind, sorted by name.
#include "sink/registry.h"

#include <array>

#include "sink/postgres_warehouse.h"
#include "sink/snowflake.h"
#include "sink/sqlite_warehouse.h"
#include "sink/supabase.h"
#include "sink/webhook.h"

namespace candlewick::sink {
namespace {

constexpr auto kinds = std::to_array<Kind>({
    {"postgres", "a warehouse on TimescaleDB or PostgreSQL", make_postgres_warehouse_from},
    {"snowflake", "Snowflake, by SQL through a warehouse or by Snowpipe Streaming",
     make_snowflake_from, snowflake_setup_sql},
    {"sqlite", "the embedded warehouse, one file", make_sqlite_warehouse_from},
    {"supabase", "a Supabase project, through its Data API", make_supabase_from,
     supabase_setup_sql_from},
    {"webhook", "signed JSON to an address of yours", make_webhook_from},
});

}  // namespace

std::span<const Kind> all_sinks() {
  return kinds;
}

const Kind* find_sink(std::string_view name) {
  for (const auto& kind : kinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::string sink_names() {
  std::string names;
  for (const auto& kind : kinds) {
    if (!names.empty()) names += ", ";
    names += kind.name;
  }
  return names;
}

}  // namespace candlewick::sink
