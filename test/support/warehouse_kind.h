// Every kind of warehouse that must answer alike, for parametrised tests.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "test/support/postgres_server.h"

namespace candlewick::test {

enum class WarehouseKind : unsigned char { sqlite, plain, timescale };

inline std::string name_of(WarehouseKind kind) {
  return kind == WarehouseKind::sqlite  ? "Sqlite"
         : kind == WarehouseKind::plain ? "PlainPostgres"
                                        : "TimescaleApache";
}
inline PostgresKind postgres_kind(WarehouseKind kind) {
  return kind == WarehouseKind::timescale ? PostgresKind::timescale : PostgresKind::plain;
}
// Why tests of that kind are skipped here; empty when they run.
inline std::string skip_reason(WarehouseKind kind) {
  return kind == WarehouseKind::timescale ? skip_reason(PostgresKind::timescale) : "";
}
inline auto all_warehouse_kinds() {
  return testing::Values(WarehouseKind::sqlite, WarehouseKind::plain, WarehouseKind::timescale);
}
inline std::string warehouse_kind_name(const testing::TestParamInfo<WarehouseKind>& info) {
  return name_of(info.param);
}

}  // namespace candlewick::test
