// Snowflake: market ticks, technical indicators and, if wished, candles with their dimensions. Two
// ways in behind one interface: SQL through a warehouse (snowflake_load.cc), and Snowpipe
// Streaming, which needs none and only adds rows (snowflake_stream.cc). docs/snowflake.md has the
// rest.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "sink/registry.h"
#include "sink/sink.h"
#include "sink/snowflake_access.h"

namespace candlewick::sink {

struct SnowflakeOptions {
  snowflake::Access access{};
  bool with_candles = true;
  bool exchange_symbol_style = false;
  std::string ca_file{};
  snowflake::Patience patience{};
};

std::unique_ptr<Sink> make_snowflake_load(SnowflakeOptions options, const Clock& clock);
std::unique_ptr<Sink> make_snowflake_stream(SnowflakeOptions options, const Clock& clock);

// Of the registry. Error: misconfigured, naming the key.
Result<std::unique_ptr<Sink>> make_snowflake_from(const Settings& settings);
std::string snowflake_setup_sql(const Settings& settings);

}  // namespace candlewick::sink
