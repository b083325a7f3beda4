// Types are checked while the bytes are made: COPY BINARY would take any eight bytes for a number.
#include "sink/postgres_rows.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "postgres/binary.h"
#include "sink/postgres_coverage.h"

namespace candlewick::sink {
namespace {

using schema::Conflict;
using schema::Row;
using schema::Table;
using schema::Value;

// Fewer rows are not worth a try that may fail.
constexpr std::size_t direct_rows = 256;
// After a key that was there already: history that is fetched again, most likely with more of it.
constexpr int staged_after_refusal = 32;

bool uses_ids(const Table& table) {
  return &table == &schema::fact_ohlcv || &table == &schema::fact_ohlcv_revision ||
         &table == &schema::fact_trade;
}

std::string column_sql(const Table& table, std::string_view column) {
  if (uses_ids(table) && column == "exchange") return "exchange_id";
  if (uses_ids(table) && column == "symbol") return "crypto_id";
  return fmt::format("\"{}\"", column);
}

// Only what grows may replace. `replace` tables are guarded by the moment of recording, so that a
// dead letter that is sent again late does not undo newer rows.
std::string guard_sql(const Table& table) {
  if (table.conflict == Conflict::replace) return "excluded.recorded_at >= stored.recorded_at";
  if (table.index_of("is_closed") != Table::npos) {
    return "(excluded.is_closed, excluded.revision) > (stored.is_closed, stored.revision)";
  }
  return "excluded.revision > stored.revision";
}

bool is_key(const Table& table, std::string_view column) {
  return std::ranges::find(table.key, column) != table.key.end();
}

// The closed values that the staged corrections are about to replace, with the moment that they
// were valid until: the correction's own stamp, and so the same in every sink. LATERAL: one look
// into the index for each correction, however large the table is.
constexpr std::string_view keep_superseded =
    "INSERT INTO fact_ohlcv_revision "
    "SELECT f.*, s.ingested_at FROM pg_temp.staging_fact_ohlcv s CROSS JOIN LATERAL ("
    "SELECT exchange_id, crypto_id, timeframe, timestamp, open, high, low, close, volume, "
    "quote_volume, trade_count, taker_buy_volume, taker_buy_quote_volume, is_closed, source, "
    "revision, ingested_at FROM fact_ohlcv o "
    "WHERE o.exchange_id = s.exchange_id AND o.crypto_id = s.crypto_id "
    "AND o.timeframe = s.timeframe AND o.timestamp = s.timestamp "
    "AND o.is_closed AND o.revision < s.revision LIMIT 1) f "
    "WHERE s.is_closed AND s.revision > 0 ON CONFLICT DO NOTHING";

// The pairs of the staged assets, by the same rules as SQLite's Dimensions::apply_asset.
constexpr std::string_view name_cryptocurrencies =
    "UPDATE dim_cryptocurrency c SET name = a.name, sector = coalesce(a.sector, c.sector), "
    "launch_date = coalesce((a.launch_date AT TIME ZONE 'UTC')::date, c.launch_date), "
    "coingecko_id = coalesce(a.coingecko_id, c.coingecko_id) "
    "FROM assets a, pg_temp.staging_assets s WHERE a.asset = s.asset AND c.base = a.asset";

std::size_t time_key_of(const Table& table) {
  for (const auto column : table.key) {
    const auto index = table.index_of(column);
    if (table.columns[index].type == schema::ColumnType::time) return index;
  }
  return Table::npos;
}

bool is_partitioned(const Table& table) {
  return &table == &schema::fact_ohlcv || &table == &schema::fact_trade ||
         &table == &schema::market_ticks || &table == &schema::technical_indicators;
}

std::uint64_t hash_of(const Value& value) {
  struct Hasher {
    std::uint64_t operator()(schema::Null) const { return 0; }
    std::uint64_t operator()(bool flag) const { return flag ? 2 : 1; }
    std::uint64_t operator()(std::int64_t number) const {
      return static_cast<std::uint64_t>(number);
    }
    std::uint64_t operator()(double number) const { return std::hash<double>{}(number); }
    std::uint64_t operator()(Decimal number) const { return std::hash<Decimal>{}(number); }
    std::uint64_t operator()(Time moment) const {
      return static_cast<std::uint64_t>(to_us(moment));
    }
    std::uint64_t operator()(const std::string& words) const {
      return std::hash<std::string>{}(words);
    }
    std::uint64_t operator()(const schema::Json& document) const {
      return std::hash<std::string>{}(document.text);
    }
  };
  return std::visit(Hasher{}, value);
}

// Two keys of one hash only cost a further pass.
std::uint64_t key_hash(const Row& row) {
  std::uint64_t hash = 0x9E3779B97F4A7C15ULL;
  for (const auto column : row.table->key) {
    hash ^= hash_of(row.at(column));
    hash *= 0xFF51AFD7ED558CCDULL;
    hash ^= hash >> 32;
  }
  return hash;
}

bool is_correction(const Row& row) {
  if (row.table != &schema::fact_ohlcv) return false;
  const auto* revision = std::get_if<std::int64_t>(&row.at("revision"));
  return revision != nullptr && *revision > 0;
}

}  // namespace

PostgresStatements statements_for(const Table& table) {
  std::string staged;
  std::string columns;
  std::string key;
  std::string updates;
  for (const auto& column : table.columns) {
    const std::string name = column_sql(table, column.name);
    const bool is_id = name.ends_with("_id");
    staged += fmt::format("{}{} {}", staged.empty() ? "" : ", ", name,
                          is_id ? "integer" : postgres::type_name(column.type));
    columns += (columns.empty() ? "" : ", ") + name;
    if (!is_key(table, column.name)) {
      updates += fmt::format("{}{} = excluded.{}", updates.empty() ? "" : ", ", name, name);
    }
  }
  for (const auto column : table.key) key += (key.empty() ? "" : ", ") + column_sql(table, column);
  const std::string staging = fmt::format("pg_temp.staging_{}", table.name);
  PostgresStatements statements;
  statements.make_staging =
      fmt::format("CREATE TEMPORARY TABLE IF NOT EXISTS staging_{} ({}) ON COMMIT DELETE ROWS",
                  table.name, staged);
  statements.copy_staging =
      fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", staging, columns);
  statements.copy_directly =
      fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", table.name, columns);
  statements.insert = fmt::format("INSERT INTO {} AS stored ({}) SELECT {} FROM {}", table.name,
                                  columns, columns, staging);
  if (table.conflict == Conflict::keep) {
    statements.insert += fmt::format(" ON CONFLICT ({}) DO NOTHING", key);
  } else if (table.conflict != Conflict::append) {
    statements.insert +=
        fmt::format(" ON CONFLICT ({}) DO UPDATE SET {} WHERE {}", key, updates, guard_sql(table));
  }
  if (&table == &schema::coverage) statements.insert += " RETURNING " + key;
  return statements;
}

Result<void> PostgresRows::prepare() {
  // The log forgets what a sink has, so a commit must be on the disk whatever the server's default.
  std::string script = "SET synchronous_commit = on;";
  for (const auto* table : schema::all_tables()) {
    if (table != &schema::instruments) script += statements_for(*table).make_staging + ";";
  }
  const auto touched =
      connection_.query("SELECT count(*) FROM pg_class WHERE oid = to_regclass('rollup_touched')");
  if (!touched) return fail(touched.error());
  has_continuous_rollups_ = touched->integer(0, 0) > 0;
  // History that is fetched again may touch more rows of a compressed chunk than the server's
  // default lets a transaction have.
  if (has_continuous_rollups_) {
    script += "SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0;";
  }
  return connection_.run(script);
}

void PostgresRows::write(postgres::Transaction& transaction, std::span<const log::Entry> entries) {
  for (auto& [table, target] : targets_) {
    for (auto& pass : target.passes) {
      pass.rows.clear();
      pass.has_corrections = false;
    }
    target.used = 0;
    target.next_pass.clear();
  }
  assertions_.clear();
  touched_.clear();
  for (const auto& entry : entries) {
    if (!transaction.ok()) return;
    add(transaction, entry.row);
  }
  for (const auto* table : schema::all_tables()) {
    const auto found = targets_.find(table);
    if (found != targets_.end() && found->second.used > 0) {
      store(transaction, *table, found->second);
    }
  }
  store_touched(transaction);
}

void PostgresRows::note_touched(const Row& row) {
  if (row.table != &schema::fact_ohlcv) return;
  const auto* timeframe = std::get_if<std::string>(&row.at("timeframe"));
  const auto* is_closed = std::get_if<bool>(&row.at("is_closed"));
  const auto* moment = std::get_if<Time>(&row.at("timestamp"));
  if (timeframe == nullptr || is_closed == nullptr || moment == nullptr) return;
  if (*timeframe != "1m" || !*is_closed) return;
  touched_.insert(std::chrono::floor<std::chrono::days>(*moment));
}

// In the transaction of the rows: whoever sees the days sees the rows.
void PostgresRows::store_touched(postgres::Transaction& transaction) {
  if (touched_.empty() || !transaction.ok()) return;
  std::string days;
  for (const auto day : touched_) {
    days += (days.empty() ? "" : ",") + to_rfc3339(Time{day}).substr(0, 10);
  }
  transaction.query(
      "INSERT INTO rollup_touched (day) SELECT d::date FROM unnest(string_to_array($1::text, ',')) "
      "d",
      {days});
}

void PostgresRows::add(postgres::Transaction& transaction, const Row& row) {
  if (row.table == &schema::instruments) {
    return transaction.check(dimensions_.apply_instrument(row));
  }
  if (layout_ == warehouse::Layout::native && is_partitioned(*row.table)) {
    make_partition(transaction, row);
  }
  if (has_continuous_rollups_) note_touched(row);
  Pass& pass = pass_for(row);
  transaction.check(append(pass.rows, row));
  pass.has_corrections = pass.has_corrections || is_correction(row);
  if (row.table == &schema::coverage) assertions_.push_back(&row);
}

PostgresRows::Pass& PostgresRows::pass_for(const Row& row) {
  Target& target = targets_[row.table];
  std::size_t number = 0;
  // Where the first one stays, a second one of the same statement changes nothing either.
  const bool may_repeat =
      row.table->conflict == Conflict::keep || row.table->conflict == Conflict::append;
  if (!may_repeat) number = target.next_pass[key_hash(row)]++;
  target.used = std::max(target.used, number + 1);
  if (target.passes.size() <= number) target.passes.resize(number + 1);
  return target.passes[number];
}

Result<void> PostgresRows::append(postgres::CopyRows& rows, const Row& row) {
  const Table& table = *row.table;
  const bool ids = uses_ids(table);
  const std::size_t spelled =
      exchange_symbol_style_ ? table.index_of("exchange_symbol") : Table::npos;
  rows.begin(table.columns.size());
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const auto& column = table.columns[i];
    const auto* text = std::get_if<std::string>(&row.values[i]);
    if (ids && text != nullptr && (column.name == "exchange" || column.name == "symbol")) {
      const auto id =
          column.name == "exchange" ? dimensions_.exchange_id(*text) : dimensions_.crypto_id(*text);
      if (!id) return fail(id.error());
      postgres::append_int32(rows.bytes(), 4);
      postgres::append_int32(rows.bytes(), static_cast<std::int32_t>(*id));
      continue;
    }
    const std::size_t source = spelled != Table::npos && column.name == "symbol" ? spelled : i;
    if (auto done = postgres::append_field(rows.bytes(), row.values[source], column); !done) {
      return within(table.name, std::move(done.error()));
    }
  }
  return {};
}

