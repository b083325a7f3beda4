// The files name the schema public, so that they can be run as they are; another one is put in its
// place.
#include "sink/supabase_setup.h"

#include <algorithm>

#include <fmt/format.h>

#include "warehouse/embedded.h"

namespace candlewick::sink {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string file(std::string_view name, std::string_view schema) {
  const std::string path = fmt::format("supabase/{}", name);
  for (const auto& embedded : warehouse::embedded_files()) {
    if (embedded.path != path) continue;
    std::string text(embedded.text);
    if (schema != "public") {
      replace_all(text, "public.", fmt::format("{}.", schema));
      replace_all(text, "'public'", fmt::format("'{}'", schema));
      replace_all(text, "on schema public ", fmt::format("on schema {} ", schema));
    }
    return text;
  }
  return fmt::format("-- {} is not built in\n", path);
}

}  // namespace

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > 63 || (name.front() >= '0' && name.front() <= '9')) {
    return false;
  }
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

std::string supabase_setup_sql(const SupabaseOptions& options) {
  std::string sql;
  if (options.schema != "public") {
    sql = fmt::format(
        "-- The schema must be among the exposed ones (Project Settings, Data API).\n"
        "create schema if not exists {};\n\n",
        options.schema);
  }
  sql += file("0001_market_data.sql", options.schema);
  if (options.latest) sql += "\n" + file("0002_latest.sql", options.schema);
  if (options.candles) sql += "\n" + file("0003_candles.sql", options.schema);
  if (options.broadcast) sql += "\n" + file("0004_broadcast.sql", options.schema);
  return sql;
}

std::string supabase_setup_sql_from(const Settings& settings) {
  const std::string schema(settings.get("schema", "public"));
  if (!is_plain_name(schema)) {
    return "-- supabase.schema must be lower-case letters, digits and underscores\n";
  }
  return supabase_setup_sql({.schema = schema,
                             .candles = settings.get("candles", "false") == "true",
                             .latest = settings.get("latest", "true") == "true",
                             .broadcast = settings.get("broadcast", "false") == "true"});
}

}  // namespace candlewick::sink
