// The work itself is in the warehouse's own functions (sql/warehouse/postgres), which run with the
// owner's rights, so that the writer needs none to drop.
#include "warehouse/postgres_maintenance.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace candlewick::warehouse {
namespace {

using postgres::Connection;

constexpr Duration least_retention = std::chrono::days{7};

struct Kept {
  std::string_view table;
  std::string_view name;
  std::optional<Duration> duration;
};

std::array<Kept, 4> kept_tables(const Retention& retention) {
  return {{{"fact_ohlcv", "candles", retention.candles},
           {"fact_trade", "trades", retention.trades},
           {"market_ticks", "ticks", retention.ticks},
           {"technical_indicators", "indicators", retention.indicators}}};
}

// The server's own job has five minutes; then it is taken to be off.
Result<void> refresh(Connection& connection, Time now, Maintenance& done) {
  const auto has_touched =
      connection.query("SELECT count(*) FROM pg_class WHERE oid = to_regclass('rollup_touched')");
  if (!has_touched) return fail(has_touched.error());
  if (has_touched->integer(0, 0) == 0) return {};
  constexpr std::string_view waiting =
      "SELECT count(DISTINCT t.day), "
      "CASE WHEN min(t.touched_at) < now() - INTERVAL '5 minutes' THEN 1 ELSE 0 END::bigint, "
      "(SELECT count(*) FROM pg_class WHERE oid = to_regclass('rollup_touched') "
      "AND pg_has_role(relowner, 'USAGE')) FROM rollup_touched t";
  auto found = connection.query(waiting);
  if (!found) return fail(found.error());
  if (found->integer(0, 1) != 0 && found->integer(0, 2) != 0) {
    // Outside of a transaction: it makes its own.
    const auto called = connection.query(
        "CALL refresh_rollups(0, jsonb_build_object('at', $1::text))", {to_rfc3339(now)});
    if (!called) return fail(called.error());
    done.refreshed = true;
    found = connection.query(waiting);
    if (!found) return fail(found.error());
  }
  done.days_touched = found->integer(0, 0);
  return {};
}

Result<void> drop(Connection& connection, const Kept& kept, Time now, Maintenance& done) {
  const Time before = now - *kept.duration;
  if (kept.table == "fact_ohlcv") {
    const auto put_aside = connection.query("SELECT keep_rollups($1)", {before});
    if (!put_aside) return fail(put_aside.error());
  }
  const auto dropped =
      connection.query("SELECT drop_raw($1::text, $2)::bigint", {std::string(kept.table), before});
  if (!dropped) return fail(dropped.error());
  done.dropped += dropped->integer(0, 0);
  return {};
}

Result<Maintenance> maintain(Connection& connection, const Retention& retention, Time now) {
  if (auto known = check_migrated(connection, migrations_in("warehouse/postgres")); !known) {
    return fail(std::move(known.error()));
  }
  const auto layout = layout_of(connection);
  if (!layout) return fail(layout.error());
  if (*layout == Layout::native) {
    if (auto made = make_partitions_ahead(connection, now); !made) {
      return fail(std::move(made.error()));
    }
  }
  Maintenance done;
  if (auto refreshed = refresh(connection, now, done); !refreshed) {
    return within("roll-ups", std::move(refreshed.error()));
  }
  for (const auto& kept : kept_tables(retention)) {
    if (!kept.duration) continue;
    if (auto dropped = drop(connection, kept, now, done); !dropped) {
      return within(fmt::format("retention of {}", kept.name), std::move(dropped.error()));
    }
  }
  return done;
}

}  // namespace

Result<Maintenance> maintain_postgres(const PostgresLocation& location, const Retention& retention,
                                      Time now) {
  for (const auto& kept : kept_tables(retention)) {
    if (kept.duration && *kept.duration < least_retention) {
      return fail(ErrorKind::misconfigured, "retention of {}: 7 days is the least", kept.name);
    }
  }
  auto connection = Connection::open({.url = location.url, .schema = location.schema});
  if (!connection) return within("warehouse", std::move(connection.error()));
  auto done = maintain(**connection, retention, now);
  if (!done) return within("warehouse", std::move(done.error()));
  return done;
}

}  // namespace candlewick::warehouse
