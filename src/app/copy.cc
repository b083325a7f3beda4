// The source is read within one transaction, so it stays as it was while a service writes to it.
// Rows go in as a sink writes them, with the target's guards, so that copying twice changes
// nothing.
#include "app/copy.h"

#include <array>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "app/canonical.h"
#include "app/command.h"
#include "app/digest.h"
#include "app/progress.h"
#include "app/table.h"
#include "app/warehouse_choice.h"
#include "app/whole_table.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "log/log.h"
#include "sink/postgres_rows.h"
#include "warehouse/postgres_warehouse.h"

namespace candlewick::app {
namespace {

using schema::Row;
using schema::Table;
using schema::Value;
using warehouse::Database;

constexpr std::size_t batch_rows = 5'000;
// Longer than any page of the comparison takes.
constexpr Duration patience = std::chrono::minutes{10};

constexpr std::array<const Table*, 4> derived{&dim_exchange, &dim_cryptocurrency, &dim_listing,
                                              &coverage_current};

// What a log's rows are kept in as they are. Instruments become dimensions.
std::vector<const Table*> facts() {
  std::vector<const Table*> tables;
  for (const auto* table : schema::all_tables()) {
    if (table != &schema::instruments) tables.push_back(table);
  }
  return tables;
}

// For the progress only: null when it cannot be told.
std::optional<std::uint64_t> count_facts(Database& database) {
  constexpr std::array types{schema::ColumnType::integer};
  std::uint64_t all = 0;
  for (const auto* table : facts()) {
    const auto found =
        database.select(fmt::format("SELECT count(*) FROM {}", table->name), {}, types);
    if (!found) return std::nullopt;
    all += static_cast<std::uint64_t>(std::get<std::int64_t>(found->front().front()));
  }
  return all;
}

class Copier {
 public:
  Copier(std::string name, Database& source, postgres::Connection& target, sink::PostgresRows& rows,
         Progress& progress)
      : property_("copy from " + std::move(name)),
        source_(source),
        target_(target),
        rows_(rows),
        progress_(progress) {}

  Result<void> run() {
    if (auto copied = copy_dimensions(); !copied) return copied;
    auto after = position();
    if (!after) return fail(std::move(after.error()));
    bool is_behind = after->has_value();
    // What an earlier run has copied is not counted, so the share would be wrong.
    auto all = is_behind ? std::optional<std::uint64_t>{} : count_facts(source_);
    progress_.begin("copy", "rows", all);
    progress_.update(0);
    for (const auto* table : facts()) {
      // Those before the one with the position are done.
      const bool is_here = is_behind && (*after)->table == table;
      if (is_behind && !is_here) continue;
      is_behind = false;
      if (auto copied = copy_table(*table, is_here ? &**after : nullptr); !copied)
        return within(table->name, std::move(copied.error()));
    }
    // Again: assets name their pairs by themselves when they are written, corrections or not.
    return copy_dimensions();
  }

  std::uint64_t copied() const { return copied_; }
  bool went_on() const { return went_on_; }

  // Once everything was compared: the next run begins anew.
  Result<void> forget_position() {
    const auto done = target_.query("DELETE FROM warehouse_property WHERE name = $1", {property_});
    if (!done) return fail(done.error());
    return {};
  }

  // How far each log is in the source, so that a service that goes on with the target need not
  // write all of it again. Only when every row is known to be there.
  Result<void> copy_log_positions() {
    constexpr std::array types{schema::ColumnType::text, schema::ColumnType::integer};
    const auto found = source_.select("SELECT log_id, sequence FROM log_position", {}, types);
    if (!found) return fail(found.error());
    postgres::Transaction transaction(target_);
    for (const auto& position : *found) {
      transaction.query(
          "INSERT INTO log_position AS stored VALUES ($1, $2) ON CONFLICT (log_id) DO UPDATE SET "
          "sequence = greatest(stored.sequence, excluded.sequence)",
          position);
    }
    return transaction.commit();
  }

