// One wrapper of SQLite: connections, statements, transactions, functions. A connection and all
// that was made from it belong to one thread at a time.
//
// Error kinds: busy, full and failing disks are transient; no database, a damaged one or missing
// rights are misconfigured and name the file; refused values are rejected.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_context;

namespace candlewick::sqlite {

enum class Synchronous : unsigned char {
  normal,  // a commit survives the process, not always the machine
  full,    // a commit is on the disk
};

struct Options {
  std::filesystem::path path;
  bool read_only = false;
  bool create = true;
  bool write_ahead_log = true;
  Synchronous synchronous = Synchronous::full;
  Duration busy_timeout = std::chrono::seconds{5};
  std::int64_t max_pages = 0;         // the file's limit; 0: none
  std::int64_t page_size = 0;         // of a new file; 0: SQLite's own
  std::int64_t cache_bytes = 0;       // 0: SQLite's own
  std::int64_t checkpoint_pages = 0;  // of the write-ahead log; 0: SQLite's own
};

// An argument or the answer of a registered function.
using Scalar = std::variant<std::monostate, std::int64_t, double, std::string>;

class Database;

// A prepared statement. Parameters count from 1, columns from 0. Binding errors stick and come out
// of the next step().
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  void bind_null(int parameter);
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, double value);
  // The bytes must live until the statement is reset: nothing is copied.
  void bind(int parameter, std::string_view text);
  void bind(int parameter, const std::string& text) { bind(parameter, std::string_view(text)); }
  void bind(int parameter, const char* text) { bind(parameter, std::string_view(text)); }
  // Copies.
  void bind_copy(int parameter, std::string_view text);
  // Null when absent.
  void bind(int parameter, const std::optional<std::int64_t>& value);
  void bind(int parameter, const std::optional<std::string>& text);
  // The number of a parameter by its name with prefix ("$1"); 0 when there is none.
  int parameter(const char* name) const;
  int parameter_count() const;

  // True while there is a row.
  Result<bool> step();
  // Runs a statement that answers no rows and makes it ready for the next values.
  Result<void> run();
  // Ready to be bound and run again.
  void reset();

  int column_count() const;
  std::string_view column_name(int column) const;
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  // Valid until the next step, reset or reading of this column in another type.
  std::string_view text(int column) const;
  std::optional<std::string> optional_text(int column) const;
  std::optional<std::int64_t> optional_integer(int column) const;

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  void check_bound(int code);

  Database* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bind_error_ = 0;
};

using ScalarFunction = std::function<Result<Scalar>(std::span<const Scalar> arguments)>;

// One running aggregate; made anew for each group.
class Aggregate {
 public:
  virtual ~Aggregate() = default;
  virtual Result<void> add(std::span<const Scalar> arguments) = 0;
  virtual Result<Scalar> finish() = 0;
};
using AggregateFactory = std::function<std::unique_ptr<Aggregate>()>;

class Database {
 public:
  // Statements point at their database: it does not move.
  static Result<std::unique_ptr<Database>> open(const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::filesystem::path& path() const { return path_; }

  Result<Statement> prepare(std::string_view sql);
  // Any number of statements without parameters; answers are thrown away.
  Result<void> execute(const std::string& sql);
  // The first cell of the first row, for pragmas and counts.
  Result<std::int64_t> integer(std::string_view sql);

  std::int64_t changes() const;
  bool in_transaction() const;

  // `arguments`: how many, -1 for any number. Pure functions only: SQLite may keep their answers.
  Result<void> add_function(const std::string& name, int arguments, ScalarFunction function);
  Result<void> add_aggregate(const std::string& name, int arguments, AggregateFactory factory);

  // SQLite's code in our words.
  Error error_of(int code) const;

 private:
  Database() = default;
  Result<void> configure(const Options& options);

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

// A statement and the text that it is to be prepared from.
struct Plan {
  Statement& statement;
  std::string_view sql;
};
// In order; stops at the first error.
Result<void> prepare_all(Database& database, std::initializer_list<Plan> plans);

// Remembers its first error and ignores later steps, so steps read in order and commit() reports
// the outcome. Rolls back when it was not committed.
class Transaction {
 public:
  // Takes the write lock at once.
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void execute(const std::string& sql);
  // A statement whose parameters are bound; it is ready again afterwards.
  void run(Statement& statement);
  // An error found outside of SQLite, or the outcome of a step that was done by hand.
  void fail(Error error);
  void check(const Result<void>& outcome);

  bool ok() const { return !error_; }
  const std::optional<Error>& error() const { return error_; }
  Result<void> commit();

 private:
  Database& database_;
  std::optional<Error> error_;
  bool is_open_ = false;
};

}  // namespace candlewick::sqlite
