// A value of the wrong type is refused by SQLite (STRICT tables), so nothing is checked twice here.
#include "sink/sqlite_rows.h"

#include <algorithm>
#include <utility>

namespace candlewick::sink {
namespace {

using schema::Conflict;
using schema::Row;
using schema::Table;

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
  if (table.conflict == Conflict::replace) {
    return fmt::format("excluded.recorded_at >= {}.recorded_at", table.name);
  }
  if (table.index_of("is_closed") != Table::npos) {
    return fmt::format("(excluded.is_closed, excluded.revision) > ({0}.is_closed, {0}.revision)",
                       table.name);
  }
  return fmt::format("excluded.revision > {}.revision", table.name);
}

bool is_key(const Table& table, std::string_view column) {
  return std::ranges::find(table.key, column) != table.key.end();
}

constexpr std::string_view keep_superseded_sql =
    "INSERT OR IGNORE INTO fact_ohlcv_revision "
    "SELECT exchange_id, crypto_id, timeframe, timestamp, open, high, low, close, volume, "
    "quote_volume, trade_count, taker_buy_volume, taker_buy_quote_volume, is_closed, source, "
    "revision, ingested_at, ?6 FROM fact_ohlcv "
    "WHERE exchange_id = ?1 AND crypto_id = ?2 AND timeframe = ?3 AND timestamp = ?4 "
    "AND is_closed = 1 AND revision < ?5";

}  // namespace

std::string insert_sql(const Table& table) {
  std::string columns;
  std::string places;
  std::string key;
  std::string updates;
  for (const auto& column : table.columns) {
    const std::string name = column_sql(table, column.name);
    columns += (columns.empty() ? "" : ", ") + name;
    places += places.empty() ? "?" : ", ?";
    if (!is_key(table, column.name)) {
      updates += fmt::format("{}{} = excluded.{}", updates.empty() ? "" : ", ", name, name);
    }
  }
  for (const auto column : table.key) {
    key += (key.empty() ? "" : ", ") + column_sql(table, column);
  }
  std::string sql = fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, columns, places);
  if (table.conflict == Conflict::append) return sql;
  if (table.conflict == Conflict::keep)
    return sql + fmt::format(" ON CONFLICT ({}) DO NOTHING", key);
  return sql +
         fmt::format(" ON CONFLICT ({}) DO UPDATE SET {} WHERE {}", key, updates, guard_sql(table));
}

Result<sqlite::Statement*> SqliteRows::insert_for(const Table& table) {
  auto found = inserts_.find(&table);
  if (found == inserts_.end()) {
    auto prepared = database_.prepare(insert_sql(table));
    if (!prepared) return fail(std::move(prepared.error()));
    found = inserts_.emplace(&table, std::move(*prepared)).first;
  }
  return &found->second;
}

Result<void> SqliteRows::bind(sqlite::Statement& statement, const Row& row) {
  const Table& table = *row.table;
  const bool ids = uses_ids(table);
  const std::size_t spelled =
      exchange_symbol_style_ ? table.index_of("exchange_symbol") : Table::npos;
  scratch_.resize(std::max(scratch_.size(), row.values.size()));
  struct Binder {
    sqlite::Statement& statement;
    int parameter;
    Scratch& scratch;
    void operator()(schema::Null) const { statement.bind_null(parameter); }
    void operator()(bool flag) const { statement.bind(parameter, std::int64_t{flag}); }
    void operator()(std::int64_t number) const { statement.bind(parameter, number); }
    void operator()(double number) const { statement.bind(parameter, number); }
    void operator()(Decimal number) const {
      const std::size_t size = number.write(scratch.digits.data());
      statement.bind(parameter, std::string_view(scratch.digits.data(), size));
    }
    void operator()(Time moment) const { statement.bind(parameter, to_us(moment)); }
    void operator()(const std::string& text) const { statement.bind(parameter, text); }
    void operator()(const schema::Json& document) const {
      statement.bind(parameter, document.text);
    }
  };
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const std::string_view column = table.columns[i].name;
    const int parameter = static_cast<int>(i) + 1;
    const auto* text = std::get_if<std::string>(&row.values[i]);
    if (ids && text != nullptr && (column == "exchange" || column == "symbol")) {
      const auto id =
          column == "exchange" ? dimensions_.exchange_id(*text) : dimensions_.crypto_id(*text);
      if (!id) return fail(id.error());
      statement.bind(parameter, *id);
      continue;
    }
    const std::size_t source = spelled != Table::npos && column == "symbol" ? spelled : i;
    std::visit(Binder{statement, parameter, scratch_[i]}, row.values[source]);
  }
  return {};
}

Result<void> SqliteRows::write(const Row& row) {
  if (row.table == &schema::instruments) return dimensions_.apply_instrument(row);
  if (row.table == &schema::fact_ohlcv) {
    if (auto kept = keep_superseded(row); !kept) return kept;
  }
  auto statement = insert_for(*row.table);
  if (!statement) return fail(std::move(statement.error()));
  auto bound = bind(**statement, row);
  if (!bound) {
    (*statement)->reset();
    return bound;
  }
  if (auto done = (*statement)->run(); !done) return done;
  if (row.table == &schema::assets && database_.changes() > 0) return dimensions_.apply_asset(row);
  // An assertion that was there before has been resolved before.
  if (row.table == &schema::coverage && database_.changes() > 0) return spans_.lay_over(row);
  return {};
}

// A correction: the closed value that it is about to replace is kept, with the moment that it was
// valid until, which is the correction's own stamp and so the same in every sink.
Result<void> SqliteRows::keep_superseded(const Row& row) {
  const auto* revision = std::get_if<std::int64_t>(&row.at("revision"));
  const auto* is_closed = std::get_if<bool>(&row.at("is_closed"));
  if (revision == nullptr || is_closed == nullptr || *revision <= 0 || !*is_closed) return {};
  const auto* exchange = std::get_if<std::string>(&row.at("exchange"));
  const auto* symbol = std::get_if<std::string>(&row.at("symbol"));
  const auto* timeframe = std::get_if<std::string>(&row.at("timeframe"));
  const auto* timestamp = std::get_if<Time>(&row.at("timestamp"));
  const auto* ingested_at = std::get_if<Time>(&row.at("ingested_at"));
  if (!exchange || !symbol || !timeframe || !timestamp || !ingested_at) return {};
  if (!has_keep_superseded_) {
    auto prepared = database_.prepare(keep_superseded_sql);
    if (!prepared) return fail(std::move(prepared.error()));
    keep_superseded_ = std::move(*prepared);
    has_keep_superseded_ = true;
  }
  const auto exchange_id = dimensions_.exchange_id(*exchange);
  if (!exchange_id) return fail(exchange_id.error());
  const auto crypto_id = dimensions_.crypto_id(*symbol);
  if (!crypto_id) return fail(crypto_id.error());
  keep_superseded_.bind(1, *exchange_id);
  keep_superseded_.bind(2, *crypto_id);
  keep_superseded_.bind(3, *timeframe);
  keep_superseded_.bind(4, to_us(*timestamp));
  keep_superseded_.bind(5, *revision);
  keep_superseded_.bind(6, to_us(*ingested_at));
  return keep_superseded_.run();
}

}  // namespace candlewick::sink
