// What holds now of one instrument's coverage: disjoint spans of each of its streams, of which a
// newer assertion takes what it covers.
#pragma once

#include <string>
#include <vector>

#include "query/coverage.h"
#include "schema/table.h"

namespace candlewick::stream {

class CoverageSpans {
 public:
  // Disjoint already, as the warehouse's merged view is.
  explicit CoverageSpans(std::vector<query::CoverageSpan> spans);

  void add(const query::CoverageSpan& assertion);
  // By timeframe and stream, then time.
  const std::vector<query::CoverageSpan>& spans() const { return spans_; }
  // As a JSON array.
  void append(std::string& out) const;

  // Of a row of `coverage`.
  static query::CoverageSpan span_of(const schema::Row& row);

 private:
  std::vector<query::CoverageSpan> spans_;
};

}  // namespace candlewick::stream
