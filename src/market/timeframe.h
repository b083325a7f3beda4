// Candle lengths. Their text is CCXT's ("1m", "1h", "1M"); days open at 00:00 UTC, weeks on Monday,
// three-day candles count from the epoch as Binance's do, months are the calendar's.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace candlewick {

enum class Timeframe : unsigned char {
  s1,
  m1,
  m3,
  m5,
  m15,
  m30,
  h1,
  h2,
  h4,
  h6,
  h8,
  h12,
  d1,
  d3,
  w1,
  mo1
};

inline constexpr std::array<Timeframe, 16> all_timeframes{
    Timeframe::s1, Timeframe::m1, Timeframe::m3, Timeframe::m5, Timeframe::m15, Timeframe::m30,
    Timeframe::h1, Timeframe::h2, Timeframe::h4, Timeframe::h6, Timeframe::h8,  Timeframe::h12,
    Timeframe::d1, Timeframe::d3, Timeframe::w1, Timeframe::mo1};

std::string_view to_text(Timeframe timeframe);
// Error: malformed, listing what there is.
Result<Timeframe> parse_timeframe(std::string_view text);

// Nominal length; a month counts 30 days here and only here: use open_of/next_open for its borders.
Duration length_of(Timeframe timeframe);

// The open of the candle that holds `time`.
Time open_of(Timeframe timeframe, Time time);
// The open of the candle after the one that opens at `open`, which is also the end of that one.
Time next_open(Timeframe timeframe, Time open);
Time previous_open(Timeframe timeframe, Time open);

}  // namespace candlewick
