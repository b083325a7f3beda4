// Facts with ids are read series by series, by the names' order: ids differ between warehouses.
#include "app/whole_table.h"

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "query/coverage.h"

namespace candlewick::app {
namespace {

using enum schema::ColumnType;
using schema::Column;
using schema::Row;
using schema::Table;
using schema::Value;
using warehouse::Database;

constexpr std::int64_t page_rows = 5'000;

constexpr std::array<Column, 4> exchange_columns{
    {{"name", text, false}, {"display_name", text}, {"region", text}, {"trading_fees", decimal}}};
constexpr std::array<Column, 7> crypto_columns{{{"symbol", text, false},
                                                {"name", text},
                                                {"sector", text},
                                                {"launch_date", text},
                                                {"base", text, false},
                                                {"quote", text, false},
                                                {"coingecko_id", text}}};
constexpr std::array<Column, 13> listing_columns{{{"exchange", text, false},
                                                  {"exchange_symbol", text, false},
                                                  {"life", integer, false},
                                                  {"symbol", text, false},
                                                  {"market", text, false},
                                                  {"status", text, false},
                                                  {"listed_at", time},
                                                  {"delisted_at", time},
                                                  {"price_precision", integer},
                                                  {"size_precision", integer},
                                                  {"tick_size", decimal},
                                                  {"step_size", decimal},
                                                  {"recorded_at", time, false}}};
constexpr std::array<Column, 10> span_columns{{{"exchange", text, false},
                                               {"symbol", text, false},
                                               {"timeframe", text, false},
                                               {"stream", text, false},
                                               {"from", time, false},
                                               {"to", time, false},
                                               {"state", text, false},
                                               {"cause", text},
                                               {"evidence", text},
                                               {"seq", integer, false}}};
constexpr std::array<std::string_view, 1> exchange_key{"name"};
constexpr std::array<std::string_view, 1> crypto_key{"symbol"};
constexpr std::array<std::string_view, 3> listing_key{"exchange", "exchange_symbol", "life"};
constexpr std::array<std::string_view, 5> span_key{"exchange", "symbol", "timeframe", "stream",
                                                   "from"};

constexpr std::string_view all_exchanges =
    "SELECT name, display_name, region, trading_fees FROM dim_exchange ORDER BY name";
constexpr std::string_view all_cryptocurrencies =
    "SELECT symbol, name, sector, launch_date, base, quote, coingecko_id FROM dim_cryptocurrency "
    "ORDER BY symbol";
constexpr std::string_view all_listings =
    "SELECT e.name, l.exchange_symbol, row_number() OVER (PARTITION BY l.exchange_id, "
    "l.exchange_symbol ORDER BY l.listing_id) AS life, c.symbol, l.market, l.status, l.listed_at, "
    "l.delisted_at, l.price_precision, l.size_precision, l.tick_size, l.step_size, l.recorded_at "
    "FROM dim_listing l JOIN dim_exchange e ON e.exchange_id = l.exchange_id "
    "JOIN dim_cryptocurrency c ON c.crypto_id = l.crypto_id "
    "ORDER BY e.name, l.exchange_symbol, life";

Result<std::vector<Row>> select_all(Database& database, const Table& table, std::string_view sql) {
  std::vector<schema::ColumnType> types;
  for (const auto& column : table.columns) types.push_back(column.type);
  auto found = database.select(sql, {}, types);
  if (!found) return fail(std::move(found.error()));
  std::vector<Row> rows;
  rows.reserve(found->size());
  for (auto& values : *found) rows.push_back({.table = &table, .values = std::move(values)});
  return rows;
}

template <class T>
Value optional(std::optional<T>& value) {
  return value ? Value{std::move(*value)} : Value{};
}

Result<std::vector<Row>> all_spans(Database& database) {
  auto spans = query::coverage(database, {.limit = std::numeric_limits<std::size_t>::max()});
  if (!spans) return fail(std::move(spans.error()));
  std::vector<Row> rows;
  rows.reserve(spans->size());
  for (auto& span : *spans) {
    rows.push_back(
        {.table = &coverage_current,
         .values = {span.exchange, span.symbol, span.timeframe, span.stream, span.from, span.to,
                    span.state, optional(span.cause), optional(span.evidence), span.seq}});
  }
  return rows;
}

// A table that is small enough to be held.
class SmallTable final : public RowStream {
 public:
  SmallTable(Database& database, const Table& table) : database_(database), table_(table) {}
  Result<const Row*> next() override {
    if (!is_read_) {
      auto read = &table_ == &coverage_current ? all_spans(database_)
                                               : select_all(database_, table_, question());
      if (!read) return fail(std::move(read.error()));
      rows_ = std::move(*read);
      is_read_ = true;
    }
    return next_ == rows_.size() ? nullptr : &rows_[next_++];
  }

 private:
  std::string_view question() const {
    if (&table_ == &dim_exchange) return all_exchanges;
    return &table_ == &dim_cryptocurrency ? all_cryptocurrencies : all_listings;
  }

  Database& database_;
  const Table& table_;
  bool is_read_ = false;
  std::vector<Row> rows_;
  std::size_t next_ = 0;
};

bool uses_ids(const Table& table) {
  return &table == &schema::fact_ohlcv || &table == &schema::fact_ohlcv_revision ||
         &table == &schema::fact_trade;
}

class PagedTable final : public RowStream {
 public:
  PagedTable(Database& database, const Table& table, const Row* after)
      : database_(database), table_(table) {
    if (after != nullptr) after_ = *after;
    for (const auto& column : table.columns) {
      if (is_name(column.name)) continue;
      columns_ += fmt::format("{}\"{}\"", columns_.empty() ? "" : ", ", column.name);
      types_.push_back(column.type);
    }
    for (const auto column : table.key) {
      if (is_name(column)) continue;
      key_ += fmt::format("{}\"{}\"", key_.empty() ? "" : ", ", column);
    }
  }

