// What one venue's pipeline counted since the start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace candlewick::pipeline {

struct AuditStatistics {
  std::uint64_t checked = 0;  // closed candles that were read again from the venue
  std::uint64_t different = 0;
  std::uint64_t absent = 0;  // that the venue does not have any more
};

struct PipelineStatistics {
  std::string venue;
  std::size_t missing_candles = 0;  // that are over, wanted and not there
  std::uint64_t gaps = 0;           // in the numbers of a stream
  std::uint64_t corrections = 0;    // of closed candles
  std::uint64_t book_resyncs = 0;
  std::uint64_t trade_differences = 0;  // candles that their trades contradict
  AuditStatistics audit;
};

}  // namespace candlewick::pipeline
