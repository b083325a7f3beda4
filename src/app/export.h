// candlewick export: what the warehouse holds, as CSV, JSON Lines or Parquet. Page by page, so that
// memory does not grow with the answer; decimals keep their exact digits.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct ExportOptions {
  std::string table = "candles";  // market_ticks, technical_indicators, trades, coverage
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::string start;
  std::string end;
  std::string to;      // csv, jsonl, parquet
  std::string output;  // empty: standard output
};
int export_rows(const LoadedConfig& loaded, const ExportOptions& options);

}  // namespace candlewick::app