 private:
  Result<void> each(const Table& table, const auto& take) {
    const auto stream = whole_table(source_, table);
    while (true) {
      const auto row = stream->next();
      if (!row) return fail(row.error());
      if (*row == nullptr) return {};
      take((*row)->values);
    }
  }

  Result<void> copy_dimensions() {
    postgres::Transaction transaction(target_);
    transaction.check(each(dim_exchange, [&](const auto& values) {
      transaction.query(
          "INSERT INTO dim_exchange (name, display_name, region, trading_fees) "
          "VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET "
          "display_name = excluded.display_name, region = excluded.region, "
          "trading_fees = excluded.trading_fees",
          values);
    }));
    transaction.check(each(dim_cryptocurrency, [&](const auto& values) {
      transaction.query(
          "INSERT INTO dim_cryptocurrency "
          "(symbol, name, sector, launch_date, base, quote, coingecko_id) "
          "VALUES ($1, $2, $3, $4::date, $5, $6, $7) ON CONFLICT (symbol) DO UPDATE SET "
          "name = excluded.name, sector = excluded.sector, launch_date = excluded.launch_date, "
          "base = excluded.base, quote = excluded.quote, coingecko_id = excluded.coingecko_id",
          values);
    }));
    transaction.check(
        each(dim_listing, [&](const auto& values) { copy_life(transaction, values); }));
    return transaction.commit();
  }

  // The same number of the ticker's lives in the target, or a new one.
  static void copy_life(postgres::Transaction& transaction, const warehouse::Values& values) {
    const auto found = transaction.query(
        "SELECT l.listing_id FROM dim_listing l JOIN dim_exchange e USING (exchange_id) "
        "WHERE e.name = $1 AND l.exchange_symbol = $2 ORDER BY l.listing_id OFFSET $3 LIMIT 1",
        {values[0], values[1], std::get<std::int64_t>(values[2]) - 1});
    if (!transaction.ok()) return;
    warehouse::Values life{values[0], values[1]};
    life.insert(life.end(), values.begin() + 3, values.end());
    if (found.size() == 0) {
      transaction.query(
          "INSERT INTO dim_listing (exchange_id, exchange_symbol, crypto_id, market, status, "
          "listed_at, delisted_at, price_precision, size_precision, tick_size, step_size, "
          "recorded_at) SELECT e.exchange_id, $2, c.crypto_id, $4, $5, $6, $7, $8, $9, $10, $11, "
          "$12 FROM dim_exchange e, dim_cryptocurrency c WHERE e.name = $1 AND c.symbol = $3",
          life);
      return;
    }
    life.emplace_back(found.integer(0, 0));
    transaction.query(
        "UPDATE dim_listing SET exchange_symbol = $2, crypto_id = c.crypto_id, market = $4, "
        "status = $5, listed_at = $6, delisted_at = $7, price_precision = $8, "
        "size_precision = $9, tick_size = $10, step_size = $11, recorded_at = $12 "
        "FROM dim_cryptocurrency c, dim_exchange e "
        "WHERE listing_id = $13 AND c.symbol = $3 AND e.name = $1",
        life);
  }

  // The last row that was copied.
  Result<std::optional<Row>> position() {
    const auto found =
        target_.query("SELECT value FROM warehouse_property WHERE name = $1", {property_});
    if (!found) return fail(found.error());
    if (found->size() == 0) return std::optional<Row>{};
    auto row = schema::RowReader().read(found->text(0, 0));
    if (!row) return within("the copy's position", std::move(row.error()));
    went_on_ = true;
    return std::optional(std::move(*row));
  }

