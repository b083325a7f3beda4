// What a comparison of stored candles with another source of the same truth leaves behind: one row
// that counts, and one for each candle that the two do not agree about.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "market/event.h"
#include "pipeline/coverage.h"
#include "schema/table.h"

namespace candlewick::pipeline {

enum class Against : unsigned char {
  rest,    // the venue's own history
  trades,  // candles built of its trades
  book,    // a snapshot of its book
};
std::string_view to_text(Against against);
std::optional<Against> parse_against(std::string_view text);

enum class MismatchAction : unsigned char {
  revised,     // the stored candle has a new revision with the values found
  backfilled,  // the candle that was not stored is now
  recorded,    // nothing was changed
};
std::string_view to_text(MismatchAction action);

struct Comparison {
  const Instrument* instrument = nullptr;
  Timeframe timeframe = Timeframe::m1;
  Against against = Against::rest;
  Span span;
  // Periods (of a book: comparisons). Checked ones are equal, different, or absent: only one of the
  // two sides has them.
  std::int64_t checked = 0;
  std::int64_t equal = 0;
  std::int64_t different = 0;
  std::int64_t absent = 0;
};
// `sequence` tells comparisons of one series apart and grows: nanoseconds of the recording time do.
schema::Row verification_row(const Comparison& comparison, Time recorded_at, std::int64_t sequence);

// One of the two sides may be missing, never both; the columns that differ are found here.
struct Mismatch {
  std::optional<Candle> stored;
  std::optional<Candle> found;
  Against against = Against::rest;
  MismatchAction action = MismatchAction::recorded;
};
schema::Row mismatch_row(const Mismatch& mismatch, Time recorded_at);

}  // namespace candlewick::pipeline
