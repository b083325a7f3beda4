// One look at everything: the service's own conditions and the user's thresholds, and what people
// are to be told of them. Reads no clock; what may block is only reading candles.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "alert/bar_series.h"
#include "alert/conditions.h"
#include "alert/threshold.h"
#include "alert/tracker.h"
#include "base/observation.h"
#include "pipeline/latest.h"

namespace candlewick::alert {

class Evaluator {
 public:
  struct Options {
    std::vector<Threshold> thresholds;
    Duration repeat_interval = std::chrono::hours{4};
    Limits limits;
    ReadBars read_bars;
    std::stop_token stop;  // no candles are read any more
  };
  Evaluator(Options options, Observer& observer);

  std::vector<Message> look(const Snapshot& snapshot, const pipeline::LatestBoard& board,
                            Moment now);
  // How many are firing, of every kind there is.
  std::map<std::string, std::size_t> firing() const;

 private:
  Condition look_at(const Threshold& threshold, const pipeline::LatestBoard& board, Moment now);

  std::vector<Threshold> thresholds_;
  Observer& observer_;
  Conditions conditions_;
  Tracker tracker_;
  BarSeries bars_;
  const std::stop_token stop_;
  std::vector<pipeline::LatestBoard::Entry> entries_;
  std::optional<std::uint64_t> entries_version_;
  // Of thresholds without an instrument: since when, and who was told of.
  std::map<std::string, std::optional<SteadyTime>> subjectless_;
};

}  // namespace candlewick::alert