  Result<void> copy_table(const Table& table, const Row* after) {
    const auto stream = whole_table(source_, table, after);
    std::vector<log::Entry> batch;
    while (true) {
      const auto row = stream->next();
      if (!row) return fail(row.error());
      if (*row != nullptr)
        batch.push_back({.sequence = static_cast<log::Sequence>(batch.size() + 1), .row = **row});
      if (!batch.empty() && (*row == nullptr || batch.size() == batch_rows)) {
        if (auto stored = store(batch); !stored) return stored;
        batch.clear();
      }
      if (*row == nullptr) return {};
    }
  }

  Result<void> store(const std::vector<log::Entry>& batch) {
    postgres::Transaction transaction(target_);
    rows_.write(transaction, batch);
    transaction.query(
        "INSERT INTO warehouse_property VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = "
        "excluded.value",
        {property_, schema::to_json(batch.back().row)});
    auto committed = transaction.commit();
    if (committed) {
      copied_ += batch.size();
      progress_.update(copied_, std::string(batch.back().row.table->name));
    } else {
      rows_.forget();
    }
    return committed;
  }

  const std::string property_;
  Database& source_;
  postgres::Connection& target_;
  sink::PostgresRows& rows_;
  Progress& progress_;
  std::uint64_t copied_ = 0;
  bool went_on_ = false;
};

struct Comparison {
  const Table* table = nullptr;
  std::uint64_t rows = 0;       // in the source
  std::uint64_t missing = 0;    // of them, in the target
  std::uint64_t different = 0;  // of them, with other values there
  std::uint64_t others = 0;     // in the target alone, which is no fault
  std::string source_hash;
  std::string target_hash;  // of the target's rows with the source's keys
  std::string first;        // key of the first that is at fault

