// Rows into one table by as many requests as it takes, and what is done about each answer.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "sink/supabase_client.h"
#include "sink/supabase_rows.h"

namespace candlewick::sink {

struct SupabaseWriterOptions {
  bool exchange_symbols = false;
  std::size_t max_rows = 500;
  std::size_t max_bytes = std::size_t{900} << 10;
};

class SupabaseWriter {
 public:
  SupabaseWriter(SupabaseClient& client, SupabaseWriterOptions options)
      : client_(client), options_(options) {}

  // All of that table's rows among the entries. `is_guarded`: the table itself keeps newer rows.
  Result<void> store(const SupabaseTable& table, std::span<const log::Entry> entries,
                     bool is_guarded);

 private:
  Result<void> send(const SupabaseTable& table, std::span<const SupabaseRow> rows);
  Result<void> send_halves(const SupabaseTable& table, std::span<const SupabaseRow> rows);
  // Takes out what the table has a higher revision of.
  Result<void> drop_outdated(const SupabaseTable& table, std::vector<SupabaseRow>& rows);

  SupabaseClient& client_;
  SupabaseWriterOptions options_;
};

}  // namespace candlewick::sink
