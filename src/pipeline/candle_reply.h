// What a REST answer about candles proves: which of its rows are final, and for which periods it
// has none. The one place with that rule, for live backfill, the backfill command and verification.
//
// REST rows carry no flag of finality, and the REST side of a venue may lag behind its stream. A
// row is final when a later row came in the same answer and its period ended some seconds ago by
// the venue's clock, or when that is so long ago that no lag matters.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "exchange/venue.h"
#include "market/event.h"
#include "pipeline/candle_series.h"

namespace candlewick::pipeline {

struct CandleReply {
  std::vector<Candle> closed;  // final ones from the query's start on, oldest first, is_closed set
  std::vector<Span> absent;    // whole periods before a later row that the answer has no row for
  // Before the first row, where the answer itself says that it does not reach back so far.
  std::optional<Span> out_of_reach;
  std::optional<Time> newest;  // open of the last row, final or not
  std::size_t rows = 0;        // of the wanted timeframe and range
};

// `query.start` must be set; rows before it and at or after `query.end` are left out.
CandleReply read_candle_reply(const exchange::RestQuery& query, const Events& events,
                              Time venue_time);

// A row may be followed by the next one before the last trades are in it: so long after its end.
inline constexpr Duration rest_settling = std::chrono::seconds{5};
// How long after its end a candle's REST row is final whatever lag the venue's REST side has.
Duration certainly_final_after(Timeframe timeframe);

// The names of the columns in which two candles of one period differ; a column that one of them
// lacks is not compared.
std::vector<std::string_view> differing_columns(const Candle& stored, const Candle& found);

}  // namespace candlewick::pipeline
