// Closed candles of a warehouse in the form of SimulatedVenue::true_candles(), to be compared
// whole.
#pragma once

#include <map>
#include <string>

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "query/candles.h"
#include "test/support/simulated_venue.h"

namespace candlewick::test {

// What was wrong is reported as a failure of the test.
inline std::map<Time, query::Candle> stored_candles(warehouse::Database& database,
                                                    const std::string& exchange,
                                                    const std::string& symbol, Time from,
                                                    Time until) {
  std::map<Time, query::Candle> stored;
  const auto candles = query::candles(database, {.exchange = exchange,
                                                 .symbol = symbol,
                                                 .start = from,
                                                 .end = until,
                                                 .limit = 100'000,
                                                 .closed_only = true});
  if (!candles) {
    ADD_FAILURE() << candles.error().message;
    return stored;
  }
  for (const auto& candle : *candles) {
    EXPECT_TRUE(stored.emplace(candle.timestamp, candle).second)
        << "stored twice: " << to_rfc3339(candle.timestamp);
  }
  return stored;
}

inline std::string numbers_of(const query::Candle& candle) {
  std::string text;
  for (const auto& value :
       {candle.open, candle.high, candle.low, candle.close, candle.volume,
        candle.quote_volume.value_or(Decimal{}), candle.taker_buy_volume.value_or(Decimal{}),
        candle.taker_buy_quote_volume.value_or(Decimal{})}) {
    text += value.to_string() + " ";
  }
  return text + std::to_string(candle.trade_count.value_or(-1));
}

// Every candle of the range, with the venue's own numbers and no other.
inline void expect_the_truth(SimulatedVenue& venue, warehouse::Database& database,
                             const std::string& symbol, Time from, Time until) {
  const auto truth = venue.true_candles(symbol, from, until);
  const auto stored = stored_candles(database, "binance", symbol, from, until);
  EXPECT_FALSE(truth.empty());
  int wrong = 0;
  for (const auto& [open_time, numbers] : truth) {
    if (wrong > 4) return;
    const auto found = stored.find(open_time);
    if (found != stored.end() && numbers_of(found->second) == numbers) continue;
    ++wrong;
    ADD_FAILURE() << symbol << " " << to_rfc3339(open_time) << " is "
                  << (found == stored.end() ? "missing" : numbers_of(found->second)) << ", true is "
                  << numbers;
  }
  for (const auto& [open_time, candle] : stored) {
    EXPECT_TRUE(truth.contains(open_time))
        << symbol << " has a candle that never was: " << to_rfc3339(open_time);
  }
}

}  // namespace candlewick::test
