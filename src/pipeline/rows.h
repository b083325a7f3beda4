// Rows of the warehouse's tables, made of typed values: the only place that knows their columns'
// order besides the schema itself (rows_test.cc holds the two together).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "indicator/indicator.h"
#include "market/event.h"
#include "schema/table.h"

namespace candlewick::pipeline {

schema::Row instrument_row(const Instrument& instrument, Time recorded_at);
schema::Row candle_row(const Candle& candle, Time ingested_at);
// `exchange_time`: the trade's, or when it came where the venue gives none.
schema::Row trade_row(const Trade& trade, std::string trade_id, Time exchange_time,
                      Time ingested_at);

// What a market tick says; absent values are null. Prices and volumes are in the quote currency;
// the market capitalisation is in US dollars whatever the quote is.
struct Tick {
  const Instrument* instrument = nullptr;
  Timeframe window = Timeframe::m1;
  Time exchange_time;            // the scheduled instant
  std::optional<Candle> candle;  // the newest closed one that went in
  std::optional<Decimal> last_price;
  std::optional<double> price_change_pct_1h;
  std::optional<double> price_change_pct_24h;
  std::optional<Decimal> volume_24h_quote;
  std::optional<double> volume_change_pct_24h;
  std::optional<Decimal> market_cap;
  std::optional<Decimal> circulating_supply;
  std::optional<Decimal> bid_ask_spread;
  std::vector<Level> bids;  // best first; both empty: unknown
  std::vector<Level> asks;
};
schema::Row tick_row(const Tick& tick, std::size_t ladder_levels, Time ingested_at);

schema::Row indicator_row(const Instrument& instrument, Timeframe window, Time exchange_time,
                          const indicator::Values& values, std::int64_t revision, Time created_at);
schema::Row checkpoint_row(const Instrument& instrument, Timeframe timeframe, Time candle_time,
                           std::string state, Time recorded_at);

}  // namespace candlewick::pipeline
