// A set of periods as disjoint spans: what is wanted, what is there, what is left.
#pragma once

#include <map>
#include <vector>

#include "pipeline/coverage.h"

namespace candlewick::pipeline {

class SpanSet {
 public:
  // An empty or inverted span changes nothing.
  void add(Span span);
  void remove(Span span);
  void remove(const SpanSet& others);

  bool is_empty() const { return ends_.empty(); }
  bool contains(Time time) const;
  bool overlaps(Span span) const { return !within(span).empty(); }
  // Oldest first, and as long as they can be.
  std::vector<Span> spans() const;
  // The parts inside a span.
  std::vector<Span> within(Span span) const;

 private:
  std::map<Time, Time> ends_;  // by where they begin
};

}  // namespace candlewick::pipeline
