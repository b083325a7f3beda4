// Which candles next, and what the venue says about them.
#include "pipeline/auditor.h"

#include <algorithm>

#include "pipeline/candle_reply.h"

namespace candlewick::pipeline {

using namespace std::chrono_literals;

namespace {

constexpr Duration refusal_pause = 1h;
constexpr Duration look_back = 12h;

}  // namespace

void Auditor::add(TrackedSeries& series) {
  for (const auto age : options_.ages)
    cursors_.push_back(std::make_unique<Cursor>(Cursor{&series, age, {}, {}}));
}

void Auditor::remove(const TrackedSeries& series) {
  std::erase_if(asked_, [&](const auto& entry) { return entry.second.cursor->series == &series; });
  std::erase_if(cursors_, [&](const auto& cursor) { return cursor->series == &series; });
}

void Auditor::plan(Time now) {
  if (!options_.is_on || ask_ == nullptr || !asked_.empty()) return;
  for (std::size_t tried = 0; tried < cursors_.size(); ++tried) {
    Cursor& cursor = *cursors_[turn_ % cursors_.size()];
    ++turn_;
    const CandleSeries& candles = cursor.series->candles;
    const Timeframe timeframe = candles.timeframe();
    if (!cursor.series->was_complete || (cursor.not_before && now < *cursor.not_before)) continue;
    // The last row of an answer counts only once it is final by its age.
    const Time due =
        open_of(timeframe, now - std::max(cursor.age, certainly_final_after(timeframe)));
    // History that was just read needs no second look; what a warehouse remembers gets one, since
    // nothing says how far the check had come before the restart.
    if (!cursor.next) {
      cursor.next = cursor.series->remembered_until ? open_of(timeframe, due - look_back) : due;
    }
    if ((due - *cursor.next) / length_of(timeframe) < options_.batch) continue;
    exchange::RestQuery query;
    query.kind = exchange::RestKind::candles;
    query.instrument = &candles.instrument();
    query.timeframe = timeframe;
    query.start = *cursor.next;
    query.end = std::min(due, *cursor.next + length_of(timeframe) * options_.most);
    const auto request = ask_(query, feed::Priority::history);
    if (!request) {
      options_.is_on = false;  // no such history at this venue
      return;
    }
    asked_.emplace(*request, Asked{&cursor, query});
    return;
  }
}

bool Auditor::on_refused(feed::RequestId request, Time now) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return false;
  found->second.cursor->not_before = now + refusal_pause;
  asked_.erase(found);
  return true;
}

bool Auditor::on_reply(feed::RequestId request, const Events& events, Time now, Time stamp) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return false;
  const Asked asked = found->second;
  asked_.erase(found);
  TrackedSeries& series = *asked.cursor->series;
  const auto& candles = series.candles;
  const auto reply = read_candle_reply(asked.query, events, now);
  // An answer without any row proves nothing about so many.
  if (reply.rows == 0) {
    asked.cursor->not_before = now + refusal_pause;
    return true;
  }
  Comparison comparison{.instrument = &candles.instrument(),
                        .timeframe = candles.timeframe(),
                        .against = Against::rest,
                        .span = {*asked.query.start, *asked.query.end}};
  std::map<Time, const Candle*> answered;
  for (const auto& candle : reply.closed) answered.emplace(candle.open_time, &candle);
  for (Time open = *asked.query.start; open < *asked.query.end;
       open = next_open(candles.timeframe(), open)) {
    const Candle* stored = candles.closed_at(open);
    const auto row = answered.find(open);
    const Candle* told = row == answered.end() ? nullptr : row->second;
    // A hole is Backfill's.
    if (stored == nullptr) continue;
    ++comparison.checked;
    if (told == nullptr) {
      ++comparison.absent;
      output_.on_row(mismatch_row({.stored = *stored,
                                   .found = {},
                                   .against = Against::rest,
                                   .action = MismatchAction::recorded},
                                  stamp));
    } else if (differing_columns(*stored, *told).empty()) {
      ++comparison.equal;
    } else {
      ++comparison.different;
      output_.on_row(mismatch_row({.stored = *stored,
                                   .found = *told,
                                   .against = Against::rest,
                                   .action = MismatchAction::revised},
                                  stamp));
      repair_(series, *told);
    }
  }
  asked.cursor->next = *asked.query.end;
  if (comparison.checked == 0) return true;
  statistics_.checked += static_cast<std::uint64_t>(comparison.checked);
  statistics_.different += static_cast<std::uint64_t>(comparison.different);
  statistics_.absent += static_cast<std::uint64_t>(comparison.absent);
  output_.on_row(verification_row(comparison, stamp, to_ns(stamp)));
  return true;
}

}  // namespace candlewick::pipeline
