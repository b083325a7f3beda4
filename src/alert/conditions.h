// What can be wrong with the service itself, found in a snapshot of what its parts say. Reads no
// clock and asks nobody.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alert/expiry.h"
#include "alert/message.h"
#include "alert/tracker.h"
#include "feed/venue_feed.h"
#include "log/writer.h"
#include "pipeline/statistics.h"
#include "sink/delivery.h"

namespace candlewick::alert {

// How patient the service is with itself.
struct Limits {
  Duration feed_dead = std::chrono::minutes{1};  // without a connection, or connected and silent
  Duration sink_lag = std::chrono::minutes{5};   // beyond the age that its batches may have
  Duration sink_stopped = std::chrono::seconds{30};
  Duration missing = std::chrono::minutes{15};  // without getting fewer
  Duration news = std::chrono::hours{1};        // what was counted is told for so long
  int budget_percent = 80;                      // of the log's disk budget
  int budget_critical_percent = 95;
  std::uint64_t free_bytes = std::uint64_t{1} << 30;  // of the data folder's disk
  std::uint64_t free_critical_bytes = std::uint64_t{256} << 20;
  Duration expiry = std::chrono::days{14};
  Duration expiry_critical = std::chrono::days{3};
};

struct Snapshot {
  std::vector<feed::FeedStatus> feeds;
  std::vector<pipeline::PipelineStatistics> pipelines;
  std::vector<sink::SinkStatistics> sinks;
  // How old a batch of a sink may get before it is written; others: no time.
  std::map<std::string, Duration> batch_ages;
  log::WriterStatistics log;
  std::optional<std::uint64_t> free_bytes;  // of the data folder's disk
  // By exchange: differences found since the start by any comparison, also of other processes.
  std::map<std::string, std::uint64_t> mismatches;
  std::vector<Credential> credentials;
};

// Remembers counters, to see them grow. One a service.
class Conditions {
 public:
  Conditions() = default;
  explicit Conditions(Limits limits) : limits_(limits) {}

  // Everything that is looked at, firing or not.
  std::vector<Condition> look(const Snapshot& snapshot, Moment now);

 private:
  // A counter that grew within the last hour.
  struct Growth {
    std::optional<std::uint64_t> known;
    std::uint64_t news = 0;  // since it was calm last
    std::optional<SteadyTime> grown_at;
  };
  // A number that does not get smaller.
  struct Stuck {
    std::size_t lowest = 0;
    std::optional<SteadyTime> since;
  };

  std::uint64_t news_of(const std::string& counter, std::uint64_t value, bool starts_at_zero,
                        Moment now);
  void add_feed(const feed::FeedStatus& feed, Moment now);
  void add_pipeline(const pipeline::PipelineStatistics& pipeline, Moment now);
  void add_mismatches(const Snapshot& snapshot, Moment now);
  void add_sink(const sink::SinkStatistics& sink, Duration batch_age, Moment now);
  void add_log(const log::WriterStatistics& log);
  void add_disk(std::uint64_t free_bytes);
  void add_credential(const Credential& credential, Moment now);

  Limits limits_;
  std::map<std::string, Growth> growth_;
  std::map<std::string, Stuck> missing_;
  std::vector<Condition> found_;
};

}  // namespace candlewick::alert
