// One wrapper of libpq: a connection, prepared statements, transactions and COPY. A connection
// belongs to one thread; its calls block.
//
// Error kinds are error.h's. A connection that was lost stays lost (is_usable() is false): whoever
// owns it opens another.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "schema/table.h"

struct pg_conn;
struct pg_result;

namespace candlewick::postgres {

struct Options {
  // postgres://user:password@host:5432/database?sslmode=verify-full, or libpq's key=value form.
  // What it leaves open comes from libpq's own variables (PGPASSFILE, PGSSLROOTCERT, …).
  Secret url;
  std::string application_name = "candlewick";
  // Tables are made and looked for there.
  std::string schema = "public";
  // The URL's connect_timeout counts where there is one.
  Duration connect_timeout = std::chrono::seconds{10};
  Duration statement_timeout{};  // zero: the server's
  bool read_only = false;
};

// The target as messages name it: "database at host:port as user", never the password. A URL that
// cannot be read is a misconfigured error that does not repeat it.
Result<std::string> shown_target(const Secret& url);

// The answer of one statement. Rows and columns count from 0.
class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* result) : result_(result) {}

  std::size_t size() const;
  std::size_t columns() const;
  bool is_null(std::size_t row, std::size_t column) const;
  // Null stays Null. Error: malformed, rejected when out of range.
  Result<schema::Value> value(std::size_t row, std::size_t column, schema::ColumnType wanted) const;
  // Of cells that are there and of that type, as those of our own catalogue questions are.
  std::int64_t integer(std::size_t row, std::size_t column) const;
  std::string text(std::size_t row, std::size_t column) const;
  std::optional<std::string> optional_text(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const { return integer(row, column) != 0; }
  // Rows inserted, updated, deleted or copied.
  std::int64_t changes() const;

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Free> result_;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // A statement with $1, $2, … that is prepared once and kept.
  Result<Rows> query(std::string_view sql, std::span<const schema::Value> parameters = {});
  Result<Rows> query(std::string_view sql, std::initializer_list<schema::Value> parameters);
  // Any number of statements without parameters; answers are thrown away.
  Result<void> run(const std::string& script);
  // "COPY t (…) FROM STDIN (FORMAT binary)" with the rows' bytes, as CopyRows makes them. Returns
  // the number of rows.
  Result<std::int64_t> copy(const std::string& statement, std::string_view bytes);

  bool is_usable() const;
  bool in_transaction() const;
  int server_version() const;  // 150004
  // A standby, which takes no writes.
  bool is_replica() const;
  const std::string& target() const { return target_; }
  const std::string& schema() const { return schema_; }
  // For the message of an error: where it happened.
  int backend_pid() const;

 private:
  Connection() = default;
  Result<void> connect(const Options& options);
  Result<void> configure(const Options& options);
  Result<Rows> finish(pg_result* result, std::string_view statement);
  Error error_of(pg_result* result);

  pg_conn* handle_ = nullptr;
  std::string target_;
  std::string schema_;
  std::map<std::string, std::string, std::less<>> statements_;  // text and types → name
  std::uint64_t next_statement_ = 1;
  std::string key_;      // reused: one is made for each call
  std::string scratch_;  // parameters' bytes
};

// Rows for COPY … (FORMAT binary).
class CopyRows {
 public:
  void begin(std::size_t columns);
  std::string& bytes() { return bytes_; }
  // The whole of it, header and end included, as often as it is asked for. No rows after that
  // before clear().
  std::string_view finish();
  void clear() {
    bytes_.clear();
    rows_ = 0;
    is_finished_ = false;
  }
  std::size_t rows() const { return rows_; }

 private:
  std::string bytes_;
  std::size_t rows_ = 0;
  bool is_finished_ = false;
};

// Remembers its first error and ignores later steps, so steps read in order and commit() reports
// the outcome. Rolls back when it was not committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void run(const std::string& script);
  // No rows after an error.
  Rows query(std::string_view sql, std::initializer_list<schema::Value> parameters = {});
  Rows query(std::string_view sql, std::span<const schema::Value> parameters);
  void copy(const std::string& statement, std::string_view bytes);
  // False when the server refuses a row: everything is as before then, and no error sticks.
  bool try_copy(const std::string& statement, std::string_view bytes);
  void fail(Error error);
  void check(const Result<void>& outcome);

  bool ok() const { return !error_; }
  const std::optional<Error>& error() const { return error_; }
  Result<void> commit();

 private:
  Connection& connection_;
  std::optional<Error> error_;
  bool is_open_ = false;
};

// "name" with its quotes doubled, for the few statements that name what a user chose.
std::string quoted_name(std::string_view name);

}  // namespace candlewick::postgres
