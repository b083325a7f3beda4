// The SQL that is shipped: it names every column that the sink writes. What it does to a database
// is judged in test/supabase.
#include "sink/supabase_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/binary.h"
#include "sink/supabase_rows.h"

namespace candlewick::sink {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SupabaseSetup, MakesEveryColumnThatIsWrittenWithItsType) {
  const std::string sql = supabase_setup_sql({.candles = true, .latest = true});
  for (const auto& table : {supabase_ticks(), supabase_indicators(), supabase_candles(),
                            supabase_latest_tick(), supabase_latest_indicators()}) {
    const auto begins = sql.find(fmt::format("create table if not exists public.{} (", table.name));
    ASSERT_NE(begins, std::string::npos) << table.name;
    const std::string made = sql.substr(begins, sql.find("\n);", begins) - begins);
    for (const auto& column : table.columns) {
      const std::string name =
          column.name == "timestamp" ? "\"timestamp\"" : std::string(column.name);
      EXPECT_THAT(made, HasSubstr(fmt::format("\n  {} {}", name, postgres::type_name(column.type))))
          << table.name;
    }
  }
}

TEST(SupabaseSetup, HoldsWhatTheSettingsAskFor) {
  const std::string least = supabase_setup_sql({.latest = false});
  EXPECT_THAT(least, Not(HasSubstr("create table if not exists public.market_latest")));
  EXPECT_THAT(least, Not(HasSubstr("create table if not exists public.fact_ohlcv")));
  EXPECT_THAT(least, Not(HasSubstr("realtime.messages")));
  const Settings settings{.values = {{"candles", "true"}, {"broadcast", "true"}}};
  const std::string most = supabase_setup_sql_from(settings);
  EXPECT_THAT(most, HasSubstr("create table if not exists public.market_latest"));
  EXPECT_THAT(most, HasSubstr("create table if not exists public.fact_ohlcv"));
  EXPECT_THAT(most, HasSubstr("realtime.messages"));
  for (const std::string_view role : {"anon", "authenticated", "service_role"}) {
    EXPECT_THAT(most, HasSubstr(role));
  }
}

TEST(SupabaseSetup, PutsAnotherSchemaInThePlaceOfPublic) {
  const std::string sql =
      supabase_setup_sql({.schema = "market_data", .candles = true, .broadcast = true});
  EXPECT_THAT(sql, HasSubstr("create schema if not exists market_data;"));
  EXPECT_THAT(sql, HasSubstr("grant usage on schema market_data to"));
  EXPECT_THAT(sql, HasSubstr("'market_data'::regnamespace"));
  EXPECT_THAT(sql, Not(HasSubstr("public.")));
  EXPECT_THAT(sql, Not(HasSubstr("'public'")));
}

TEST(SupabaseSetup, TakesNoSchemaThatNeedsQuotes) {
  EXPECT_TRUE(is_plain_name("market_data2"));
  for (const std::string_view bad : {"", "Public", "a b", "a;b", "2nd", "a\"b", "a.b"}) {
    EXPECT_FALSE(is_plain_name(bad)) << bad;
    const Settings settings{.values = {{"schema", std::string(bad)}}};
    EXPECT_THAT(supabase_setup_sql_from(settings), Not(HasSubstr("create"))) << bad;
  }
}

}  // namespace
}  // namespace candlewick::sink
