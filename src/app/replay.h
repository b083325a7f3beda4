// candlewick replay: recordings through the same pipeline as live frames. Pure: the same files give
// the same bytes on every run and machine.
#pragma once

#include <string>
#include <vector>

namespace candlewick::app {

struct ReplayOptions {
  std::string exchange;
  std::string market = "spot";
  std::vector<std::string> inputs;
  std::string emit = "events";          // events, candles, rows
  std::string candles_from = "klines";  // or trades
  std::string timeframe = "1m";         // of candles from trades
};
int replay(const ReplayOptions& options);

}  // namespace candlewick::app
