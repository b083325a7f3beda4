// A threshold of the user's: what it says, of which instrument, and what one value means for it.
//
//     BTC/USDT price > 70000                 the first followed exchange that has it
//     okx:ETH/USDT price <= 3000             one exchange
//     BTC/USDT@1h rsi_14 < 30                an indicator of another timeframe than 1m
//
// It fires when the value crosses the line. It is over when the value is back by half a percent of
// the line, or has been back at all for five minutes; where the line is zero, after five minutes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alert/message.h"
#include "base/decimal.h"
#include "base/result.h"
#include "market/instrument.h"
#include "market/timeframe.h"
#include "pipeline/latest.h"

namespace candlewick::alert {

enum class Comparison : unsigned char { above, at_least, below, at_most };
std::string_view to_text(Comparison comparison);

struct Threshold {
  std::string text;   // in one spelling
  std::string venue;  // as settings name it; empty: the first that has it
  std::string symbol;
  Timeframe timeframe = Timeframe::m1;
  std::string figure;
  Comparison comparison = Comparison::above;
  Decimal line;
};

// Errors: malformed, saying what would be right.
Result<Threshold> parse_threshold(std::string_view text);

// The one that it is about, of those that are followed; null when there is none.
const pipeline::LatestBoard::Entry* find_subject(
    const Threshold& threshold, const std::vector<pipeline::LatestBoard::Entry>& entries);

// `value`: null when there is none now.
Condition condition_of(const Threshold& threshold, const Instrument& instrument,
                       const std::optional<Decimal>& value);
// Nothing that is followed is meant.
Condition without_subject(const Threshold& threshold);

}  // namespace candlewick::alert
