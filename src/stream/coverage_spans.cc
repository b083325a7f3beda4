// Cutting and laying over.
#include "stream/coverage_spans.h"

#include <algorithm>
#include <tuple>

#include "stream/json_form.h"

namespace candlewick::stream {
namespace {

auto place_of(const query::CoverageSpan& span) {
  return std::tie(span.timeframe, span.stream, span.from);
}

bool by_place(const query::CoverageSpan& a, const query::CoverageSpan& b) {
  return place_of(a) < place_of(b);
}

}  // namespace

CoverageSpans::CoverageSpans(std::vector<query::CoverageSpan> spans) : spans_(std::move(spans)) {
  std::ranges::sort(spans_, by_place);
}

void CoverageSpans::add(const query::CoverageSpan& assertion) {
  std::vector<query::CoverageSpan> kept;
  kept.reserve(spans_.size() + 2);
  for (auto& span : spans_) {
    const bool is_beside = span.timeframe != assertion.timeframe ||
                           span.stream != assertion.stream || span.to <= assertion.from ||
                           span.from >= assertion.to;
    if (is_beside) {
      kept.push_back(std::move(span));
      continue;
    }
    if (span.from < assertion.from) {
      kept.push_back(span);
      kept.back().to = assertion.from;
    }
    if (span.to > assertion.to) {
      kept.push_back(std::move(span));
      kept.back().from = assertion.to;
    }
  }
  kept.push_back(assertion);
  std::ranges::sort(kept, by_place);
  spans_ = std::move(kept);
}

void CoverageSpans::append(std::string& out) const {
  out += '[';
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    if (i != 0) out += ',';
    append_span(out, spans_[i], SequenceForm::text_if_long);
  }
  out += ']';
}

query::CoverageSpan CoverageSpans::span_of(const schema::Row& row) {
  const auto text = [&](std::string_view column) {
    const auto* value = std::get_if<std::string>(&row.at(column));
    return value == nullptr ? std::optional<std::string>() : std::optional(*value);
  };
  const auto time = [&](std::string_view column) {
    const auto* value = std::get_if<Time>(&row.at(column));
    return value == nullptr ? Time{} : *value;
  };
  const auto* sequence = std::get_if<std::int64_t>(&row.at("seq"));
  return {.exchange = text("exchange").value_or(""),
          .symbol = text("symbol").value_or(""),
          .timeframe = text("timeframe").value_or(""),
          .stream = text("stream").value_or(""),
          .from = time("from"),
          .to = time("to"),
          .state = text("state").value_or(""),
          .cause = text("cause"),
          .evidence = text("evidence"),
          .recorded_at = time("recorded_at"),
          .seq = sequence == nullptr ? 0 : *sequence};
}

}  // namespace candlewick::stream
