// SQLite's C interface behind plain types. Connections are opened without SQLite's own mutexes:
// each belongs to one thread.
#include "sqlite/database.h"

#include <sqlite3.h>

#include <new>
#include <utility>
#include <vector>

#include "base/check.h"

namespace candlewick::sqlite {
namespace {

Scalar to_scalar(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
      return sqlite3_value_double(value);
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      if (text == nullptr) return std::string{};
      return std::string(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
    }
  }
}

std::vector<Scalar> to_scalars(int count, sqlite3_value** values) {
  std::vector<Scalar> scalars;
  scalars.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) scalars.push_back(to_scalar(values[i]));
  return scalars;
}

void answer(sqlite3_context* context, const Result<Scalar>& result) {
  if (!result) {
    sqlite3_result_error(context, result.error().message.c_str(), -1);
    return;
  }
  struct Answer {
    sqlite3_context* context;
    void operator()(std::monostate) const { sqlite3_result_null(context); }
    void operator()(std::int64_t number) const { sqlite3_result_int64(context, number); }
    void operator()(double number) const { sqlite3_result_double(context, number); }
    void operator()(const std::string& text) const {
      sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
  };
  std::visit(Answer{context}, *result);
}

void call_function(sqlite3_context* context, int count, sqlite3_value** values) {
  const auto& function = *static_cast<ScalarFunction*>(sqlite3_user_data(context));
  answer(context, function(to_scalars(count, values)));
}

// SQLite gives each group zeroed memory for one pointer to its running aggregate.
void step_aggregate(sqlite3_context* context, int count, sqlite3_value** values) {
  auto** slot = static_cast<Aggregate**>(sqlite3_aggregate_context(context, sizeof(Aggregate*)));
  if (slot == nullptr) return sqlite3_result_error_nomem(context);
  if (*slot == nullptr) {
    *slot = (*static_cast<AggregateFactory*>(sqlite3_user_data(context)))().release();
  }
  const auto added = (*slot)->add(to_scalars(count, values));
  if (!added) sqlite3_result_error(context, added.error().message.c_str(), -1);
}

// Called once for each group, after an error too: here the aggregate is freed.
void finish_aggregate(sqlite3_context* context) {
  auto** slot = static_cast<Aggregate**>(sqlite3_aggregate_context(context, 0));
  std::unique_ptr<Aggregate> aggregate;
  if (slot == nullptr || *slot == nullptr) {
    aggregate = (*static_cast<AggregateFactory*>(sqlite3_user_data(context)))();
  } else {
    aggregate.reset(std::exchange(*slot, nullptr));
  }
  answer(context, aggregate->finish());
}

template <class T>
void destroy(void* object) {
  delete static_cast<T*>(object);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(std::exchange(other.bind_error_, 0)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(statement_);
    database_ = std::exchange(other.database_, nullptr);
    statement_ = std::exchange(other.statement_, nullptr);
    bind_error_ = std::exchange(other.bind_error_, 0);
  }
  return *this;
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::check_bound(int code) {
  if (code != SQLITE_OK && bind_error_ == 0) bind_error_ = code;
}

void Statement::bind_null(int parameter) {
  check_bound(sqlite3_bind_null(statement_, parameter));
}
void Statement::bind(int parameter, std::int64_t value) {
  check_bound(sqlite3_bind_int64(statement_, parameter, value));
}
void Statement::bind(int parameter, double value) {
  check_bound(sqlite3_bind_double(statement_, parameter, value));
}
void Statement::bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL.
  check_bound(sqlite3_bind_text64(statement_, parameter, text.data() == nullptr ? "" : text.data(),
                                  text.size(), SQLITE_STATIC, SQLITE_UTF8));
}
void Statement::bind_copy(int parameter, std::string_view text) {
  check_bound(sqlite3_bind_text64(statement_, parameter, text.data() == nullptr ? "" : text.data(),
                                  text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::bind(int parameter, const std::optional<std::int64_t>& value) {
  value ? bind(parameter, *value) : bind_null(parameter);
}
void Statement::bind(int parameter, const std::optional<std::string>& text) {
  text ? bind(parameter, std::string_view(*text)) : bind_null(parameter);
}

int Statement::parameter(const char* name) const {
  return sqlite3_bind_parameter_index(statement_, name);
}
int Statement::parameter_count() const {
  return sqlite3_bind_parameter_count(statement_);
}

Result<bool> Statement::step() {
  check(statement_ != nullptr, "a statement is prepared before it is run");
  if (bind_error_ != 0) return candlewick::fail(database_->error_of(bind_error_));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return candlewick::fail(database_->error_of(code));
}

Result<void> Statement::run() {
  const auto stepped = step();
  reset();
  if (!stepped) return candlewick::fail(stepped.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_);
  bind_error_ = 0;
}

int Statement::column_count() const {
  return sqlite3_column_count(statement_);
}
std::string_view Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(statement_, column);
  return name == nullptr ? std::string_view{} : std::string_view(name);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
double Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}
std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}
std::optional<std::string> Statement::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return std::string(text(column));
}
std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

Result<std::unique_ptr<Database>> Database::open(const Options& options) {
  std::unique_ptr<Database> database(new Database);
  database->path_ = options.path;
  const int access = options.read_only ? SQLITE_OPEN_READONLY
                     : options.create  ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                       : SQLITE_OPEN_READWRITE;
  const int code = sqlite3_open_v2(options.path.c_str(), &database->handle_,
                                   access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) return fail(database->error_of(code));
  if (auto configured = database->configure(options); !configured) {
    return fail(std::move(configured.error()));
  }
  return database;
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

Result<void> Database::configure(const Options& options) {
  using std::chrono::milliseconds;
  sqlite3_busy_timeout(
      handle_, static_cast<int>(std::chrono::ceil<milliseconds>(options.busy_timeout).count()));
  std::string pragmas = "PRAGMA foreign_keys = ON;";
  if (options.cache_bytes > 0) {
    pragmas += fmt::format("PRAGMA cache_size = -{};", options.cache_bytes / 1024);
  }
  if (!options.read_only) {
    if (options.page_size > 0) pragmas += fmt::format("PRAGMA page_size = {};", options.page_size);
    if (options.write_ahead_log) pragmas += "PRAGMA journal_mode = WAL;";
    pragmas += options.synchronous == Synchronous::full ? "PRAGMA synchronous = FULL;"
                                                        : "PRAGMA synchronous = NORMAL;";
    if (options.checkpoint_pages > 0) {
      pragmas += fmt::format("PRAGMA wal_autocheckpoint = {};", options.checkpoint_pages);
    }
    if (options.max_pages > 0) {
      pragmas += fmt::format("PRAGMA max_page_count = {};", options.max_pages);
    }
  }
  if (auto set = execute(pragmas); !set) return set;
  // A file that is no database is noticed only when it is read.
  return execute("SELECT count(*) FROM sqlite_schema");
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) return fail(error_of(code));
  return Statement(this, prepared);
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_of(code));
  return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(std::move(statement.error()));
  const auto stepped = statement->step();
  if (!stepped) return fail(stepped.error());
  return *stepped ? statement->integer(0) : std::int64_t{0};
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}
bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

