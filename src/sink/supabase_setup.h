// The SQL of sql/supabase/ for a project's settings, to be run by the owner of its database.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/registry.h"

namespace candlewick::sink {

struct SupabaseOptions {
  std::string schema = "public";
  bool candles = false;
  bool latest = true;
  bool broadcast = false;
};

// A schema that needs no quotes, so that it can stand in SQL, in URLs and in messages as it is.
bool is_plain_name(std::string_view name);

std::string supabase_setup_sql(const SupabaseOptions& options);

// For the registry: settings "schema", "candles", "latest", "broadcast". An unusable schema makes a
// comment that says so.
std::string supabase_setup_sql_from(const Settings& settings);

}  // namespace candlewick::sink
