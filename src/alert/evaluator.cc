// The board is asked for one figure a threshold, under its lock; nothing is copied.
#include "alert/evaluator.h"

#include <array>
#include <utility>

#include "alert/figures.h"
#include "alert/observations.h"

namespace candlewick::alert {
namespace {

constexpr std::array<std::string_view, 10> names{
    "dead_letters", "disk_budget", "feed_dead",  "key_expiring", "log_failing",
    "missing_data", "rows_lost",   "sink_stuck", "threshold",    "verification_mismatch"};
// What is followed by rules may take so long to be known.
constexpr Duration subject_patience = std::chrono::minutes{2};

}  // namespace

Evaluator::Evaluator(Options options, Observer& observer)
    : thresholds_(std::move(options.thresholds)),
      observer_(observer),
      conditions_(options.limits),
      tracker_(options.repeat_interval),
      bars_(std::move(options.read_bars), observer),
      stop_(std::move(options.stop)) {}

Condition Evaluator::look_at(const Threshold& threshold, const pipeline::LatestBoard& board,
                             Moment now) {
  const auto* subject = find_subject(threshold, entries_);
  if (subject == nullptr) {
    const auto [since, is_new] = subjectless_.try_emplace(threshold.text, now.steady);
    if (since->second && now.steady - *since->second >= subject_patience) {
      since->second.reset();
      observer_.observe(threshold_without_subject, {{"error", threshold.text}});
    }
    return without_subject(threshold);
  }
  subjectless_.erase(threshold.text);
  const Instrument& instrument = *subject->instrument;
  if (threshold.timeframe == Timeframe::m1) {
    const auto value = board.look(subject->slot, [&](const pipeline::Latest& latest) {
      return read_figure(latest, threshold.figure);
    });
    return condition_of(threshold, instrument, value);
  }
  const auto minutes_end =
      board.look(subject->slot, [](const pipeline::Latest& latest) -> std::optional<Time> {
        const auto newest = latest.closed.find(Timeframe::m1);
        if (newest == latest.closed.end() || latest.is_stale) return std::nullopt;
        return newest->second.end_time();
      });
  if (!minutes_end || stop_.stop_requested())
    return condition_of(threshold, instrument, std::nullopt);
  const auto values = bars_.values(instrument, threshold.timeframe, *minutes_end, now.steady);
  return condition_of(threshold, instrument,
                      values ? read_figure(*values, threshold.figure) : std::nullopt);
}

std::vector<Message> Evaluator::look(const Snapshot& snapshot, const pipeline::LatestBoard& board,
                                     Moment now) {
  auto found = conditions_.look(snapshot, now);
  if (!thresholds_.empty() && entries_version_ != board.version()) {
    entries_version_ = board.version();
    entries_ = board.entries();
  }
  for (const auto& threshold : thresholds_) found.push_back(look_at(threshold, board, now));
  return tracker_.look(found, now);
}

std::map<std::string, std::size_t> Evaluator::firing() const {
  auto firing = tracker_.firing();
  for (const auto name : names) firing.try_emplace(std::string(name), 0);
  return firing;
}

}  // namespace candlewick::alert