  bool is_equal() const { return source_hash == target_hash; }
};

// Both sides in the order of their keys, side by side.
Result<Comparison> compare(Database& source, Database& target, const Table& table,
                           const std::function<void()>& on_row) {
  Comparison result{.table = &table};
  Sha256 source_digest;
  Sha256 target_digest;
  const auto left = whole_table(source, table);
  const auto right = whole_table(target, table);
  auto there = right->next();
  if (!there) return fail(there.error());
  while (true) {
    const auto row = left->next();
    if (!row) return fail(row.error());
    while (*there != nullptr && (*row == nullptr || compare_keys(**there, **row) < 0)) {
      ++result.others;
      there = right->next();
      if (!there) return fail(there.error());
    }
    if (*row == nullptr) break;
    ++result.rows;
    on_row();
    const auto line = canonical_line(**row);
    if (!line) return fail(line.error());
    source_digest.add(*line);
    bool is_same = false;
    if (*there != nullptr && compare_keys(**there, **row) == 0) {
      const auto other = canonical_line(**there);
      if (!other) return fail(other.error());
      target_digest.add(*other);
      is_same = *other == *line;
      if (!is_same) ++result.different;
      there = right->next();
      if (!there) return fail(there.error());
    } else {
      ++result.missing;
    }
    if (!is_same && result.first.empty()) result.first = schema::key_text(**row);
  }
  result.source_hash = source_digest.hex();
  result.target_hash = target_digest.hex();
  return result;
}

Result<std::vector<Comparison>> compare_all(Database& source, Database& target,
                                            Progress& progress) {
  std::vector<Comparison> comparisons;
  constexpr std::uint64_t between_updates = 1'000;
  std::uint64_t rows = 0;
  progress.begin("compare", "rows", count_facts(source));
  const auto add = [&](const Table& table) -> Result<void> {
    auto compared = compare(source, target, table, [&] {
      if (++rows % between_updates == 0) progress.update(rows, std::string(table.name));
    });
    if (!compared) return within(table.name, std::move(compared.error()));
    comparisons.push_back(std::move(*compared));
    return {};
  };
  for (const auto* table : derived) {
    if (auto added = add(*table); !added) return fail(std::move(added.error()));
  }
  for (const auto* table : facts()) {
    if (auto added = add(*table); !added) return fail(std::move(added.error()));
  }
  return comparisons;
}

void print_all(const std::vector<Comparison>& comparisons, Format format) {
  app::Table table({"table", "rows", "missing", "different", "only_in_target", "source_sha256",
                    "target_sha256"});
  table.colour("missing", tone_of_loss);
  table.colour("different", tone_of_loss);
  std::vector<std::string> lines;
  for (const auto& one : comparisons) {
    const bool is_short = format == Format::table;
    const auto shown = [&](const std::string& hash) {
      return is_short ? hash.substr(0, 16) : hash;
    };
    table.add({std::string(one.table->name), std::to_string(one.rows), std::to_string(one.missing),
               std::to_string(one.different), std::to_string(one.others), shown(one.source_hash),
               shown(one.target_hash)});
    std::string line;
    json::Members members(line);
    members("table", one.table->name)("rows", one.rows)("missing", one.missing)(
        "different", one.different)("only_in_target", one.others)("source_sha256", one.source_hash)(
        "target_sha256", one.target_hash)("is_equal", one.is_equal());
    members.close();
    lines.push_back(std::move(line));
  }
  print(table, format, lines);
}

Result<std::vector<Comparison>> copy_and_compare(const std::filesystem::path& path,
                                                 const warehouse::PostgresLocation& location) {
  auto source = warehouse::open_sqlite_for_reading(path);
  if (!source) return fail(std::move(source.error()));
  if (auto begun = (*source)->execute("BEGIN", {}); !begun) return fail(std::move(begun.error()));
  const auto catalogue = warehouse::Catalogue::built_in();
  if (!catalogue) return fail(catalogue.error());
  auto opened = warehouse::open_postgres_for_writing(location, *catalogue, RealClock().now());
  if (!opened) return fail(std::move(opened.error()));
  sink::PostgresRows rows(*opened->connection, *catalogue, opened->layout, false);
  if (auto prepared = rows.prepare(); !prepared) return fail(std::move(prepared.error()));
  const RealClock clock;
  Progress progress(clock, Progress::on_terminal());
  Copier copier(std::filesystem::weakly_canonical(path).string(), **source, *opened->connection,
                rows, progress);
  if (auto copied = copier.run(); !copied) return fail(std::move(copied.error()));
  progress.finish();
  fmt::print(stderr, "candlewick: {} rows copied{}; comparing\n", copier.copied(),
             copier.went_on() ? ", going on after an interruption" : "");
  const auto target = warehouse::open_postgres_for_reading(location);
  if (!target) return fail(target.error());
  auto comparisons = compare_all(**source, **target, progress);
  if (!comparisons) return comparisons;
  if (auto forgotten = copier.forget_position(); !forgotten)
    return fail(std::move(forgotten.error()));
  for (const auto& one : *comparisons) {
    if (!one.is_equal()) return comparisons;
  }
  if (auto done = copier.copy_log_positions(); !done) return fail(std::move(done.error()));
  return comparisons;
}

}  // namespace

int copy(const LoadedConfig& loaded, const CopyOptions& options) {
  const Config& config = loaded.config;
  const auto format = parse_format(options.format);
  if (!format) return report(format.error());
  const std::filesystem::path path =
      options.from.empty() ? warehouse_path(config) : std::filesystem::path(options.from);
  auto location = postgres_location(config);
  if (!options.to.empty()) location.url = Secret(options.to);
  if (location.url.empty()) {
    return report({ErrorKind::misconfigured,
                   "--to: where to copy is missing (or set DATABASE_URL, database_url)"});
  }
  location.statement_timeout = patience;
  const auto comparisons = copy_and_compare(path, location);
  if (!comparisons) return report(comparisons.error());
  print_all(*comparisons, *format);
  bool is_equal = true;
  for (const auto& one : *comparisons) {
    if (one.is_equal()) continue;
    is_equal = false;
    fmt::print(stderr, "candlewick: {}: {} rows are missing and {} differ, first {}\n",
               one.table->name, one.missing, one.different, one.first);
  }
  return is_equal ? done : failed;
}

}  // namespace candlewick::app
