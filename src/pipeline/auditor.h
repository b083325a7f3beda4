// Re-reads closed candles from the venue's history in the background and holds them against what is
// stored: once when they are some minutes old, and again when they are a day old, since venues
// correct late. A difference is recorded and repaired as a revision.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/backfill.h"
#include "pipeline/output.h"
#include "pipeline/statistics.h"
#include "pipeline/tracked_series.h"
#include "pipeline/verification.h"

namespace candlewick::pipeline {

struct AuditOptions {
  bool is_on = true;
  // A candle is read again once it is this old, by the venue's clock, and certainly final.
  std::vector<Duration> ages{std::chrono::minutes{10}, std::chrono::hours{24}};
  // So many candles are due before a request is worth it.
  std::int64_t batch = 60;
  std::int64_t most = 1000;  // candles in one reply of the venue
};

class Auditor {
 public:
  // Repairs go there.
  using Repair = std::function<void(TrackedSeries&, const Candle&)>;

  Auditor(AuditOptions options, PipelineOutput& output, Repair repair)
      : options_(std::move(options)), output_(output), repair_(std::move(repair)) {}

  void connect(AskFunction ask) { ask_ = std::move(ask); }
  void add(TrackedSeries& series);
  void remove(const TrackedSeries& series);
  // Asks for the next candles that are due; one request at a time.
  void plan(Time now);
  // Is this an answer for here? Then it is dealt with.
  bool on_reply(feed::RequestId request, const Events& events, Time now, Time stamp);
  bool on_refused(feed::RequestId request, Time now);

  const AuditStatistics& statistics() const { return statistics_; }

 private:
  struct Cursor {
    TrackedSeries* series;
    Duration age;
    std::optional<Time> next;  // open of the first candle that is due
    std::optional<Time> not_before;
  };
  struct Asked {
    Cursor* cursor;
    exchange::RestQuery query;
  };

  AuditOptions options_;
  PipelineOutput& output_;
  Repair repair_;
  AskFunction ask_;
  std::vector<std::unique_ptr<Cursor>> cursors_;
  std::size_t turn_ = 0;
  std::map<feed::RequestId, Asked> asked_;
  AuditStatistics statistics_;
};

}  // namespace candlewick::pipeline
