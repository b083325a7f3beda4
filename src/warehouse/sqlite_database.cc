// The reading interface over SQLite. Statements are kept prepared: the program asks a small, fixed
// set of questions.
#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "sqlite/database.h"
#include "sqlite/decimal_functions.h"
#include "warehouse/database.h"
#include "warehouse/migration.h"

namespace candlewick::warehouse {
namespace {

using schema::ColumnType;
using schema::Value;

constexpr std::size_t max_statements = 200;

struct Binder {
  sqlite::Statement& statement;
  int parameter;
  void operator()(schema::Null) const { statement.bind_null(parameter); }
  void operator()(bool flag) const { statement.bind(parameter, std::int64_t{flag}); }
  void operator()(std::int64_t number) const { statement.bind(parameter, number); }
  void operator()(double number) const { statement.bind(parameter, number); }
  void operator()(Decimal number) const { statement.bind_copy(parameter, number.to_string()); }
  void operator()(Time moment) const { statement.bind(parameter, to_us(moment)); }
  void operator()(const std::string& text) const { statement.bind_copy(parameter, text); }
  void operator()(const schema::Json& document) const {
    statement.bind_copy(parameter, document.text);
  }
};

Result<Value> read_cell(const sqlite::Statement& statement, int column, ColumnType type) {
  if (statement.is_null(column)) return Value{};
  switch (type) {
    case ColumnType::text:
      return Value{std::string(statement.text(column))};
    case ColumnType::integer:
      return Value{statement.integer(column)};
    case ColumnType::boolean:
      return Value{statement.integer(column) != 0};
    case ColumnType::real:
      return Value{statement.real(column)};
    case ColumnType::time:
      return Value{time_from_us(statement.integer(column))};
    case ColumnType::json:
      return Value{schema::Json{std::string(statement.text(column))}};
    case ColumnType::decimal:
      break;
  }
  auto number = Decimal::parse(statement.text(column));
  if (!number) return within(statement.column_name(column), std::move(number.error()));
  return Value{*number};
}

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}

  Dialect dialect() const override { return Dialect::sqlite; }

  Result<std::vector<Values>> select(std::string_view sql, std::span<const Value> parameters,
                                     std::span<const ColumnType> types) override {
    auto prepared = prepare(sql, parameters);
    if (!prepared) return fail(std::move(prepared.error()));
    sqlite::Statement& statement = **prepared;
    check(statement.column_count() == static_cast<int>(types.size()),
          "a question names a type for each column of its answer");
    auto rows = read_all(statement, types);
    statement.reset();
    return rows;
  }

  Result<std::int64_t> execute(std::string_view sql, std::span<const Value> parameters) override {
    auto prepared = prepare(sql, parameters);
    if (!prepared) return fail(std::move(prepared.error()));
    if (auto done = (*prepared)->run(); !done) return fail(std::move(done.error()));
    return database_->changes();
  }

 private:
  Result<sqlite::Statement*> prepare(std::string_view sql, std::span<const Value> parameters) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
      if (statements_.size() >= max_statements) statements_.clear();
      auto prepared = database_->prepare(sql);
      if (!prepared) return within("warehouse", std::move(prepared.error()));
      found = statements_.emplace(std::string(sql), std::move(*prepared)).first;
    }
    // SQLite numbers $1, $2 by their first appearance, so they are found by name.
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const int number = found->second.parameter(fmt::format("${}", i + 1).c_str());
      if (number != 0) std::visit(Binder{found->second, number}, parameters[i]);
    }
    return &found->second;
  }

  static Result<std::vector<Values>> read_all(sqlite::Statement& statement,
                                              std::span<const ColumnType> types) {
    std::vector<Values> rows;
    while (true) {
      const auto is_there = statement.step();
      if (!is_there) return within("warehouse", is_there.error());
      if (!*is_there) return rows;
      Values row;
      row.reserve(types.size());
      for (std::size_t i = 0; i < types.size(); ++i) {
        auto cell = read_cell(statement, static_cast<int>(i), types[i]);
        if (!cell) return within("warehouse", std::move(cell.error()));
        row.push_back(std::move(*cell));
      }
      rows.push_back(std::move(row));
    }
  }

  // Declared before the statements: it must outlive them.
  std::unique_ptr<sqlite::Database> database_;
  std::map<std::string, sqlite::Statement, std::less<>> statements_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite_for_reading(const std::filesystem::path& path) {
  auto database = sqlite::Database::open({.path = path, .read_only = true, .create = false});
  if (!database) return within("warehouse", std::move(database.error()));
  if (auto added = sqlite::add_decimal_functions(**database); !added) {
    return within("warehouse", std::move(added.error()));
  }
  if (auto checked = check_migrated(**database, migrations_in("warehouse/sqlite")); !checked) {
    return within("warehouse", std::move(checked.error()));
  }
  return std::unique_ptr<Database>(std::make_unique<SqliteDatabase>(std::move(*database)));
}

}  // namespace candlewick::warehouse
