// The figures that a threshold can be about, by the names that people know them by: the columns of
// market_ticks and technical_indicators, the further indicators, and what is newer than both.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "indicator/indicator.h"
#include "pipeline/latest.h"

namespace candlewick::alert {

// All of them, for messages.
std::vector<std::string> figure_names();
// It is made of candles, so that it can be of any timeframe.
bool is_indicator(std::string_view figure);

// Null while there is none, and of values from before a restart. What is computed as a double comes
// to 18 digits.
std::optional<Decimal> read_figure(const pipeline::Latest& latest, std::string_view figure);
// Of indicators alone.
std::optional<Decimal> read_figure(const indicator::Values& values, std::string_view figure);

}  // namespace candlewick::alert
