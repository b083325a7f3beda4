// Spans that meet are joined as they are added.
#include "pipeline/span_set.h"

#include <algorithm>
#include <iterator>

namespace candlewick::pipeline {

void SpanSet::add(Span span) {
  if (span.from >= span.to) return;
  auto next = ends_.upper_bound(span.from);
  if (next != ends_.begin() && std::prev(next)->second >= span.from) {
    --next;
    span.from = next->first;
  }
  while (next != ends_.end() && next->first <= span.to) {
    span.to = std::max(span.to, next->second);
    next = ends_.erase(next);
  }
  ends_.emplace_hint(next, span.from, span.to);
}

void SpanSet::remove(Span span) {
  if (span.from >= span.to) return;
  auto next = ends_.lower_bound(span.from);
  if (next != ends_.begin() && std::prev(next)->second > span.from) {
    const auto before = std::prev(next);
    const Time end = before->second;
    before->second = span.from;
    if (end > span.to) {
      ends_.emplace_hint(next, span.to, end);
      return;
    }
  }
  while (next != ends_.end() && next->first < span.to) {
    const Time end = next->second;
    next = ends_.erase(next);
    if (end > span.to) next = ends_.emplace_hint(next, span.to, end);
  }
}

void SpanSet::remove(const SpanSet& others) {
  for (const auto& [from, to] : others.ends_) remove({from, to});
}

bool SpanSet::contains(Time time) const {
  const auto next = ends_.upper_bound(time);
  return next != ends_.begin() && std::prev(next)->second > time;
}

std::vector<Span> SpanSet::spans() const {
  std::vector<Span> spans;
  spans.reserve(ends_.size());
  for (const auto& [from, to] : ends_) spans.push_back({from, to});
  return spans;
}

std::vector<Span> SpanSet::within(Span span) const {
  std::vector<Span> parts;
  auto next = ends_.upper_bound(span.from);
  if (next != ends_.begin() && std::prev(next)->second > span.from) --next;
  for (; next != ends_.end() && next->first < span.to; ++next) {
    const Span part{std::max(next->first, span.from), std::min(next->second, span.to)};
    if (part.from < part.to) parts.push_back(part);
  }
  return parts;
}

}  // namespace candlewick::pipeline
