// Where a pipeline's results go.
#pragma once

#include "market/event.h"
#include "schema/table.h"

namespace candlewick::pipeline {

class PipelineOutput {
 public:
  virtual ~PipelineOutput() = default;
  virtual void on_row(schema::Row row) = 0;
  // What was accepted, in order: assembled candles instead of raw ones, no repeats, and gaps.
  virtual void on_event(const Event& /*event*/) {}
};

}  // namespace candlewick::pipeline
