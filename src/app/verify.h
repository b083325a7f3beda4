// candlewick verify: fetches closed candles again from the venue's REST history, within its budget,
// and compares them digit by digit with what is stored. Every difference becomes a row of
// verification_mismatch and, unless told otherwise, a revision; a candle that was not stored is
// backfilled, and a period that neither side has is settled in the coverage ledger.
//
// Standard output tells the differences, one a line; the sum goes to standard error. Exit 0 when
// nothing is different any more, 1 when a difference remains, or something could not be checked.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

struct VerifyOptions {
  std::string exchange;
  std::string symbol;
  std::string timeframe = "1m";
  std::string since;
  std::string until;  // empty: as far as the venue's answers are final
  std::string format;
  bool repair = true;
};
int verify(const LoadedConfig& loaded, const VerifyOptions& options);

}  // namespace candlewick::app
