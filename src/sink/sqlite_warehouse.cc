// One transaction a batch. Rows that the target has already (their sequence is not past its
// position) are skipped, so a batch that comes again changes nothing.
#include "sink/sqlite_warehouse.h"

#include <utility>

#include "base/fault_point.h"
#include "sink/sqlite_rows.h"
#include "warehouse/catalogue.h"
#include "warehouse/sqlite_warehouse.h"

namespace candlewick::sink {
namespace {

class SqliteWarehouse final : public Sink {
 public:
  SqliteWarehouse(SqliteWarehouseOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  std::string_view name() const override { return "sqlite"; }
  Result<void> open() override;
  Result<std::optional<log::Sequence>> position(std::string_view log_id) override;
  Result<void> write(const Batch& batch) override;

 private:
  const SqliteWarehouseOptions options_;
  const Clock& clock_;
  warehouse::Catalogue catalogue_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<SqliteRows> rows_;
  sqlite::Statement find_position_, set_position_;
};

Result<void> SqliteWarehouse::open() {
  if (database_ != nullptr) return {};  // a file does not lose its connection
  auto catalogue = warehouse::Catalogue::built_in();
  if (!catalogue) return fail(std::move(catalogue.error()));
  auto database = warehouse::open_sqlite_for_writing(
      {.path = options_.path, .max_pages = options_.max_pages}, *catalogue, clock_.now());
  if (!database) return fail(std::move(database.error()));
  auto find = (*database)->prepare("SELECT sequence FROM log_position WHERE log_id = ?");
  if (!find) return fail(std::move(find.error()));
  auto set = (*database)->prepare(
      "INSERT INTO log_position VALUES (?, ?) ON CONFLICT (log_id) "
      "DO UPDATE SET sequence = excluded.sequence");
  if (!set) return fail(std::move(set.error()));
  catalogue_ = std::move(*catalogue);
  database_ = std::move(*database);
  find_position_ = std::move(*find);
  set_position_ = std::move(*set);
  rows_ = std::make_unique<SqliteRows>(*database_, catalogue_, options_.exchange_symbol_style);
  return {};
}

Result<std::optional<log::Sequence>> SqliteWarehouse::position(std::string_view log_id) {
  find_position_.bind(1, log_id);
  const auto row = find_position_.step();
  std::optional<log::Sequence> sequence;
  if (row && *row) sequence = find_position_.integer(0);
  find_position_.reset();
  if (!row) return fail(row.error());
  return sequence;
}

Result<void> SqliteWarehouse::write(const Batch& batch) {
  sqlite::Transaction transaction(*database_);
  if (transaction.ok()) {
    const auto done = position(batch.log_id());
    if (!done) transaction.fail(done.error());
    const log::Sequence after = done ? done->value_or(0) : 0;
    for (const auto& entry : batch.entries()) {
      if (!transaction.ok()) break;
      if (entry.sequence > after) transaction.check(rows_->write(entry.row));
    }
    fault_point("sqlite.after_rows");
    if (!batch.empty() && batch.last() > after) {
      set_position_.bind(1, batch.log_id());
      set_position_.bind(2, batch.last());
      transaction.run(set_position_);
    }
  }
  fault_point("sqlite.before_commit");
  auto committed = transaction.commit();
  fault_point("sqlite.after_commit");
  if (!committed) rows_->forget();
  return committed;
}

}  // namespace

std::unique_ptr<Sink> make_sqlite_warehouse(SqliteWarehouseOptions options, const Clock& clock) {
  return std::make_unique<SqliteWarehouse>(std::move(options), clock);
}

Result<std::unique_ptr<Sink>> make_sqlite_warehouse_from(const Settings& settings) {
  const std::string_view path = settings.get("path");
  if (path.empty()) return fail(ErrorKind::misconfigured, "sink sqlite: path is missing");
  const std::string_view style = settings.get("symbol_style", "unified");
  if (style != "unified" && style != "exchange") {
    return fail(ErrorKind::misconfigured,
                "sink sqlite: symbol_style is \"{}\", not \"unified\" or \"exchange\"", style);
  }
  return make_sqlite_warehouse({.path = path, .exchange_symbol_style = style == "exchange"},
                               *settings.clock);
}

}  // namespace candlewick::sink
