// The session way: values are bound into temporary tables, then merged by natural key. On Snowflake
// rows and position are one transaction. A MERGE changes nothing the second time, so rows are not
// doubled even where a server commits in between.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/fault_point.h"
#include "net/http_client.h"
#include "sink/snowflake.h"
#include "sink/snowflake_error.h"
#include "sink/snowflake_rows.h"
#include "sink/snowflake_schema.h"
#include "sink/snowflake_session.h"
#include "sink/snowflake_tables.h"

namespace candlewick::sink {
namespace {

using snowflake::BoundColumn;
using snowflake::RowMapper;
using snowflake::Session;
using snowflake::Target;
using snowflake::TargetRow;
using snowflake::TimeRange;

// Drivers upload larger bindings as files; below, they lie in the request.
constexpr std::size_t max_bound_values = 60'000;
constexpr std::size_t max_bound_bytes = std::size_t{4} << 20;
// From a thousand positions on, old ones are forgotten.
constexpr std::size_t many_digits = 4;

class SnowflakeLoad final : public Sink {
 public:
  SnowflakeLoad(SnowflakeOptions options, const Clock& clock)
      : options_(std::move(options)),
        http_({.ca_file = options_.ca_file}),
        session_(http_, options_.access, clock, options_.patience) {}
  ~SnowflakeLoad() override { session_.log_out(); }

  std::string_view name() const override { return "snowflake"; }
  Result<void> open() override;
  Result<std::optional<log::Sequence>> position(std::string_view log_id) override;
  Result<void> write(const Batch& batch) override;
  std::optional<Duration> retry_after() const override { return session_.retry_after(); }
  std::vector<Finding> examine() override;

 private:
  // Rows of one table for one load.
  struct Staged {
    std::vector<const TargetRow*> rows;
    std::optional<TimeRange> range;
  };

  Result<void> log_in();
  Result<void> make_staging();
  Result<void> read_catalogue();
  Result<void> store(const Batch& batch);
  Result<void> load(const Batch& batch, const std::map<std::size_t, Staged>& staged);
  Result<void> stage(const Target& target, const Staged& staged);
  void forget_old_positions(std::span<const BoundColumn> name, log::Sequence position);
  Result<void> run(std::string_view place, const std::string& sql,
                   std::span<const BoundColumn> columns = {});

