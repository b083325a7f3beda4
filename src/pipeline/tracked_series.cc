// Causes and notes.
#include "pipeline/tracked_series.h"

#include <algorithm>
#include <string>

namespace candlewick::pipeline {
namespace {

constexpr std::size_t most_downs = 256;
constexpr std::size_t most_told = 8;

}  // namespace

void TrackedSeries::went_down(Time since, std::string_view why) {
  if (is_down()) return;
  // Since its newest frame nothing is known to have come.
  if (newest_frame) since = std::min(since, *newest_frame);
  if (downs_.size() == most_downs) downs_.pop_front();
  downs_.push_back({since, std::nullopt, why});
}

void TrackedSeries::came_back(std::optional<Time> now) {
  if (is_down() && now) downs_.back().until = now;
}

void TrackedSeries::told(const Candle& forming) {
  for (auto& candle : told_) {
    if (candle.open_time != forming.open_time) continue;
    candle = forming;
    return;
  }
  if (told_.size() == most_told) told_.pop_front();
  told_.push_back(forming);
}

bool TrackedSeries::was_told(const Candle& candle) const {
  return std::ranges::any_of(told_, [&](const Candle& told) {
    return told.open_time == candle.open_time && told.same_values(candle);
  });
}

std::string_view TrackedSeries::cause_at(Time open) const {
  const Time end = next_open(candles.timeframe(), open);
  if (!followed_from || end <= *followed_from) {
    if (first_followed) return end <= *first_followed ? cause::before_start : cause::process_down;
    return remembered_until && open >= *remembered_until ? cause::process_down
                                                         : cause::before_start;
  }
  for (const auto& down : downs_) {
    // A closing frame comes up to seconds after the end.
    if (down.since < end + std::chrono::seconds{5} && (!down.until || *down.until >= open))
      return down.why;
  }
  return cause::frame_lost;
}

void TrackedSeries::note(CoverageLedger& ledger, Span span, CoverageState state,
                         std::string_view evidence, std::string_view why) {
  const Assertion assertion{.instrument = &candles.instrument(),
                            .timeframe = candles.timeframe(),
                            .stream = Stream::candles,
                            .span = span,
                            .state = state,
                            .cause = {},
                            .evidence = std::string(evidence)};
  for (const auto& changed : candles.note(span, state)) {
    for (Time open = changed.from; open < changed.to;) {
      const Time next = next_open(candles.timeframe(), open);
      Assertion one = assertion;
      one.span = {open, next};
      if (state != CoverageState::live) one.cause = why.empty() ? cause_at(open) : why;
      ledger.add(std::move(one));
      open = next;
    }
  }
}

void TrackedSeries::note_missing(CoverageLedger& ledger, Time until) {
  for (const auto& hole : candles.holes(until)) note(ledger, hole, CoverageState::missing, {});
}

}  // namespace candlewick::pipeline
