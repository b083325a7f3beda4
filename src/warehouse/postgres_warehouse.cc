// Opening, in the order that gives the clearest error: reach it, know it, migrate it, fill it.
#include "warehouse/postgres_warehouse.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace candlewick::warehouse {
namespace {

using postgres::Connection;
using schema::Value;

// How many months have their partitions before they begin.
constexpr int months_ahead = 3;
constexpr std::array<std::string_view, 4> partitioned{"fact_ohlcv", "market_ticks",
                                                      "technical_indicators", "fact_trade"};

Value optional(const std::optional<std::string>& text) {
  return text ? Value{*text} : Value{};
}

Result<std::unique_ptr<Connection>> connect(const PostgresLocation& location, bool read_only) {
  return Connection::open({.url = location.url,
                           .schema = location.schema,
                           .statement_timeout = read_only ? location.statement_timeout : Duration{},
                           .read_only = read_only});
}

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(std::unique_ptr<Connection> connection, std::optional<PostgresLocation> location)
      : connection_(std::move(connection)), location_(std::move(location)) {}

  Dialect dialect() const override { return Dialect::postgres; }

  Result<std::vector<Values>> select(std::string_view sql, std::span<const Value> parameters,
                                     std::span<const schema::ColumnType> types) override {
    auto answer = ask(sql, parameters);
    if (!answer) return fail(std::move(answer.error()));
    check(answer->columns() == types.size(),
          "a question names a type for each column of its answer");
    std::vector<Values> rows;
    rows.reserve(answer->size());
    for (std::size_t r = 0; r < answer->size(); ++r) {
      Values row;
      row.reserve(types.size());
      for (std::size_t c = 0; c < types.size(); ++c) {
        auto cell = answer->value(r, c, types[c]);
        if (!cell) return within("warehouse", std::move(cell.error()));
        row.push_back(std::move(*cell));
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Result<std::int64_t> execute(std::string_view sql, std::span<const Value> parameters) override {
    auto answer = ask(sql, parameters);
    if (!answer) return fail(std::move(answer.error()));
    return answer->changes();
  }

 private:
  // A connection that turns out to be lost is made anew, once: questions change nothing.
  Result<postgres::Rows> ask(std::string_view sql, std::span<const Value> parameters) {
    auto answer = connection_->query(sql, parameters);
    if (!answer && !connection_->is_usable() && location_) {
      auto anew = connect(*location_, true);
      if (!anew) return within("warehouse", std::move(anew.error()));
      connection_ = std::move(*anew);
      answer = connection_->query(sql, parameters);
    }
    if (!answer) return within("warehouse", std::move(answer.error()));
    return answer;
  }

  std::unique_ptr<Connection> connection_;
  const std::optional<PostgresLocation> location_;
};

}  // namespace

Result<void> seed(Connection& connection, const Catalogue& catalogue) {
  postgres::Transaction transaction(connection);
  for (const auto& exchange : catalogue.exchanges()) {
    // An update that changes nothing would leave a dead row at every start.
    transaction.query(
        "INSERT INTO dim_exchange AS d (name, display_name, region, trading_fees) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET "
        "display_name = coalesce(d.display_name, excluded.display_name), "
        "region = coalesce(d.region, excluded.region), "
        "trading_fees = coalesce(d.trading_fees, excluded.trading_fees) "
        "WHERE (d.display_name IS NULL AND excluded.display_name IS NOT NULL) "
        "OR (d.region IS NULL AND excluded.region IS NOT NULL) "
        "OR (d.trading_fees IS NULL AND excluded.trading_fees IS NOT NULL)",
        {exchange.name, optional(exchange.display_name), optional(exchange.region),
         exchange.trading_fees ? Value{*exchange.trading_fees} : Value{}});
  }
  // Symbols that were met before this program knew their asset.
  const auto nameless =
      transaction.query("SELECT DISTINCT base FROM dim_cryptocurrency WHERE name IS NULL");
  for (std::size_t i = 0; i < nameless.size(); ++i) {
    const auto* asset = catalogue.find_asset(nameless.text(i, 0));
    if (asset == nullptr) continue;
    transaction.query(
        "UPDATE dim_cryptocurrency SET name = $2, sector = coalesce(sector, $3), "
        "launch_date = coalesce(launch_date, $4::date), coingecko_id = coalesce(coingecko_id, $5) "
        "WHERE base = $1 AND name IS NULL",
        {asset->asset, asset->name, optional(asset->sector), optional(asset->launch_date),
         optional(asset->coingecko_id)});
  }
  return transaction.commit();
}

Result<void> make_partitions(Connection& connection, std::string_view table, Time at) {
  const auto made =
      connection.query("SELECT make_partition($1::text, $2)", {std::string(table), at});
  if (!made) return fail(made.error());
  return {};
}

Result<void> make_partitions_ahead(Connection& connection, Time now) {
  const auto today = std::chrono::floor<std::chrono::days>(now);
  std::chrono::year_month_day month{today};
  for (int ahead = 0; ahead <= months_ahead; ++ahead) {
    const Time first = std::chrono::sys_days{month.year() / month.month() / 1};
    for (const auto table : partitioned) {
      if (auto made = make_partitions(connection, table, first); !made) return made;
    }
    month += std::chrono::months{1};
  }
  return {};
}

Result<PostgresWarehouse> open_postgres_for_writing(const PostgresLocation& location,
                                                    const Catalogue& catalogue, Time now) {
  auto connection = connect(location, false);
  if (!connection) return within("warehouse", std::move(connection.error()));
  auto server = inspect(**connection);
  if (!server) return within("warehouse", std::move(server.error()));
  const auto migrated = migrate(**connection, *server, migrations_in("warehouse/postgres"),
                                {.schema = location.schema, .streams = location.streams}, now);
  if (!migrated) return within("warehouse", migrated.error());
  const auto layout = layout_of(**connection);
  if (!layout) return within("warehouse", layout.error());
  if (auto seeded = seed(**connection, catalogue); !seeded) {
    return within("warehouse", std::move(seeded.error()));
  }
  if (*layout == Layout::native) {
    if (auto made = make_partitions_ahead(**connection, now); !made) {
      return within("warehouse", std::move(made.error()));
    }
  }
  return PostgresWarehouse{.connection = std::move(*connection),
                           .server = std::move(*server),
                           .layout = *layout,
                           .migrated = *migrated};
}

Result<std::unique_ptr<Database>> open_postgres_for_reading(const PostgresLocation& location) {
  auto connection = connect(location, true);
  if (!connection) return within("warehouse", std::move(connection.error()));
  if (auto checked = check_migrated(**connection, migrations_in("warehouse/postgres")); !checked) {
    return within("warehouse", std::move(checked.error()));
  }
  return std::unique_ptr<Database>(
      std::make_unique<PostgresDatabase>(std::move(*connection), location));
}

Result<PostgresServer> inspect_postgres(const PostgresLocation& location) {
  auto connection = connect(location, true);
  if (!connection) return fail(std::move(connection.error()));
  return inspect(**connection);
}

std::unique_ptr<Database> make_postgres_database(std::unique_ptr<Connection> connection) {
  return std::make_unique<PostgresDatabase>(std::move(connection), std::nullopt);
}

}  // namespace candlewick::warehouse
