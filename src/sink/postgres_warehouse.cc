// Rows that the target has already (their sequence is not past its position) are skipped, so a
// batch that comes again, after a commit whose answer was lost, changes nothing.
#include "sink/postgres_warehouse.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/fault_point.h"
#include "sink/postgres_rows.h"
#include "warehouse/catalogue.h"

namespace candlewick::sink {
namespace {

class PostgresWarehouse final : public Sink {
 public:
  PostgresWarehouse(PostgresWarehouseOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  std::string_view name() const override { return "postgres"; }
  Result<void> open() override;
  Result<std::optional<log::Sequence>> position(std::string_view log_id) override;
  Result<void> write(const Batch& batch) override;

 private:
  Result<void> connect();
  void store(postgres::Transaction& transaction, const Batch& batch);

  const PostgresWarehouseOptions options_;
  const Clock& clock_;
  warehouse::Catalogue catalogue_;
  warehouse::PostgresWarehouse warehouse_;
  std::unique_ptr<PostgresRows> rows_;
};

// After an error all is made anew: the server may have been restarted, restored or replaced.
Result<void> PostgresWarehouse::open() {
  rows_.reset();
  warehouse_.connection.reset();
  return connect();
}

Result<void> PostgresWarehouse::connect() {
  auto catalogue = warehouse::Catalogue::built_in();
  if (!catalogue) return fail(std::move(catalogue.error()));
  catalogue_ = std::move(*catalogue);
  auto opened = warehouse::open_postgres_for_writing(options_.location, catalogue_, clock_.now());
  if (!opened) return fail(std::move(opened.error()));
  auto rows = std::make_unique<PostgresRows>(*opened->connection, catalogue_, opened->layout,
                                             options_.exchange_symbol_style);
  if (auto prepared = rows->prepare(); !prepared) {
    return within(opened->connection->target(), std::move(prepared.error()));
  }
  warehouse_ = std::move(*opened);
  rows_ = std::move(rows);
  return {};
}

Result<std::optional<log::Sequence>> PostgresWarehouse::position(std::string_view log_id) {
  if (!rows_) {
    if (auto connected = connect(); !connected) return fail(std::move(connected.error()));
  }
  const auto found = warehouse_.connection->query(
      "SELECT sequence FROM log_position WHERE log_id = $1", {std::string(log_id)});
  if (!found) return fail(found.error());
  if (found->size() == 0) return std::optional<log::Sequence>{};
  return std::optional(found->integer(0, 0));
}

void PostgresWarehouse::store(postgres::Transaction& transaction, const Batch& batch) {
  // Locked: another process with the same log waits, and then skips what this one wrote.
  const auto found = transaction.query(
      "SELECT sequence FROM log_position WHERE log_id = $1 FOR UPDATE", {batch.log_id()});
  if (!transaction.ok() || batch.empty()) return;
  const log::Sequence after = found.size() > 0 ? found.integer(0, 0) : 0;
  auto entries = batch.entries();
  const auto fresh = std::ranges::upper_bound(entries, after, {}, &log::Entry::sequence);
  entries = entries.subspan(static_cast<std::size_t>(fresh - entries.begin()));
  if (entries.empty()) return;
  rows_->write(transaction, entries);
  fault_point("postgres.after_rows");
  transaction.query(
      "INSERT INTO log_position VALUES ($1, $2) ON CONFLICT (log_id) DO UPDATE SET sequence = "
      "excluded.sequence",
      {batch.log_id(), batch.last()});
}

Result<void> PostgresWarehouse::write(const Batch& batch) {
  if (!rows_ || !warehouse_.connection->is_usable()) {
    if (auto opened = open(); !opened) return opened;
  }
  postgres::Transaction transaction(*warehouse_.connection);
  store(transaction, batch);
  fault_point("postgres.before_commit");
  auto committed = transaction.commit();
  fault_point("postgres.after_commit");
  if (!committed) rows_->forget();
  return committed;
}

}  // namespace

std::unique_ptr<Sink> make_postgres_warehouse(PostgresWarehouseOptions options,
                                              const Clock& clock) {
  return std::make_unique<PostgresWarehouse>(std::move(options), clock);
}

Result<std::unique_ptr<Sink>> make_postgres_warehouse_from(const Settings& settings) {
  const std::string_view url = settings.get("url");
  if (url.empty()) {
    return fail(ErrorKind::misconfigured, "sink postgres: url is missing (DATABASE_URL)");
  }
  PostgresWarehouseOptions options{
      .location = {.url = Secret(std::string(url)),
                   .schema = std::string(settings.get("schema", "public"))}};
  const std::string_view style = settings.get("symbol_style", "unified");
  if (style != "unified" && style != "exchange") {
    return fail(ErrorKind::misconfigured,
                "sink postgres: symbol_style is \"{}\", not \"unified\" or \"exchange\"", style);
  }
  options.exchange_symbol_style = style == "exchange";
  const std::string_view streams = settings.get("streams", "0");
  const auto [end, error] =
      std::from_chars(streams.data(), streams.data() + streams.size(), options.location.streams);
  if (error != std::errc{} || end != streams.data() + streams.size()) {
    return fail(ErrorKind::misconfigured, "sink postgres: streams is \"{}\", not a number",
                streams);
  }
  if (auto target = postgres::shown_target(options.location.url); !target) {
    return within("sink postgres", std::move(target.error()));
  }
  return make_postgres_warehouse(std::move(options), *settings.clock);
}

}  // namespace candlewick::sink