  const SnowflakeOptions options_;
  net::HttpClient http_;
  Session session_;
  std::optional<warehouse::Catalogue> catalogue_;
  std::unique_ptr<RowMapper> mapper_;
};

Result<void> SnowflakeLoad::run(std::string_view place, const std::string& sql,
                                std::span<const BoundColumn> columns) {
  auto done = session_.execute(sql, columns);
  if (!done) return within(place, std::move(done.error()));
  return {};
}

Result<void> SnowflakeLoad::read_catalogue() {
  if (mapper_) return {};
  auto catalogue = warehouse::Catalogue::built_in();
  if (!catalogue) return fail(std::move(catalogue.error()));
  catalogue_ = std::move(*catalogue);
  mapper_ = std::make_unique<RowMapper>(snowflake::targets(options_.with_candles), *catalogue_,
                                        options_.exchange_symbol_style);
  return {};
}

Result<void> SnowflakeLoad::log_in() {
  session_.log_out();
  if (auto entered = session_.log_in(); !entered) return entered;
  fault_point("snowflake.after_login");
  return make_staging();
}

Result<void> SnowflakeLoad::make_staging() {
  for (const auto& target : mapper_->targets()) {
    if (auto made = run(target.name, snowflake::create_staging_sql(target)); !made) return made;
  }
  return {};
}

Result<void> SnowflakeLoad::open() {
  if (auto read = read_catalogue(); !read) return read;
  mapper_->forget();
  session_.log_out();
  if (auto entered = session_.log_in(); !entered) return entered;
  fault_point("snowflake.after_login");
  if (auto there = snowflake::ensure_tables(session_, mapper_->targets(), false); !there) {
    return there;
  }
  return make_staging();
}

Result<std::optional<log::Sequence>> SnowflakeLoad::position(std::string_view log_id) {
  const std::array<BoundColumn, 1> name{{{std::string(log_id)}}};
  const auto found = session_.execute(
      "SELECT TO_VARCHAR(MAX(\"SEQUENCE\")), TO_VARCHAR(COUNT(*)) FROM CANDLEWICK_CURSOR WHERE "
      "\"LOG_ID\" = ?",
      name);
  if (!found) return within("CANDLEWICK_CURSOR", found.error());
  const log::Sequence position = found->count();
  if (position == 0) return std::optional<log::Sequence>{};
  if (found->rows.front().size() > 1 && found->rows.front()[1].value_or("").size() >= many_digits) {
    forget_old_positions(name, position);
  }
  return std::optional<log::Sequence>{position};
}

// House-keeping: what comes of it changes nothing.
void SnowflakeLoad::forget_old_positions(std::span<const BoundColumn> name,
                                         log::Sequence position) {
  const auto forgotten = session_.execute(
      fmt::format("DELETE FROM CANDLEWICK_CURSOR WHERE \"LOG_ID\" = ? AND \"SEQUENCE\" < {}",
                  position),
      name);
  const auto ended = session_.execute(forgotten ? "COMMIT" : "ROLLBACK");
  static_cast<void>(ended);
}

Result<void> SnowflakeLoad::stage(const Target& target, const Staged& staged) {
  std::size_t next = 0;
  while (next < staged.rows.size()) {
    std::vector<BoundColumn> columns(target.columns.size() + 1);
    std::size_t bytes = 0;
    std::size_t values = 0;
    for (; next < staged.rows.size(); ++next) {
      const TargetRow& row = *staged.rows[next];
      if (values > 0 && (values + columns.size() > max_bound_values || bytes > max_bound_bytes)) {
        break;
      }
      columns[0].emplace_back(std::to_string(next));
      for (std::size_t c = 0; c < row.cells.size(); ++c) {
        bytes += row.cells[c] ? row.cells[c]->size() : 4;
        columns[c + 1].push_back(row.cells[c]);
      }
      values += columns.size();
    }
    if (auto bound = run(target.name, snowflake::stage_sql(target), columns); !bound) return bound;
  }
  return {};
}

Result<void> SnowflakeLoad::load(const Batch& batch, const std::map<std::size_t, Staged>& staged) {
  const auto& targets = mapper_->targets();
  if (auto begun = run("BEGIN", "BEGIN"); !begun) return begun;
  for (const auto& [index, rows] : staged) {
    const Target& target = targets[index];
    if (auto clear = run(target.name, snowflake::clear_staging_sql(target)); !clear) return clear;
    if (auto done = stage(target, rows); !done) return done;
  }
  fault_point("snowflake.after_staging");
  fault_point("snowflake.before_merge");
  bool names_changed = false;
  for (const auto& [index, rows] : staged) {
    const Target& target = targets[index];
    auto merged = run(target.name, snowflake::merge_sql(target, rows.range));
    if (!merged) return merged;
    names_changed =
        names_changed || target.name == "DIM_ASSET" || target.name == "DIM_CRYPTOCURRENCY";
  }
  if (names_changed) {
    auto named = run("DIM_CRYPTOCURRENCY", snowflake::name_cryptocurrencies_sql());
    if (!named) return named;
  }
  // A row a load, never changed: a transaction that a dead process left open is in nobody's way.
  const std::array<BoundColumn, 1> name{{{batch.log_id()}}};
  auto moved = run("CANDLEWICK_CURSOR", snowflake::move_cursor_sql(batch.last()), name);
  if (!moved) return moved;
  fault_point("snowflake.after_merge");
  auto committed = run("COMMIT", "COMMIT");
  if (committed) fault_point("snowflake.after_commit");
  return committed;
}

Result<void> SnowflakeLoad::store(const Batch& batch) {
  std::vector<TargetRow> rows;
  for (const auto& entry : batch.entries()) {
    if (auto mapped = mapper_->append(entry, rows); !mapped) return mapped;
  }
  // Nothing for these tables: the warehouse may sleep.
  if (rows.empty()) return {};
  std::map<std::size_t, Staged> staged;
  for (const auto& row : rows) {
    Staged& to = staged[row.target];
    to.rows.push_back(&row);
    if (!row.time) continue;
    if (!to.range) to.range = {*row.time, *row.time};
    to.range->from = std::min(to.range->from, *row.time);
    to.range->to = std::max(to.range->to, *row.time);
  }
  auto loaded = load(batch, staged);
  if (loaded) return loaded;
  mapper_->forget();
  if (session_.is_open()) {
    const auto undone = session_.execute("ROLLBACK");
    static_cast<void>(undone);  // what failed is told; a session that is gone rolls back by itself
  }
  return loaded;
}

Result<void> SnowflakeLoad::write(const Batch& batch) {
  if (!session_.is_open()) {
    if (auto opened = open(); !opened) return opened;
  }
  auto stored = store(batch);
  if (stored || session_.is_open()) return stored;
  // The session ended in the middle, and its transaction with it: once more from the beginning.
  if (auto entered = log_in(); !entered) return entered;
  return store(batch);
}

std::vector<Finding> SnowflakeLoad::examine() {
  using Grade = Finding::Grade;
  if (auto read = read_catalogue(); !read) return {{Grade::bad, read.error().message, "reinstall"}};
  session_.log_out();
  if (auto entered = session_.log_in(); !entered) {
    return {{Grade::bad, entered.error().message, "mend the setting that is named"}};
  }
  auto findings = snowflake::examine_session(session_, options_.access, true);
  auto tables = snowflake::examine_tables(session_, mapper_->targets(), false);
  std::ranges::move(tables, std::back_inserter(findings));
  session_.log_out();
  return findings;
}

}  // namespace

std::unique_ptr<Sink> make_snowflake_load(SnowflakeOptions options, const Clock& clock) {
  return std::make_unique<SnowflakeLoad>(std::move(options), clock);
}

}  // namespace candlewick::sink
