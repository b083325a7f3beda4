// Candles as CSV.
#include <sstream>

#include "indicator/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream csv(std::string(reinterpret_cast<const char*>(data), size));
  std::ostringstream json;
  static_cast<void>(candlewick::indicator::write_indicators(std::chrono::minutes{1}, csv, json));
  return 0;
}
