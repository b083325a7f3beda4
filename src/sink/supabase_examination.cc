// Rights and keys are tried with an INSERT of no rows: PostgreSQL checks both before it looks for a
// row. What no table's URL shows (triggers, policies, the publication) a function of ours tells.
#include "sink/supabase_examination.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"

namespace candlewick::sink {
namespace {

using Grade = Finding::Grade;

constexpr std::string_view print_sql = "candlewick migrate supabase --print";

class Examination {
 public:
  Examination(SupabaseClient& client, const SupabaseOptions& options)
      : client_(client), options_(options) {}

  std::vector<Finding> run(bool retires_ladders) {
    if (!look_at_key()) return std::move(findings_);
    if (!look_at_setup()) return std::move(findings_);
    look_at_table(supabase_ticks(), true);
    look_at_table(supabase_indicators(), true);
    if (options_.candles) look_at_table(supabase_candles(), false);
    if (options_.latest) look_at_latest();
    if (options_.broadcast) look_at_broadcast();
    if (retires_ladders) look_at_ladders();
    return std::move(findings_);
  }

 private:
  void good(std::string what) { findings_.push_back({Grade::good, std::move(what), {}}); }
  void warn(std::string what, std::string advice) {
    findings_.push_back({Grade::warning, std::move(what), std::move(advice)});
  }
  void bad(std::string what, std::string advice) {
    findings_.push_back({Grade::bad, std::move(what), std::move(advice)});
  }
  // The error's own words hold what to do.
  void bad(const Error& error) {
    const auto split = error.message.find("; run: ");
    if (split == std::string::npos) return bad(error.message, {});
    bad(error.message.substr(0, split), error.message.substr(split + 7));
  }
  std::string shown(const SupabaseTable& table) const {
    return fmt::format("table {}.{}", client_.schema(), table.name);
  }

  bool look_at_key();
  bool look_at_setup();
  void look_at_table(const SupabaseTable& table, bool is_told_by_realtime);
  bool look_at_columns(const SupabaseTable& table);
  bool look_at_rights(const SupabaseTable& table);
  void look_at_what_it_says(const SupabaseTable& table, bool is_told_by_realtime);
  void look_at_latest();
  void look_at_broadcast();
  void look_at_ladders();

