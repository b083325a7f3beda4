// Candles of one series in a CSV file: Binance's public files (12 columns, with or without a
// header, times in ms or µs), this program's own export, and others whose header names the columns.
// Plain, .gz, .zst or a ZIP archive of one file. Every row is checked.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "market/event.h"

namespace candlewick::app {

struct CandleFileSeries {
  const Instrument* instrument = nullptr;
  Timeframe timeframe = Timeframe::m1;
  // Candles must have ended by then.
  Time now;
};

class CandleFile {
 public:
  // Error: misconfigured when it cannot be opened; malformed for archives.
  static Result<CandleFile> open(const std::string& path, const CandleFileSeries& series);
  ~CandleFile();
  CandleFile(CandleFile&&) noexcept;
  CandleFile& operator=(CandleFile&&) noexcept;

  // The next closed candle, each later than the one before; null at the end. Error: malformed,
  // naming file, line and column.
  Result<std::optional<Candle>> next();
  // Rows that said themselves that they were not closed, and were left out.
  std::uint64_t skipped() const;

 private:
  struct State;
  explicit CandleFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace candlewick::app