void PostgresRows::make_partition(postgres::Transaction& transaction, const Row& row) {
  const auto* moment = std::get_if<Time>(&row.values[time_key_of(*row.table)]);
  if (moment == nullptr) return;  // is refused when its bytes are made
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(*moment)};
  const int month = static_cast<int>(day.year()) * 12 + static_cast<int>(unsigned{day.month()}) - 1;
  if (!partitions_.emplace(row.table, month).second) return;
  transaction.check(warehouse::make_partitions(connection_, row.table->name, *moment));
}

bool PostgresRows::store_directly(postgres::Transaction& transaction, const Table& table,
                                  Target& target) {
  Pass& pass = target.passes.front();
  // Assertions must be told apart from those that were there; the names of assets go further.
  if (&table == &schema::coverage || &table == &schema::assets || target.used > 1 ||
      pass.has_corrections || pass.rows.rows() < direct_rows) {
    return false;
  }
  if (target.staged_for > 0) {
    --target.staged_for;
    return false;
  }
  if (transaction.try_copy(statements_for(table).copy_directly, pass.rows.finish())) return true;
  target.staged_for = staged_after_refusal;
  return false;
}

void PostgresRows::store(postgres::Transaction& transaction, const Table& table, Target& target) {
  if (store_directly(transaction, table, target)) return;
  const PostgresStatements statements = statements_for(table);
  for (std::size_t i = 0; i < target.used && transaction.ok(); ++i) {
    Pass& pass = target.passes[i];
    if (i > 0) transaction.run(fmt::format("DELETE FROM pg_temp.staging_{}", table.name));
    transaction.copy(statements.copy_staging, pass.rows.finish());
    if (pass.has_corrections) transaction.query(keep_superseded);
    const auto inserted = transaction.query(statements.insert);
    if (&table == &schema::assets) transaction.query(name_cryptocurrencies);
    if (&table != &schema::coverage || !transaction.ok()) continue;
    // An assertion that was there before has been resolved before; one that comes twice in a batch
    // counts once.
    std::set<std::string> fresh;
    for (std::size_t r = 0; r < inserted.size(); ++r) {
      std::string name;
      for (std::size_t c = 0; c < inserted.columns(); ++c) name += inserted.text(r, c) + '\n';
      fresh.insert(std::move(name));
    }
    std::erase_if(assertions_, [&](const Row* row) {
      std::string name;
      for (const auto column : table.key) {
        const Value& value = row->at(column);
        const auto* text = std::get_if<std::string>(&value);
        name += text != nullptr ? *text : std::to_string(std::get<std::int64_t>(value));
        name += '\n';
      }
      return fresh.erase(name) == 0;
    });
    lay_over(transaction, assertions_);
  }
}

void PostgresRows::forget() {
  dimensions_.forget();
  partitions_.clear();
}

}  // namespace candlewick::sink
