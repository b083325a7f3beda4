// The table of PostgREST's errors: https://docs.postgrest.org/en/stable/references/errors.html
// (read 2026-10-02). Gateways before it answer with HTML or with words of their own, so nothing
// about a body is taken for granted.
#include "sink/supabase_reply.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "base/json.h"
#include "postgres/binary.h"

namespace candlewick::sink {
namespace {

constexpr Duration longest_retry_after = std::chrono::hours{1};
constexpr std::size_t shown_characters = 300;
constexpr std::string_view reload = "notify pgrst, 'reload schema';";
constexpr std::string_view all_of_it = "(all of it: candlewick migrate supabase --print)";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string qualified(const SupabaseTable& table, std::string_view schema) {
  return fmt::format("{}.{}", schema, table.name);
}

// The text between the first pair of that mark.
std::string quoted_in(std::string_view text, char mark) {
  const auto first = text.find(mark);
  if (first == std::string_view::npos) return {};
  const auto last = text.find(mark, first + 1);
  if (last == std::string_view::npos) return {};
  return std::string(text.substr(first + 1, last - first - 1));
}

std::string shown(const SupabaseReply& reply) {
  if (!reply.message.empty()) {
    std::string words = reply.message;
    if (!reply.details.empty()) words += "; " + reply.details;
    if (words.size() > shown_characters) words.resize(shown_characters);
    return reply.code.empty() ? words : fmt::format("{} ({})", words, reply.code);
  }
  return fmt::format("HTTP {}", reply.status);
}

// "table public.market_ticks: ", or nothing.
std::string place(const SupabaseTable* table, std::string_view schema) {
  return table == nullptr ? std::string{} : fmt::format("table {}: ", qualified(*table, schema));
}

Error misconfigured(std::string message) {
  return {ErrorKind::misconfigured, std::move(message)};
}
Error transient(std::string message) {
  return {ErrorKind::transient, std::move(message)};
}
Error rejected(std::string message) {
  return {ErrorKind::rejected, std::move(message)};
}

// 42501: PostgreSQL says in words which of its two gates was closed.
Error no_right(const SupabaseReply& reply, const SupabaseTable* table, std::string_view schema) {
  if (contains(reply.message, "row-level security")) {
    return misconfigured(fmt::format(
        "{}{}: the key's role is held to the Row-Level Security policies; the sink needs the "
        "service_role key or a secret key (sb_secret_...), whose role bypasses them",
        place(table, schema), shown(reply)));
  }
  if (contains(reply.message, "permission denied for schema")) {
    return misconfigured(fmt::format("{}{}; run: grant usage on schema {} to service_role; {}",
                                     place(table, schema), shown(reply), schema, all_of_it));
  }
  if (contains(reply.message, "permission denied for sequence")) {
    return misconfigured(fmt::format(
        "{}{}; run: grant usage, select on sequence {}.{} to service_role;", place(table, schema),
        shown(reply), schema, reply.message.substr(reply.message.rfind(' ') + 1)));
  }
  if (table == nullptr) return misconfigured(shown(reply));
  return misconfigured(fmt::format("{}{}; run: {} {}", place(table, schema), shown(reply),
                                   sql_for_grant(*table, schema), all_of_it));
}

Error refused_key(const SupabaseReply& reply) {
  if (contains(reply.message, "expired")) {
    return misconfigured(fmt::format(
        "{}: the key has expired by the project's clock; set SUPABASE_SERVICE_ROLE_KEY to a key "
        "that is valid (Project Settings, API Keys)",
        shown(reply)));
  }
  // The key is young or a clock is wrong: time mends both or somebody has to.
  if (contains(reply.message, "future") || contains(reply.message, "not yet valid") ||
      contains(reply.message, "not active")) {
    return transient(fmt::format(
        "{}: by the project's clock the key is not valid yet; if this lasts, the clock of "
        "whatever signed the key (for a self-hosted project: this machine's or the server's) is "
        "wrong",
        shown(reply)));
  }
  return misconfigured(fmt::format(
      "{}: the project does not accept SUPABASE_SERVICE_ROLE_KEY; it must be this project's "
      "service_role key or one of its secret keys (sb_secret_...), and not a deleted one",
      shown(reply)));
}

// A null where the table allows none: only our own required columns can be a row's fault.
Error null_refused(const SupabaseReply& reply, const SupabaseTable& table,
                   std::string_view schema) {
  const std::string column = quoted_in(reply.message, '"');
  const auto* ours = table.find(column);
  const auto index = ours == nullptr ? schema::Table::npos : table.from->index_of(ours->source);
  if (column.empty() || (index != schema::Table::npos && !table.from->columns[index].nullable)) {
    return rejected(place(&table, schema) + shown(reply));
  }
  return misconfigured(fmt::format(
      "{}{}: rows may lack it; run: alter table {} alter column {} drop not null; {}",
      place(&table, schema), shown(reply), qualified(table, schema), column, all_of_it));
}

Error missing_table(const SupabaseReply& reply, const SupabaseTable* table,
                    std::string_view schema) {
  if (reply.code.empty() || table == nullptr) {
    return misconfigured(
        fmt::format("{}{}: SUPABASE_URL is not the address of a project's Data API "
                    "(https://PROJECT.supabase.co)",
                    place(table, schema), shown(reply)));
  }
  return misconfigured(fmt::format(
      "{}{}; run the SQL that candlewick migrate supabase --print shows, or, if the table is "
      "there: {}",
      place(table, schema), shown(reply), reload));
}

// By PostgreSQL's own code; nullopt: the HTTP status decides.
std::optional<Error> by_code(const SupabaseReply& reply, const SupabaseTable* table,
                             std::string_view schema) {
  const std::string_view code = reply.code;
  if (code == "42501") return no_right(reply, table, schema);
  if (code.starts_with("PGRST30")) return refused_key(reply);
  if (code == "PGRST106") {
    return misconfigured(
        fmt::format("{}; add the schema {} to the exposed schemas (Project Settings, Data API) or "
                    "set supabase.schema",
                    shown(reply), schema));
  }
  if (code == "25006") {
    return transient(
        fmt::format("{}: the database is read-only, as it is when its disk is full; see the "
                    "project's database settings",
                    shown(reply)));
  }
  if (reply.is_missing_column() && table != nullptr) {
    const std::string column = reply.missing_column();
    return misconfigured(fmt::format("{}{}; run: {} {}", place(table, schema), shown(reply),
                                     sql_for_column(*table, column, schema), all_of_it));
  }
  if (code == "42P10" && table != nullptr) {
    return misconfigured(fmt::format("{}{}: it lacks its natural key; run: {} {}",
                                     place(table, schema), shown(reply),
                                     sql_for_key(*table, schema), all_of_it));
  }
  if (code == "55000" && contains(reply.message, "replica identity") && table != nullptr) {
    return misconfigured(fmt::format("{}{}; run: alter table {} replica identity full; {}",
                                     place(table, schema), shown(reply), qualified(*table, schema),
                                     all_of_it));
  }
  if (code == "23502" && table != nullptr) return null_refused(reply, *table, schema);
  // Deadlocks and serialisation; the server is stopping, starting, or out of something.
  for (const std::string_view passing : {"08", "0A", "40", "53", "54", "55", "57", "58", "XX"}) {
    if (code.size() == 5 && code.starts_with(passing)) {
      return transient(place(table, schema) + shown(reply));
    }
  }
  // Something of the database's own: a function, a trigger, a type that is not there.
  if (code.size() == 5 && code.starts_with("42") && !reply.is_missing()) {
    return misconfigured(place(table, schema) + shown(reply));
  }
  // The data: literals, constraints, what a user's own trigger raises.
  for (const std::string_view data : {"21", "22", "23", "P0"}) {
    if (code.size() == 5 && code.starts_with(data)) {
      return rejected(place(table, schema) + shown(reply));
    }
  }
  return std::nullopt;
}

Error by_status(const SupabaseReply& reply, const SupabaseTable* table, std::string_view schema) {
  const int status = reply.status;
  const std::string where = place(table, schema);
  if (status == 404 || status == 410) return missing_table(reply, table, schema);
  if (status >= 300 && status < 400) {
    return misconfigured(
        fmt::format("{}HTTP {}, a redirect: set SUPABASE_URL to where it leads", where, status));
  }
  if (status == 540) {
    return transient(where + "HTTP 540: the project is paused; resume it in the dashboard");
  }
  if (status == 429) return transient(where + "HTTP 429: too many requests");
  if (reply.is_html) {
    return transient(
        fmt::format("{}HTTP {} with a page instead of PostgREST's answer: a gateway or a proxy "
                    "stands in between",
                    where, status));
  }
  if (status == 401 || status == 403) return refused_key(reply);
  if (status == 413) return rejected(fmt::format("{}{}: too large", where, shown(reply)));
  if (status == 400 || status == 409 || status == 422) {
    // Our own syntax, or a class of SQLSTATE that nobody has met yet: not the rows' fault alone,
    // but only by setting rows aside do the others go on.
    return rejected(where + shown(reply));
  }
  if (status == 405 || status == 406 || status == 415) return misconfigured(where + shown(reply));
  return transient(where + shown(reply));
}

}  // namespace

bool SupabaseReply::is_already_written(const SupabaseTable& table) const {
  if (!is_unique_violation()) return false;
  // "Key (exchange, symbol, window_interval, exchange_ts)=(…) already exists."
  const auto first = details.find('(');
  const auto last = details.find(")=");
  if (first == std::string::npos || last == std::string::npos || last < first) return false;
  std::string_view names = std::string_view(details).substr(first + 1, last - first - 1);
  std::size_t matched = 0;
  while (!names.empty()) {
    const auto comma = names.find(", ");
    std::string_view name = names.substr(0, comma);
    if (name.size() > 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
    if (std::ranges::find(table.key, name) == table.key.end()) return false;
    ++matched;
    names = comma == std::string_view::npos ? std::string_view{} : names.substr(comma + 2);
  }
  return matched == table.key.size();
}

bool SupabaseReply::is_missing() const {
  return status == 404 || code == "42P01" || code == "PGRST205" || code == "PGRST202";
}

bool SupabaseReply::is_missing_column() const {
  return code == "PGRST204" || code == "42703";
}

// PGRST204: Could not find the 'macd' column of 'technical_indicators' in the schema cache
// 42703: column technical_indicators.macd does not exist
std::string SupabaseReply::missing_column() const {
  if (code == "PGRST204") return quoted_in(message, '\'');
  std::string name = quoted_in(message, '"');
  if (name.empty() && message.starts_with("column ")) {
    name = message.substr(7, message.find(' ', 7) - 7);
  }
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

SupabaseReply read_supabase_reply(const net::HttpResponse& response, Time now) {
  SupabaseReply reply{.status = response.status, .body = response.body};
  const std::string_view type = response.headers.get("Content-Type");
  const auto begins = reply.body.find_first_not_of(" \t\r\n");
  const bool begins_tag = begins != std::string::npos && reply.body[begins] == '<';
  reply.is_html = type.starts_with("text/html") || begins_tag;
  if (const auto value = response.headers.find("Retry-After")) {
    reply.retry_after = parse_retry_after(*value, now);
  }
  if (reply.is_html || response.status < 300 || begins == std::string::npos ||
      reply.body[begins] != '{') {
    return reply;
  }
  json::Reader reader;
  const auto read = reader.read(reply.body, [&](json::Value root) {
    root.members([&](std::string_view name, json::Value value) {
      if (value.type() != json::Type::string) return;
      if (name == "code") reply.code = value.string();
      if (name == "message" || name == "error" || name == "msg") reply.message = value.string();
      if (name == "details") reply.details = value.string();
      if (name == "hint") reply.hint = value.string();
    });
  });
  if (!read) reply.code = reply.message = reply.details = reply.hint = "";
  return reply;
}

std::optional<Duration> parse_retry_after(std::string_view text, Time now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size()) {
    std::tm parts{};
    const std::string copy(text);
    const char* const last = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (last == nullptr || *last != '\0') return std::nullopt;
    seconds = ::timegm(&parts) - to_ms(now) / 1000;
  }
  seconds = std::clamp<std::int64_t>(
      seconds, 0, std::chrono::duration_cast<std::chrono::seconds>(longest_retry_after).count());
  return std::chrono::seconds{seconds};
}

Error supabase_error(const SupabaseReply& reply, const SupabaseTable* table,
                     std::string_view schema) {
  auto error = by_code(reply, table, schema).value_or(Error{});
  if (error.message.empty()) error = by_status(reply, table, schema);
  return error;
}

std::string sql_for_column(const SupabaseTable& table, std::string_view column,
                           std::string_view schema) {
  const auto* known = table.find(column);
  const std::string_view type = known == nullptr ? "text" : postgres::type_name(known->type);
  return fmt::format("alter table {} add column if not exists {} {}; {}", qualified(table, schema),
                     column, type, reload);
}

std::string sql_for_grant(const SupabaseTable& table, std::string_view schema) {
  return fmt::format("grant select, insert, update on {} to service_role;",
                     qualified(table, schema));
}

std::string sql_for_key(const SupabaseTable& table, std::string_view schema) {
  return fmt::format("alter table {} add unique ({});", qualified(table, schema),
                     fmt::join(table.key, ", "));
}

}  // namespace candlewick::sink
