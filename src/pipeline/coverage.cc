// Assertions to rows.
#include "pipeline/coverage.h"

#include <algorithm>
#include <array>
#include <utility>

namespace candlewick::pipeline {
namespace {

constexpr std::array<std::string_view, 8> state_names{
    "unknown", "live",          "backfilled", "confirmed_empty",
    "missing", "unrecoverable", "halted",     "not_listed"};

schema::Value text_or_null(std::string_view text) {
  if (text.empty()) return schema::Null{};
  return std::string(text);
}

}  // namespace

std::string_view to_text(CoverageState state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::optional<CoverageState> parse_coverage_state(std::string_view text) {
  const auto* found = std::ranges::find(state_names, text);
  if (found == state_names.end() || found == state_names.begin()) return std::nullopt;
  return static_cast<CoverageState>(found - state_names.begin());
}

std::string_view known_cause(std::string_view text) {
  constexpr std::array causes{cause::disconnect,      cause::silence,      cause::frame_lost,
                              cause::sequence_gap,    cause::process_down, cause::before_start,
                              cause::exchange_outage, cause::no_trades,    cause::out_of_reach,
                              cause::listing,         cause::ingest_paused};
  const auto* found = std::ranges::find(causes, text);
  return found == causes.end() ? std::string_view{} : *found;
}

std::int64_t CoverageSequence::next(Time recorded_at) {
  return last_ = std::max(last_ + 1, to_ns(recorded_at));
}

void CoverageSequence::seen(std::int64_t sequence) {
  last_ = std::max(last_, sequence);
}

schema::Row coverage_row(const Assertion& assertion, Time recorded_at, CoverageSequence& sequence) {
  return {&schema::coverage,
          {assertion.instrument->exchange, assertion.instrument->symbol,
           std::string(to_text(assertion.timeframe)), std::string(to_text(assertion.stream)),
           assertion.span.from, assertion.span.to, std::string(to_text(assertion.state)),
           text_or_null(assertion.cause), text_or_null(assertion.evidence), recorded_at,
           sequence.next(recorded_at)}};
}

}  // namespace candlewick::pipeline
