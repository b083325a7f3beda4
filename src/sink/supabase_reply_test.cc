// Answers as PostgREST and the gateways before it give them, and what each means.
#include "sink/supabase_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candlewick::sink {
namespace {

using ::testing::HasSubstr;

struct Case {
  std::string name;
  int status;
  std::string body;
  ErrorKind kind;
  std::string words;  // that its message must hold
};

std::string said(std::string_view code, std::string_view message, std::string_view details = "") {
  return fmt::format(R"({{"code":"{}","message":"{}","details":"{}","hint":null}})", code, message,
                     details);
}

constexpr ErrorKind transient = ErrorKind::transient;
constexpr ErrorKind misconfigured = ErrorKind::misconfigured;
constexpr ErrorKind rejected = ErrorKind::rejected;

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"no grant", 403, said("42501", "permission denied for table market_ticks"), misconfigured,
       "run: grant select, insert, update on public.market_ticks to service_role;"},
      {"no grant, anonymous", 401, said("42501", "permission denied for table market_ticks"),
       misconfigured, "grant select, insert, update"},
      {"no schema", 403, said("42501", "permission denied for schema public"), misconfigured,
       "run: grant usage on schema public to service_role;"},
      {"no sequence", 403, said("42501", "permission denied for sequence market_ticks_id_seq"),
       misconfigured, "grant usage, select on sequence public.market_ticks_id_seq"},
      {"policy", 403,
       said("42501", R"(new row violates row-level security policy for table \"market_ticks\")"),
       misconfigured, "the sink needs the service_role key"},
      {"expired", 401, said("PGRST303", "JWT expired"), misconfigured, "has expired"},
      {"expired, older server", 401, said("PGRST301", "JWT expired"), misconfigured, "has expired"},
      {"clock", 401, said("PGRST303", "JWT issued at future"), transient, "clock"},
      {"wrong signature", 401, said("PGRST301", "No suitable key or wrong key type"), misconfigured,
       "does not accept SUPABASE_SERVICE_ROLE_KEY"},
      {"gateway, wrong key", 401, R"({"message":"Invalid API key","hint":"Double check"})",
       misconfigured, "Invalid API key: the project does not accept"},
      {"gateway, plain words", 401, "Unauthorized", misconfigured, "HTTP 401"},
      {"missing table", 404,
       said("PGRST205", "Could not find the table 'public.market_ticks' in the schema cache"),
       misconfigured, "candlewick migrate supabase --print"},
      {"missing table, uncached", 404,
       said("42P01", R"(relation \"public.market_ticks\" does not exist)"), misconfigured,
       "notify pgrst, 'reload schema'"},
      {"wrong address", 404, "<html><body>nothing here</body></html>", misconfigured,
       "SUPABASE_URL"},
      {"redirect", 301, "", misconfigured, "SUPABASE_URL"},
      {"missing column", 400,
       said("PGRST204",
            "Could not find the 'last_price' column of 'market_ticks' in the schema cache"),
       misconfigured,
       "alter table public.market_ticks add column if not exists last_price numeric"},
      {"missing column, in a read", 400,
       said("42703", "column market_ticks.candle_time does not exist"), misconfigured,
       "add column if not exists candle_time timestamptz;"},
      {"no key", 400,
       said("42P10",
            "there is no unique or exclusion constraint matching the ON CONFLICT specification"),
       misconfigured,
       "run: alter table public.market_ticks add unique (exchange, symbol, window_interval, "
       "exchange_ts);"},
      {"schema not served", 406, said("PGRST106", "Invalid schema: public"), misconfigured,
       "exposed schemas"},
      {"replica identity", 500,
       said("55000", "cannot update table because it does not have a replica identity"),
       misconfigured, "replica identity full;"},
      {"broken trigger", 400, said("42883", "function f() does not exist"), misconfigured, "42883"},
      {"null where rows may lack it", 400,
       said(
           "23502",
           R"(null value in column \"market_cap\" of relation \"market_ticks\" violates not-null)"),
       misconfigured, "alter column market_cap drop not null;"},
      {"null of a stranger's column", 400,
       said(
           "23502",
           R"(null value in column \"fetched_by\" of relation \"market_ticks\" violates not-null)"),
       misconfigured, "alter column fetched_by drop not null;"},
      {"null of the key", 400,
       said("23502",
            R"(null value in column \"symbol\" of relation \"market_ticks\" violates not-null)"),
       rejected, "symbol"},
      {"bad literal", 400, said("22P02", "invalid input syntax for type numeric"), rejected,
       "22P02"},
      {"check", 400, said("23514", "new row violates check constraint"), rejected, "23514"},
      {"foreign key", 409, said("23503", "violates foreign key constraint"), rejected, "23503"},
      {"another unique key", 409, said("23505", "duplicate key value", "Key (id)=(1) exists."),
       rejected, "Key (id)"},
      {"twice in a request", 500, said("21000", "cannot affect row a second time"), rejected,
       "21000"},
      {"raised by a trigger", 400, said("P0001", "too cheap"), rejected, "too cheap"},
      {"bad body", 400, said("PGRST102", "Empty or invalid json"), rejected, "PGRST102"},
      {"too large", 413, "Payload too large", rejected, "too large"},
      {"statement timeout", 500, said("57014", "canceling statement due to statement timeout"),
       transient, "57014"},
      {"deadlock", 409, said("40P01", "deadlock detected"), transient, "40P01"},
      {"stale plan", 400, said("0A000", "cached plan must not change result type"), transient,
       "0A000"},
      {"read-only", 405, said("25006", "cannot execute INSERT in a read-only transaction"),
       transient, "disk is full"},
      {"starting", 503, said("PGRST002", "Could not query the database for the schema cache"),
       transient, "PGRST002"},
      {"pool", 504, said("PGRST003", "Timed out acquiring connection"), transient, "PGRST003"},
      {"too many requests", 429, R"({"message":"API rate limit exceeded"})", transient, "429"},
      {"paused", 540, "<html>paused</html>", transient, "resume it"},
      {"gateway page", 502, "<!DOCTYPE html><title>Bad gateway</title>", transient, "a page"},
      {"gateway page that forbids", 403, "  <html>blocked</html>", transient, "a page"},
      {"page that says all is well", 200, "<html>sign in to the network</html>", transient,
       "a page"},
      {"server error without words", 500, "", transient, "HTTP 500"},
      {"cut body", 500, R"({"code":"57014","mess)", transient, "HTTP 500"},
      {"unsupported", 415, R"({"message":"no"})", misconfigured, "no"},
  };
  return all;
}

