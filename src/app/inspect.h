// Commands that only look: check-config, exchanges, symbols, candles.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

// The merged configuration with the origin of every value; secrets masked.
int check_config(const LoadedConfig& loaded, const std::string& format);

// The venues that are built in, with their facts. Format "markdown": the page docs/exchanges.md.
int exchanges(const std::string& format);

// What a venue lists, asked of the venue itself.
int symbols(const LoadedConfig& loaded, const std::string& exchange, const std::string& search,
            const std::string& format);

struct CandlesOptions {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::string start;
  std::string end;
  std::string as_of;
  std::string format;
};
// Stored candles, or exact roll-ups of them.
int candles(const LoadedConfig& loaded, const CandlesOptions& options);

}  // namespace candlewick::app