  Result<const Row*> next() override {
    while (next_ == page_.size()) {
      if (has_ended_) return nullptr;
      if (auto read = read_page(); !read) return fail(std::move(read.error()));
    }
    return &page_[next_++];
  }

 private:
  struct Series {
    std::int64_t exchange_id = 0;
    std::string exchange;
    std::int64_t crypto_id = 0;
    std::string symbol;
  };

  // A column that is an id in the table.
  bool is_name(std::string_view column) const {
    return uses_ids(table_) && (column == "exchange" || column == "symbol");
  }

  Result<void> find_series() {
    constexpr std::array types{integer, text, integer, text};
    auto found = database_.select(
        fmt::format("SELECT e.exchange_id, e.name, c.crypto_id, c.symbol "
                    "FROM dim_exchange e CROSS JOIN dim_cryptocurrency c WHERE EXISTS ("
                    "SELECT 1 FROM {} f WHERE f.exchange_id = e.exchange_id "
                    "AND f.crypto_id = c.crypto_id) ORDER BY e.name, c.symbol",
                    table_.name),
        {}, types);
    if (!found) return fail(std::move(found.error()));
    for (auto& row : *found) {
      series_.push_back({std::get<std::int64_t>(row[0]), std::get<std::string>(std::move(row[1])),
                         std::get<std::int64_t>(row[2]), std::get<std::string>(std::move(row[3]))});
    }
    if (!after_) return {};
    const auto& exchange = std::get<std::string>(after_->at("exchange"));
    const auto& symbol = std::get<std::string>(after_->at("symbol"));
    const auto is_before = [&](const Series& series) {
      return std::tie(series.exchange, series.symbol) < std::tie(exchange, symbol);
    };
    while (at_ < series_.size() && is_before(series_[at_])) ++at_;
    if (at_ == series_.size() || series_[at_].exchange != exchange || series_[at_].symbol != symbol)
      after_.reset();
    return {};
  }

  Result<void> read_page() {
    if (uses_ids(table_) && !has_series_) {
      if (auto found = find_series(); !found) return found;
      has_series_ = true;
    }
    page_.clear();
    next_ = 0;
    if (uses_ids(table_) && at_ == series_.size()) {
      has_ended_ = true;
      return {};
    }
    std::vector<Value> parameters;
    const std::string sql = page_sql(parameters);
    auto found = database_.select(sql, parameters, types_);
    if (!found) return fail(std::move(found.error()));
    page_.reserve(found->size());
    for (auto& values : *found) page_.push_back(row_of(std::move(values)));
    if (page_.size() == static_cast<std::size_t>(page_rows)) {
      after_ = page_.back();
    } else if (uses_ids(table_)) {
      ++at_;
      after_.reset();
    } else {
      has_ended_ = true;
    }
    return {};
  }

  std::string page_sql(std::vector<Value>& parameters) const {
    const auto parameter = [&parameters](Value value) {
      parameters.push_back(std::move(value));
      return fmt::format("${}", parameters.size());
    };
    std::string sql = fmt::format("SELECT {} FROM {}", columns_, table_.name);
    std::string_view word = " WHERE ";
    if (uses_ids(table_)) {
      sql += fmt::format("{}exchange_id = {}", word, parameter(series_[at_].exchange_id));
      sql += fmt::format(" AND crypto_id = {}", parameter(series_[at_].crypto_id));
      word = " AND ";
    }
    if (after_) {
      std::string places;
      for (const auto column : table_.key) {
        if (is_name(column)) continue;
        places += (places.empty() ? "" : ", ") + parameter(after_->at(column));
      }
      sql += fmt::format("{}({}) > ({})", word, key_, places);
    }
    return sql + fmt::format(" ORDER BY {} LIMIT {}", key_, parameter(page_rows));
  }

  Row row_of(warehouse::Values values) const {
    Row row{.table = &table_, .values = {}};
    row.values.reserve(table_.columns.size());
    std::size_t next = 0;
    for (const auto& column : table_.columns) {
      if (is_name(column.name)) {
        row.values.emplace_back(column.name == "exchange" ? series_[at_].exchange
                                                          : series_[at_].symbol);
      } else {
        row.values.push_back(std::move(values[next++]));
      }
    }
    return row;
  }

  Database& database_;
  const Table& table_;
  std::string columns_;
  std::string key_;
  std::vector<schema::ColumnType> types_;
  std::optional<Row> after_;
  bool has_series_ = false;
  std::vector<Series> series_;
  std::size_t at_ = 0;
  std::vector<Row> page_;
  std::size_t next_ = 0;
  bool has_ended_ = false;
};

}  // namespace

constinit const Table dim_exchange{"dim_exchange", exchange_columns, exchange_key,
                                   schema::Conflict::replace};
constinit const Table dim_cryptocurrency{"dim_cryptocurrency", crypto_columns, crypto_key,
                                         schema::Conflict::replace};
constinit const Table dim_listing{"dim_listing", listing_columns, listing_key,
                                  schema::Conflict::replace};
constinit const Table coverage_current{"coverage_current", span_columns, span_key,
                                       schema::Conflict::replace};

std::unique_ptr<RowStream> whole_table(Database& database, const Table& table, const Row* after) {
  if (&table == &dim_exchange || &table == &dim_cryptocurrency || &table == &dim_listing ||
      &table == &coverage_current) {
    return std::make_unique<SmallTable>(database, table);
  }
  return std::make_unique<PagedTable>(database, table, after);
}

}  // namespace candlewick::app
