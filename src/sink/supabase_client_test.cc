// Keys and addresses as people copy them. What goes over the wire is in supabase_test.cc.
#include "sink/supabase_client.h"

#include <gtest/gtest.h>

namespace candlewick::sink {
namespace {

constexpr const char* secret_key = "sb_secret_abcdefghij";
// {"role":"service_role","exp":1700000000}
constexpr const char* service_token =
    "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIiwiZXhwIjoxNzAwMDAwMDAwfQ.c2ln";

TEST(SupabaseClient, TakesTheAddressAsPeopleCopyIt) {
  for (const char* text : {"https://abc.supabase.co", "https://abc.supabase.co/",
                           "https://abc.supabase.co/rest/v1", "https://abc.supabase.co/rest/v1/"}) {
    EXPECT_EQ(supabase_base_url(text).value(), "https://abc.supabase.co") << text;
  }
  EXPECT_EQ(supabase_base_url("http://127.0.0.1:8000/project/").value(),
            "http://127.0.0.1:8000/project");
}

TEST(SupabaseClient, KnowsWhatAKeySaysOfItself) {
  using Form = SupabaseKey::Form;
  EXPECT_EQ(inspect_supabase_key(secret_key).form, Form::secret);
  EXPECT_EQ(inspect_supabase_key("sb_publishable_x").form, Form::publishable);
  const auto token = inspect_supabase_key(service_token);
  EXPECT_EQ(token.form, Form::jwt);
  EXPECT_EQ(token.role, "service_role");
  EXPECT_EQ(token.expires, time_from_ms(1'700'000'000'000));
  for (const char* text : {"", "x", "a.b.c", "a.%%.c", "..", "eyJ.W10.x"}) {
    const auto found = inspect_supabase_key(text);
    EXPECT_TRUE(found.form == Form::unknown) << text;
    EXPECT_TRUE(found.role.empty()) << text;
  }
}

TEST(SupabaseClient, TimesInFiltersHaveNothingToSplitAt) {
  EXPECT_EQ(filter_time(parse_rfc3339("2026-03-01T09:30:00.999999Z").value()), "20260301T093000Z");
}

}  // namespace
}  // namespace candlewick::sink