Result<void> Database::add_function(const std::string& name, int arguments,
                                    ScalarFunction function) {
  const int code = sqlite3_create_function_v2(
      handle_, name.c_str(), arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
      new ScalarFunction(std::move(function)), call_function, nullptr, nullptr,
      destroy<ScalarFunction>);
  if (code != SQLITE_OK) return fail(error_of(code));
  return {};
}

Result<void> Database::add_aggregate(const std::string& name, int arguments,
                                     AggregateFactory factory) {
  const int code = sqlite3_create_function_v2(
      handle_, name.c_str(), arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
      new AggregateFactory(std::move(factory)), nullptr, step_aggregate, finish_aggregate,
      destroy<AggregateFactory>);
  if (code != SQLITE_OK) return fail(error_of(code));
  return {};
}

Error Database::error_of(int code) const {
  const std::string detail = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
  const auto error = [&](ErrorKind kind, std::string_view what) {
    return Error{kind, fmt::format("{}: {} ({})", path_.string(), what, detail)};
  };
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return error(ErrorKind::transient, "the disk is full");
    case SQLITE_IOERR:
      return error(ErrorKind::transient, "reading or writing the disk failed");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(ErrorKind::transient, "locked by another writer");
    case SQLITE_NOMEM:
      return error(ErrorKind::transient, "out of memory");
    case SQLITE_INTERRUPT:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
    case SQLITE_ABORT:
      return error(ErrorKind::transient, "interrupted");
    case SQLITE_CORRUPT:
      return error(ErrorKind::misconfigured, "the file is damaged");
    case SQLITE_NOTADB:
      return error(ErrorKind::misconfigured, "the file is no SQLite database");
    case SQLITE_CANTOPEN:
      return error(ErrorKind::misconfigured, "the file cannot be opened");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(ErrorKind::misconfigured, "the file may not be written");
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
      return error(ErrorKind::rejected, "a value was refused");
    default:
      return error(ErrorKind::misconfigured, "SQL error");
  }
}

Result<void> prepare_all(Database& database, std::initializer_list<Plan> plans) {
  for (const auto& plan : plans) {
    auto prepared = database.prepare(plan.sql);
    if (!prepared) return fail(std::move(prepared.error()));
    plan.statement = std::move(*prepared);
  }
  return {};
}

Transaction::Transaction(Database& database) : database_(database) {
  if (auto begun = database_.execute("BEGIN IMMEDIATE"); !begun) {
    error_ = std::move(begun.error());
  } else {
    is_open_ = true;
  }
}

// SQLite has rolled back by itself after some errors.
Transaction::~Transaction() {
  if (is_open_ && database_.in_transaction()) {
    static_cast<void>(database_.execute("ROLLBACK"));
  }
}

void Transaction::execute(const std::string& sql) {
  if (ok()) check(database_.execute(sql));
}

void Transaction::run(Statement& statement) {
  if (ok()) {
    check(statement.run());
  } else {
    statement.reset();
  }
}

void Transaction::fail(Error error) {
  if (ok()) error_ = std::move(error);
}

void Transaction::check(const Result<void>& outcome) {
  if (!outcome) fail(outcome.error());
}

Result<void> Transaction::commit() {
  if (ok()) check(database_.execute("COMMIT"));
  if (!ok()) return candlewick::fail(*error_);
  is_open_ = false;
  return {};
}

}  // namespace candlewick::sqlite
