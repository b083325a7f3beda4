// A Supabase project as a sink, through its Data API (PostgREST). A request is a transaction, a
// batch may be several: what makes a batch that comes again harmless is the tables' natural key.
#pragma once

#include <memory>

#include "base/clock.h"
#include "sink/registry.h"
#include "sink/sink.h"
#include "sink/supabase_client.h"
#include "sink/supabase_setup.h"

namespace candlewick::sink {

struct SupabaseSinkOptions {
  SupabaseLocation location;
  SupabaseOptions tables;
  Duration ladders{};             // older ones are set to null; zero: never
  bool exchange_symbols = false;  // the venue's spelling ("BTCUSDT") goes into `symbol`
  std::size_t max_request_rows = 500;
  std::size_t max_request_bytes = std::size_t{900} << 10;
};

std::unique_ptr<Sink> make_supabase(SupabaseSinkOptions options, const Clock& clock);

// Settings: "url", "service_role_key", "schema" ("public"), "candles",
// "latest", "broadcast", "ladder_days" (0: never), "symbol_style" ("unified" or
// "exchange"), "ca_file".
Result<std::unique_ptr<Sink>> make_supabase_from(const Settings& settings);

}  // namespace candlewick::sink
