// candlewick indicators: candles as CSV on standard input, one JSON object each on standard output.
#pragma once

#include <string>

namespace candlewick::app {

int indicators(const std::string& timeframe);

}  // namespace candlewick::app
