// libpq's interface behind plain types. Connecting is stepped by hand: only so can its errors be
// had with their codes, which decide whether trying again is of any use.
#include "postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "postgres/binary.h"
#include "postgres/error.h"

namespace candlewick::postgres {
namespace {

using schema::Value;

constexpr std::size_t max_statements = 200;
constexpr std::size_t copy_piece = std::size_t{256} << 10;

struct FreeConninfo {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Conninfo = std::unique_ptr<PQconninfoOption, FreeConninfo>;

std::string_view option(const Conninfo& options, std::string_view keyword) {
  for (const auto* entry = options.get(); entry->keyword != nullptr; ++entry) {
    if (entry->keyword == keyword && entry->val != nullptr) return entry->val;
  }
  return {};
}

// libpq's own message about a URL repeats it, password and all: only what comes before is told.
Result<Conninfo> parse_url(const Secret& url) {
  char* message = nullptr;
  Conninfo options(PQconninfoParse(url.reveal().c_str(), &message));
  if (options && option(options, "host").find('@') != std::string_view::npos) {
    return fail(ErrorKind::misconfigured,
                "the database URL has two @: write %40 for the one in the password");
  }
  if (options) return options;
  std::string words = message == nullptr ? "cannot be read" : message;
  PQfreemem(message);
  // A message that quotes anything may quote a part of the password.
  if (const auto quote = words.find_first_of("\"'"); quote != std::string::npos)
    words.resize(quote);
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ' || words.back() == ':')) {
    words.pop_back();
  }
  return fail(ErrorKind::misconfigured,
              "the database URL cannot be read ({}); it looks like "
              "postgres://user:password@host:5432/database",
              words);
}

std::string shown(const Conninfo& options) {
  const auto host = option(options, "host");
  const auto port = option(options, "port");
  const auto database = option(options, "dbname");
  const auto user = option(options, "user");
  std::string text = fmt::format("PostgreSQL at {}", host.empty() ? "the local socket" : host);
  if (!port.empty()) text += fmt::format(":{}", port);
  if (!database.empty()) text += fmt::format(", database {}", database);
  if (!user.empty()) text += fmt::format(", user {}", user);
  return text;
}

char type_letter(const Value& value) {
  return static_cast<char>('a' + value.index());
}

// Texts are left to the server, so that they can be dates or enumerations too.
Oid type_of(const Value& value) {
  struct Typed {
    Oid operator()(schema::Null) const { return 0; }
    Oid operator()(bool) const { return type::boolean; }
    Oid operator()(std::int64_t) const { return type::int8; }
    Oid operator()(double) const { return type::float8; }
    Oid operator()(Decimal) const { return type::numeric; }
    Oid operator()(Time) const { return type::timestamptz; }
    Oid operator()(const std::string&) const { return 0; }
    Oid operator()(const schema::Json&) const { return type::jsonb; }
  };
  return std::visit(Typed{}, value);
}

void ignore_notice(void*, const PGresult*) {}

struct Places {
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

// Pointers into `bytes` are taken once it does not grow any more.
Places place(std::span<const Value> parameters, std::string& bytes) {
  Places places;
  std::vector<std::size_t> starts;
  bytes.clear();
  for (const auto& value : parameters) {
    starts.push_back(bytes.size());
    const bool is_text = std::holds_alternative<std::string>(value);
    if (!schema::is_null(value)) append_value(bytes, value);
    places.lengths.push_back(static_cast<int>(bytes.size() - starts.back()));
    places.formats.push_back(is_text ? 0 : 1);
    bytes += '\0';  // ends a text
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    places.values.push_back(schema::is_null(parameters[i]) ? nullptr : bytes.data() + starts[i]);
  }
  return places;
}

Duration connect_timeout(const Conninfo& parsed, Duration otherwise) {
  const auto text = option(parsed, "connect_timeout");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || seconds <= 0) return otherwise;
  return std::chrono::seconds{seconds};
}

}  // namespace

Result<std::string> shown_target(const Secret& url) {
  const auto options = parse_url(url);
  if (!options) return fail(options.error());
  return shown(*options);
}

void Rows::Free::operator()(pg_result* result) const {
  PQclear(result);
}
std::size_t Rows::size() const {
  return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0;
}
std::size_t Rows::columns() const {
  return result_ ? static_cast<std::size_t>(PQnfields(result_.get())) : 0;
}
bool Rows::is_null(std::size_t row, std::size_t column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}
Result<Value> Rows::value(std::size_t row, std::size_t column, schema::ColumnType wanted) const {
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  if (PQgetisnull(result_.get(), r, c) != 0) return Value{};
  const std::string_view bytes(PQgetvalue(result_.get(), r, c),
                               static_cast<std::size_t>(PQgetlength(result_.get(), r, c)));
  auto cell = read_value(bytes, PQftype(result_.get(), c), wanted);
  if (!cell) return within(PQfname(result_.get(), c), std::move(cell.error()));
  return cell;
}
std::int64_t Rows::integer(std::size_t row, std::size_t column) const {
  const auto cell = value(row, column, schema::ColumnType::integer);
  const auto* number = cell ? std::get_if<std::int64_t>(&*cell) : nullptr;
  return number == nullptr ? 0 : *number;
}
std::string Rows::text(std::size_t row, std::size_t column) const {
  return optional_text(row, column).value_or("");
}
std::optional<std::string> Rows::optional_text(std::size_t row, std::size_t column) const {
  auto cell = value(row, column, schema::ColumnType::text);
  auto* words = cell ? std::get_if<std::string>(&*cell) : nullptr;
  return words == nullptr ? std::nullopt : std::optional(std::move(*words));
}
std::int64_t Rows::changes() const {
  if (!result_) return 0;
  const std::string_view count = PQcmdTuples(result_.get());
  std::int64_t changed = 0;
  std::from_chars(count.data(), count.data() + count.size(), changed);
  return changed;
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
  std::unique_ptr<Connection> connection(new Connection);
  if (auto connected = connection->connect(options); !connected) {
    return fail(std::move(connected.error()));
  }
  if (auto configured = connection->configure(options); !configured) {
    return within(connection->target_, std::move(configured.error()));
  }
  return connection;
}

Connection::~Connection() {
  PQfinish(handle_);
}

Result<void> Connection::connect(const Options& options) {
  auto parsed = parse_url(options.url);
  if (!parsed) return candlewick::fail(std::move(parsed.error()));
  target_ = shown(*parsed);
  // What stands before the URL is a default, what stands behind it counts always. A peer that is
  // gone without a word is noticed within half a minute.
  const std::array<const char*, 9> keywords{
      "keepalives_idle",  "keepalives_interval",       "keepalives_count",
      "tcp_user_timeout", "fallback_application_name", "dbname",
      "client_encoding",  "connect_timeout",           nullptr};
  const std::array<const char*, 9> values{
      "15",   "5", "3",    "30000", options.application_name.c_str(), options.url.reveal().c_str(),
      "UTF8", "",  nullptr};
  handle_ = PQconnectStartParams(keywords.data(), values.data(), 1);
  if (handle_ == nullptr) return candlewick::fail(ErrorKind::transient, "out of memory");
  PQsetErrorVerbosity(handle_, PQERRORS_VERBOSE);
  PQsetNoticeReceiver(handle_, ignore_notice, nullptr);
  const RealClock clock;
  const SteadyTime deadline = clock.steady() + connect_timeout(*parsed, options.connect_timeout);
  auto step = PQstatus(handle_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_FAILED) {
      return candlewick::fail(connection_error(PQerrorMessage(handle_), target_));
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.steady());
    pollfd waiting{.fd = PQsocket(handle_),
                   .events = static_cast<short>(step == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                   .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      return candlewick::fail(ErrorKind::transient, "{}: does not answer", target_);
    }
    step = PQconnectPoll(handle_);
  }
  PQsetErrorVerbosity(handle_, PQERRORS_DEFAULT);
  return {};
}

Result<void> Connection::configure(const Options& options) {
  schema_ = options.schema;
  std::string script =
      fmt::format("SET search_path = {}; SET TIME ZONE 'UTC'", quoted_name(options.schema));
  if (options.statement_timeout > Duration::zero()) {
    script += fmt::format("; SET statement_timeout = {}",
                          options.statement_timeout / std::chrono::milliseconds{1});
  }
  if (options.read_only) script += "; SET default_transaction_read_only = on";
  return run(script);
}

Error Connection::error_of(pg_result* result) {
  const auto field = [result](int code) -> std::string_view {
    const char* text = result == nullptr ? nullptr : PQresultErrorField(result, code);
    return text == nullptr ? std::string_view{} : std::string_view(text);
  };
  const std::string_view code = field(PG_DIAG_SQLSTATE);
  if (code.empty()) {
    // libpq itself: nearly always that the connection was lost.
    Error error = connection_error(PQerrorMessage(handle_), target_);
    if (PQstatus(handle_) == CONNECTION_BAD) error.kind = ErrorKind::transient;
    return error;
  }
  Error error{kind_of(code), std::string(field(PG_DIAG_MESSAGE_PRIMARY))};
  if (const auto detail = field(PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    error.message += fmt::format(" ({})", detail);
  }
  error.message += fmt::format(" [{}]", code);
  if (code == "25006" && is_replica()) error.message += ": the server is a read-only replica";
  return error;
}

Result<Rows> Connection::finish(pg_result* result, std::string_view statement) {
  Rows rows(result);
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      return rows;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
      return candlewick::fail(ErrorKind::misconfigured, "COPY is run by copy(): {}", statement);
    default:
      return candlewick::fail(error_of(result));
  }
}

Result<Rows> Connection::query(std::string_view sql, std::initializer_list<Value> parameters) {
  return query(sql, std::span(parameters.begin(), parameters.size()));
}

Result<Rows> Connection::query(std::string_view sql, std::span<const Value> parameters) {
  key_.assign(sql);
  key_ += '\0';
  for (const auto& value : parameters) key_ += type_letter(value);
  auto found = statements_.find(key_);
  if (found == statements_.end()) {
    if (statements_.size() >= max_statements) {
      if (auto forgotten = run("DEALLOCATE ALL"); !forgotten) {
        return candlewick::fail(std::move(forgotten.error()));
      }
      statements_.clear();
    }
    std::vector<Oid> types;
    for (const auto& value : parameters) types.push_back(type_of(value));
    const std::string name = fmt::format("s{}", next_statement_++);
    auto prepared = finish(PQprepare(handle_, name.c_str(), std::string(sql).c_str(),
                                     static_cast<int>(types.size()), types.data()),
                           sql);
    if (!prepared) return prepared;
    found = statements_.emplace(key_, name).first;
  }
  const Places places = place(parameters, scratch_);
  return finish(
      PQexecPrepared(handle_, found->second.c_str(), static_cast<int>(parameters.size()),
                     places.values.data(), places.lengths.data(), places.formats.data(), 1),
      sql);
}

Result<void> Connection::run(const std::string& script) {
  const auto done = finish(PQexec(handle_, script.c_str()), script);
  if (!done) return candlewick::fail(done.error());
  return {};
}

Result<std::int64_t> Connection::copy(const std::string& statement, std::string_view bytes) {
  {
    pg_result* begun = PQexec(handle_, statement.c_str());
    const bool is_ready = PQresultStatus(begun) == PGRES_COPY_IN;
    auto answer = is_ready ? Result<Rows>(Rows(begun)) : finish(begun, statement);
    if (!answer) return candlewick::fail(std::move(answer.error()));
    if (!is_ready) {
      return candlewick::fail(ErrorKind::misconfigured, "no COPY FROM STDIN: {}", statement);
    }
  }
  bool is_sent = true;
  for (std::size_t at = 0; is_sent && at < bytes.size(); at += copy_piece) {
    const auto piece = bytes.substr(at, copy_piece);
    is_sent = PQputCopyData(handle_, piece.data(), static_cast<int>(piece.size())) == 1;
  }
  if (is_sent) is_sent = PQputCopyEnd(handle_, nullptr) == 1;
  // The last answer that is an error tells; without one, how many rows it was.
  Result<std::int64_t> copied = std::int64_t{0};
  while (pg_result* result = PQgetResult(handle_)) {
    auto rows = finish(result, statement);
    if (!rows) {
      copied = candlewick::fail(std::move(rows.error()));
    } else if (copied) {
      copied = rows->changes();
    }
    if (PQstatus(handle_) == CONNECTION_BAD) break;
  }
  if (!is_sent && copied) return candlewick::fail(error_of(nullptr));
  return copied;
}

bool Connection::is_usable() const {
  return PQstatus(handle_) == CONNECTION_OK;
}
bool Connection::in_transaction() const {
  const auto status = PQtransactionStatus(handle_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}
int Connection::server_version() const {
  return PQserverVersion(handle_);
}
bool Connection::is_replica() const {
  // Reported by the server itself since version 14.
  const char* standby = PQparameterStatus(handle_, "in_hot_standby");
  return standby != nullptr && std::string_view(standby) == "on";
}
int Connection::backend_pid() const {
  return PQbackendPID(handle_);
}

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace candlewick::postgres
