// CSV to indicators.
#include "app/indicators.h"

#include <iostream>

#include "app/command.h"
#include "indicator/csv.h"
#include "market/timeframe.h"

namespace candlewick::app {

int indicators(const std::string& timeframe) {
  const auto parsed = parse_timeframe(timeframe);
  if (!parsed) return report({ErrorKind::misconfigured, "--timeframe: " + parsed.error().message});
  std::ios::sync_with_stdio(false);
  const auto written = indicator::write_indicators(length_of(*parsed), std::cin, std::cout);
  std::cout.flush();
  if (!written) return report(written.error());
  return done;
}

}  // namespace candlewick::app
