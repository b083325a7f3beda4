// The table of `run --demo`: newest prices, candles and indicators, painted over itself on a
// terminal, a line an instrument elsewhere.
#pragma once

#include <string>
#include <vector>

#include "feed/venue_feed.h"
#include "pipeline/latest.h"
#include "sink/delivery.h"

namespace candlewick::app {

struct TableState {
  const pipeline::LatestBoard& board;
  std::vector<feed::FeedStatus> feeds;
  std::vector<sink::SinkStatistics> sinks;
  std::string heading;
};

// For a terminal: clears what the last one painted (`lines_before` of it).
std::string live_table(const TableState& state, std::size_t lines_before);
std::size_t live_table_lines(const TableState& state);
// Plain, for pipes and logs.
std::string plain_table(const TableState& state);

}  // namespace candlewick::app
