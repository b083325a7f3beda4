// What `candlewick doctor` looks at in a Supabase project, without changing anything in it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sink/sink.h"
#include "sink/supabase_client.h"
#include "sink/supabase_setup.h"

namespace candlewick::sink {

// One table as the function candlewick_setup() of sql/supabase/ tells of it.
struct SupabaseTableSetup {
  std::string name;
  bool has_guard = false;  // the trigger that keeps newer rows
  bool has_row_security = false;
  bool has_readers = false;                               // anon or authenticated may select
  bool is_open_to_writers = false;                        // anon may change it
  bool is_published = false;                              // in Realtime's publication
  std::map<std::string, std::string, std::less<>> types;  // of its columns
};
inline constexpr std::string_view supabase_setup_call = "rpc/candlewick_setup";
// Error: transient (not what the function says: an answer cut short).
Result<std::vector<SupabaseTableSetup>> read_supabase_setup(std::string_view body);

// Asks for every column that is written, and for no rows.
std::string supabase_probe(const SupabaseTable& table);

std::vector<Finding> examine_supabase(SupabaseClient& client, const SupabaseOptions& options,
                                      bool retires_ladders);

}  // namespace candlewick::sink
