// Transactions and the bytes of COPY: the parts of connection.h that need no libpq.
#include <utility>

#include "postgres/binary.h"
#include "postgres/connection.h"

namespace candlewick::postgres {

using schema::Value;

void CopyRows::begin(std::size_t columns) {
  using namespace std::string_view_literals;
  if (bytes_.empty()) {
    bytes_ += "PGCOPY\n\377\r\n\0"sv;
    append_int32(bytes_, 0);  // flags
    append_int32(bytes_, 0);  // length of the header's extension
  }
  append_int16(bytes_, static_cast<std::int16_t>(columns));
  ++rows_;
}

std::string_view CopyRows::finish() {
  if (!is_finished_) append_int16(bytes_, -1);
  is_finished_ = true;
  return bytes_;
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
  if (auto begun = connection_.run("BEGIN"); !begun) {
    error_ = std::move(begun.error());
  } else {
    is_open_ = true;
  }
}

Transaction::~Transaction() {
  if (is_open_) static_cast<void>(connection_.run("ROLLBACK"));
}

void Transaction::run(const std::string& script) {
  if (error_) return;
  check(connection_.run(script));
}

Rows Transaction::query(std::string_view sql, std::initializer_list<Value> parameters) {
  return query(sql, std::span(parameters.begin(), parameters.size()));
}

Rows Transaction::query(std::string_view sql, std::span<const Value> parameters) {
  if (error_) return {};
  auto rows = connection_.query(sql, parameters);
  if (rows) return std::move(*rows);
  error_ = std::move(rows.error());
  return {};
}

void Transaction::copy(const std::string& statement, std::string_view bytes) {
  if (error_) return;
  auto copied = connection_.copy(statement, bytes);
  if (!copied) error_ = std::move(copied.error());
}

bool Transaction::try_copy(const std::string& statement, std::string_view bytes) {
  run("SAVEPOINT before_copy");
  if (error_) return false;
  auto copied = connection_.copy(statement, bytes);
  if (copied) {
    run("RELEASE SAVEPOINT before_copy");
    return !error_;
  }
  if (copied.error().kind == ErrorKind::rejected) {
    run("ROLLBACK TO SAVEPOINT before_copy; RELEASE SAVEPOINT before_copy");
  } else {
    error_ = std::move(copied.error());
  }
  return false;
}

void Transaction::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

void Transaction::check(const Result<void>& outcome) {
  if (!outcome) fail(outcome.error());
}

Result<void> Transaction::commit() {
  if (!error_) {
    if (auto done = connection_.run("COMMIT"); !done) error_ = std::move(done.error());
  }
  if (is_open_ && error_) static_cast<void>(connection_.run("ROLLBACK"));
  is_open_ = false;
  if (error_) return candlewick::fail(*error_);
  return {};
}

}  // namespace candlewick::postgres