  SupabaseClient& client_;
  const SupabaseOptions& options_;
  std::optional<std::vector<SupabaseTableSetup>> setup_;
  std::vector<Finding> findings_;
};

bool Examination::look_at_key() {
  if (auto read = client_.check_key(); !read) {
    bad(read.error());
    return false;
  }
  const SupabaseKey key = client_.key();
  if (key.form == SupabaseKey::Form::secret) {
    good("key: a secret key (sb_secret_...)");
  } else if (key.form == SupabaseKey::Form::jwt) {
    good(fmt::format("key: a JWT of the role {}{}", key.role.empty() ? "(none named)" : key.role,
                     key.expires ? ", valid until " + to_rfc3339(*key.expires) : ""));
  } else {
    warn("key: neither a secret key (sb_secret_...) nor a JWT",
         "copy it anew from Project Settings, API Keys");
  }
  return true;
}

bool Examination::look_at_setup() {
  const auto reply = client_.get(supabase_setup_call);
  if (!reply) {
    bad(reply.error());
    return false;
  }
  if (reply->is_missing() && !reply->code.empty()) {
    good(fmt::format("project: {} answers", client_.shown_url()));
    warn(fmt::format("function {}.candlewick_setup: missing, so policies, the guard against late "
                     "rows and Realtime's publication cannot be seen through REST",
                     client_.schema()),
         fmt::format("run the SQL of: {}", print_sql));
    return true;
  }
  if (!reply->is_ok()) {
    bad(client_.refusal(*reply, nullptr));
    return false;
  }
  auto read = read_supabase_setup(reply->body);
  if (!read) {
    bad(read.error());
    return false;
  }
  good(fmt::format("project: {} answers", client_.shown_url()));
  setup_ = std::move(*read);
  return true;
}

void Examination::look_at_table(const SupabaseTable& table, bool is_told_by_realtime) {
  if (!look_at_columns(table) || !look_at_rights(table)) return;
  good(fmt::format("{}: columns, natural key and the service's rights are right", shown(table)));
  look_at_what_it_says(table, is_told_by_realtime);
}

bool Examination::look_at_columns(const SupabaseTable& table) {
  SupabaseTable asked = table;
  bool is_whole = true;
  // PostgreSQL names one missing column at a time.
  while (!asked.columns.empty()) {
    const auto reply = client_.get(supabase_probe(asked));
    if (!reply) {
      bad(reply.error());
      return false;
    }
    if (reply->is_ok()) return is_whole;
    bad(client_.refusal(*reply, &table));
    is_whole = false;
    const std::string column = reply->missing_column();
    if (!reply->is_missing_column() || asked.find(column) == nullptr) return false;
    std::erase_if(asked.columns, [&](const auto& each) { return each.name == column; });
  }
  return is_whole;
}

bool Examination::look_at_rights(const SupabaseTable& table) {
  std::string columns;
  for (const auto& column : table.columns) columns += fmt::format("{},", column.name);
  columns.pop_back();
  const auto reply = client_.post(
      fmt::format("{}?columns={}&on_conflict={}", table.name, columns, fmt::join(table.key, ",")),
      "return=minimal,resolution=merge-duplicates", "[]");
  if (!reply) {
    bad(reply.error());
    return false;
  }
  if (!reply->is_ok()) bad(client_.refusal(*reply, &table));
  return reply->is_ok();
}

void Examination::look_at_what_it_says(const SupabaseTable& table, bool is_told_by_realtime) {
  if (!setup_) return;
  const auto said = std::ranges::find(*setup_, table.name, &SupabaseTableSetup::name);
  if (said == setup_->end()) return;
  const std::string name = fmt::format("{}.{}", client_.schema(), table.name);
  if (!table.is_immutable() && !said->has_guard) {
    warn(fmt::format("{}: no trigger keeps newer rows from older ones", shown(table)),
         fmt::format("run the SQL of: {}", print_sql));
  }
  if (said->is_open_to_writers) {
    bad(fmt::format("{}: anybody with the project's public key may change it", shown(table)),
        fmt::format("revoke insert, update, delete on {0} from anon, authenticated; alter table "
                    "{0} enable row level security;",
                    name));
  } else if (!said->has_row_security) {
    warn(fmt::format("{}: Row-Level Security is off", shown(table)),
         fmt::format("alter table {0} enable row level security; create policy candlewick_read on "
                     "{0} for select to anon, authenticated using (true);",
                     name));
  }
  if (!said->has_readers) {
    warn(fmt::format("{}: neither anon nor authenticated may read it", shown(table)),
         fmt::format("grant select on {} to anon, authenticated;", name));
  }
  if (is_told_by_realtime && !said->is_published) {
    warn(fmt::format("{}: not in Realtime's publication, so nobody is told of new rows",
                     shown(table)),
         fmt::format("alter publication supabase_realtime add table {};", name));
  }
  for (const auto& column : table.columns) {
    const auto type = said->types.find(column.name);
    if (column.type != schema::ColumnType::decimal || type == said->types.end()) continue;
    if (type->second != "double precision" && type->second != "real") continue;
    warn(fmt::format("{}: column {} is {}, which drops digits", shown(table), column.name,
                     type->second),
         fmt::format("alter table {} alter column {} type numeric;", name, column.name));
  }
}

void Examination::look_at_latest() {
  const SupabaseTable table = supabase_latest_tick();
  const auto is_ours = [&](const SupabaseTableSetup& each) {
    return each.name == table.name && each.has_guard;
  };
  if (!setup_ || std::ranges::none_of(*setup_, is_ours)) {
    warn(fmt::format("{}: missing or without its trigger, so it is not written", shown(table)),
         fmt::format("run the SQL of: {} (or set supabase.latest = false); restart the service",
                     print_sql));
    return;
  }
  look_at_table(table, true);
  look_at_columns(supabase_latest_indicators());
}

// No message: only whether the door is there and the key opens it.
void Examination::look_at_broadcast() {
  const auto reply = client_.broadcast(R"({"messages":[]})");
  if (!reply) return bad(reply.error());
  if (reply->status == 401 || reply->status == 403 || reply->status == 404) {
    return bad(fmt::format("Realtime Broadcast: HTTP {}", reply->status),
               "switch Realtime on for the project, or set supabase.broadcast = false");
  }
  if (reply->status >= 500) {
    return warn(fmt::format("Realtime Broadcast: HTTP {}", reply->status), "look again later");
  }
  good("Realtime Broadcast: answers");
}

void Examination::look_at_ladders() {
  const auto reply =
      client_.patch("market_ticks?exchange_ts=lt.19700101T000000Z", R"({"bid_depth":null})");
  if (!reply) return bad(reply.error());
  const SupabaseTable ticks = supabase_ticks();
  if (!reply->is_ok()) return bad(client_.refusal(*reply, &ticks));
  good("retention of ladders: the service may set them to null");
}

}  // namespace

std::string supabase_probe(const SupabaseTable& table) {
  std::string names;
  for (const auto& column : table.columns) {
    names += fmt::format("{}{}", names.empty() ? "" : ",", column.name);
  }
  return fmt::format("{}?select={}&limit=0", table.name, names);
}

Result<std::vector<SupabaseTableSetup>> read_supabase_setup(std::string_view body) {
  std::vector<SupabaseTableSetup> tables;
  json::Reader reader;
  const auto read = reader.read(body, [&](json::Value root) {
    root.members([&](std::string_view part, json::Value value) {
      if (part != "tables") return;
      value.members([&](std::string_view name, json::Value about) {
        auto& table = tables.emplace_back();
        table.name = name;
        about.members([&](std::string_view key, json::Value said) {
          if (key == "guard") table.has_guard = said.boolean();
          if (key == "row_security") table.has_row_security = said.boolean();
          if (key == "readers") table.has_readers = said.boolean();
          if (key == "open_to_writers") table.is_open_to_writers = said.boolean();
          if (key == "published") table.is_published = said.boolean();
          if (key == "types") {
            said.members([&](std::string_view column, json::Value type) {
              table.types.emplace(column, type.string());
            });
          }
        });
      });
    });
  });
  if (!read) return fail(ErrorKind::transient, "candlewick_setup(): {}", read.error().message);
  return tables;
}

std::vector<Finding> examine_supabase(SupabaseClient& client, const SupabaseOptions& options,
                                      bool retires_ladders) {
  return Examination(client, options).run(retires_ladders);
}

}  // namespace candlewick::sink
