// Collects what one turn learned about coverage and writes it as few assertions: a page of history
// is one span, not a thousand.
#pragma once

#include <string>
#include <vector>

#include "pipeline/coverage.h"
#include "pipeline/output.h"

namespace candlewick::pipeline {

class CoverageLedger {
 public:
  // Joined to the newest one of its stream when the two meet and say the same.
  void add(Assertion assertion);
  // Rows for all that was added; they are durable with the rows written in the same turn.
  void flush(Time recorded_at, PipelineOutput& output);
  // A row of this ledger was lost on its way: it is said once more.
  void again(const schema::Row& row, const Instrument& instrument);
  // From the stored ledger.
  void seen(std::int64_t sequence) { sequence_.seen(sequence); }

 private:
  std::vector<Assertion> pending_;
  CoverageSequence sequence_;
};

}  // namespace candlewick::pipeline
