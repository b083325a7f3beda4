// Pending assertions are few, so the newest one of a stream is found by looking back.
#include "pipeline/coverage_ledger.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace candlewick::pipeline {

void CoverageLedger::add(Assertion assertion) {
  const auto backwards = std::views::reverse(pending_);
  const auto newest = std::ranges::find_if(backwards, [&](const Assertion& known) {
    return known.instrument == assertion.instrument && known.timeframe == assertion.timeframe &&
           known.stream == assertion.stream;
  });
  if (newest != backwards.end() && newest->span.to == assertion.span.from &&
      newest->state == assertion.state && newest->cause == assertion.cause) {
    newest->span.to = assertion.span.to;
    newest->evidence = std::move(assertion.evidence);
    return;
  }
  pending_.push_back(std::move(assertion));
}

void CoverageLedger::again(const schema::Row& row, const Instrument& instrument) {
  const auto text = [&](std::string_view column) -> std::string_view {
    const auto* words = std::get_if<std::string>(&row.at(column));
    return words == nullptr ? std::string_view{} : std::string_view(*words);
  };
  const auto timeframe = parse_timeframe(text("timeframe"));
  const auto state = parse_coverage_state(text("state"));
  const auto stream = parse_stream(text("stream"));
  if (!timeframe || !state || !stream) return;
  add({.instrument = &instrument,
       .timeframe = *timeframe,
       .stream = *stream,
       .span = {std::get<Time>(row.at("from")), std::get<Time>(row.at("to"))},
       .state = *state,
       .cause = known_cause(text("cause")),
       .evidence = std::string(text("evidence"))});
}

void CoverageLedger::flush(Time recorded_at, PipelineOutput& output) {
  for (const auto& assertion : pending_)
    output.on_row(coverage_row(assertion, recorded_at, sequence_));
  pending_.clear();
}

}  // namespace candlewick::pipeline