SupabaseReply reply_of(int status, std::string body) {
  return read_supabase_reply({.status = status, .body = std::move(body)}, Time{});
}

TEST(SupabaseReply, EachAnswerHasItsKindAndSaysWhatToDo) {
  const SupabaseTable ticks = supabase_ticks();
  for (const auto& each : cases()) {
    const SupabaseReply reply = reply_of(each.status, each.body);
    EXPECT_FALSE(reply.is_ok()) << each.name;
    const Error error = supabase_error(reply, &ticks, "public");
    EXPECT_EQ(to_text(error.kind), to_text(each.kind)) << each.name << ": " << error.message;
    EXPECT_THAT(error.message, HasSubstr(each.words)) << each.name;
    EXPECT_FALSE(supabase_error(reply, nullptr, "public").message.empty()) << each.name;
  }
}

TEST(SupabaseReply, TakesSuccessForWhatItIs) {
  for (const auto& [status, body] :
       {std::pair(201, ""), std::pair(200, "[]"), std::pair(204, "")}) {
    EXPECT_TRUE(reply_of(status, body).is_ok());
  }
}

TEST(SupabaseReply, KnowsARowThatALostAnswerHadStored) {
  const SupabaseTable ticks = supabase_ticks();
  const auto refused = [](std::string_view key) {
    return reply_of(409, said("23505", "duplicate key value violates unique constraint",
                              fmt::format("Key {}=(x) already exists.", key)));
  };
  EXPECT_TRUE(
      refused("(exchange, symbol, window_interval, exchange_ts)").is_already_written(ticks));
  EXPECT_TRUE(
      refused("(symbol, exchange, window_interval, exchange_ts)").is_already_written(ticks));
  // Two exchanges would share such a key: the row is lost, not written.
  EXPECT_FALSE(refused("(symbol, exchange_ts)").is_already_written(ticks));
  EXPECT_FALSE(refused("(id)").is_already_written(ticks));
  EXPECT_FALSE(reply_of(409, said("23505", "duplicate key value")).is_already_written(ticks));
}

TEST(SupabaseReply, ReadsHowLongToStayAway) {
  const Time now = parse_rfc3339("2026-03-01T00:00:00Z").value();
  const auto after = [&](std::string_view text) { return parse_retry_after(text, now); };
  EXPECT_EQ(after("7"), std::chrono::seconds{7});
  EXPECT_EQ(after("Sun, 01 Mar 2026 00:01:30 GMT"), std::chrono::seconds{90});
  EXPECT_EQ(after("Sun, 01 Mar 2020 00:01:30 GMT"), std::chrono::seconds{0});
  EXPECT_EQ(after("999999"), std::chrono::hours{1});
  EXPECT_EQ(after("-5"), std::chrono::seconds{0});
  for (const std::string_view bad : {"", "soon", "7 seconds", "99999999999999999999"}) {
    EXPECT_EQ(after(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace candlewick::sink
