// One row a kind, sorted by name.
#include "sink/registry.h"

#include <array>

#include "sink/postgres_warehouse.h"
#include "sink/sqlite_warehouse.h"

namespace candlewick::sink {
namespace {

constexpr std::array<Kind, 2> kinds{
    {{"postgres", "a warehouse on TimescaleDB or PostgreSQL", make_postgres_warehouse_from},
     {"sqlite", "the embedded warehouse, one file", make_sqlite_warehouse_from}}};

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
