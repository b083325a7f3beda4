// Either of the two candles may come first.
#include "pipeline/second_opinion.h"

#include <algorithm>

#include "pipeline/candle_reply.h"

namespace candlewick::pipeline {
namespace {

constexpr std::size_t most_waiting = 64;
// One row counts so many minutes, or those until the stream is cut.
constexpr std::int64_t minutes_a_row = 60;

}  // namespace

void SecondOpinion::compare(const Candle& built, const CandleSeries& told, Time stamp,
                            PipelineOutput& output) {
  if (const Candle* candle = told.closed_at(built.open_time))
    return judge(built, *candle, stamp, output);
  std::erase_if(waiting_, [&](const Candle& other) { return other.open_time == built.open_time; });
  if (waiting_.size() == most_waiting) waiting_.pop_front();
  waiting_.push_back(built);
}

void SecondOpinion::closed(const Candle& told, Time stamp, PipelineOutput& output) {
  const auto found = std::ranges::find(waiting_, told.open_time, &Candle::open_time);
  if (found == waiting_.end()) return;
  const Candle built = std::move(*found);
  waiting_.erase(found);
  judge(built, told, stamp, output);
}

void SecondOpinion::judge(const Candle& built, const Candle& told, Time stamp,
                          PipelineOutput& output) {
  if (!counted_) {
    counted_ = Comparison{.instrument = instrument_,
                          .timeframe = built.timeframe,
                          .against = Against::trades,
                          .span = {built.open_time, built.end_time()}};
  }
  counted_->span.from = std::min(counted_->span.from, built.open_time);
  counted_->span.to = std::max(counted_->span.to, built.end_time());
  ++counted_->checked;
  if (differing_columns(told, built).empty()) {
    ++counted_->equal;
  } else {
    ++counted_->different;
    ++differences_;
    output.on_row(mismatch_row({.stored = told,
                                .found = built,
                                .against = Against::trades,
                                .action = MismatchAction::recorded},
                               stamp));
  }
  if (counted_->checked >= minutes_a_row) flush(stamp, output);
}

void SecondOpinion::flush(Time stamp, PipelineOutput& output) {
  if (!counted_) return;
  output.on_row(verification_row(*counted_, stamp, to_ns(stamp)));
  counted_.reset();
}

}  // namespace candlewick::pipeline
