// What a Supabase project answered, and what that means for the rows: PostgREST's errors, those of
// the gateways before it, and the SQL that mends what is set up wrongly. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http_client.h"
#include "sink/supabase_rows.h"

namespace candlewick::sink {

struct SupabaseReply {
  int status = 0;
  // PostgREST's own words; empty when somebody else answered.
  std::string code{};
  std::string message{};
  std::string details{};
  std::string hint{};
  std::string body{};
  bool is_html = false;
  std::optional<Duration> retry_after{};

  bool is_ok() const { return status >= 200 && status < 300 && !is_html; }
  // The body was too large for the gateway or for PostgREST.
  bool is_too_large() const { return status == 413; }
  // A row stands under the table's natural key already: what an answer that was lost had stored.
  bool is_already_written(const SupabaseTable& table) const;
  bool is_unique_violation() const { return code == "23505"; }
  bool is_missing() const;         // the table or function, or the project's API altogether
  bool is_missing_column() const;  // see missing_column()
  // The column that the table lacks, as the message names it; empty when it names none.
  std::string missing_column() const;
};

SupabaseReply read_supabase_reply(const net::HttpResponse& response, Time now);

// Seconds, or a date of HTTP; never more than an hour.
std::optional<Duration> parse_retry_after(std::string_view text, Time now);

// Why the request was refused; `table` may be null for what concerns no table. The message names
// what to do; none of it holds a key. For replies that are not ok.
Error supabase_error(const SupabaseReply& reply, const SupabaseTable* table,
                     std::string_view schema);

// "alter table public.market_ticks add column if not exists macd double precision; notify …"
std::string sql_for_column(const SupabaseTable& table, std::string_view column,
                           std::string_view schema);
std::string sql_for_grant(const SupabaseTable& table, std::string_view schema);
std::string sql_for_key(const SupabaseTable& table, std::string_view schema);

}  // namespace candlewick::sink
