// The running service: builds every part from the configuration, connects them, and takes them down
// in order. Threads: ingest (feeds and pipelines), log, one a sink, api with its query threads,
// alerts, and libcurl's.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "app/sinks.h"
#include "app/subscriptions.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/observation.h"
#include "feed/venue_feed.h"
#include "log/writer.h"
#include "pipeline/latest.h"
#include "sink/delivery.h"

namespace candlewick::app {

class Service {
 public:
  // Everything is up when this returns; feeds connect from then on. Errors: misconfigured with the
  // key and the reason (nothing keeps running then).
  // `read_config` reads it again, before a sink that was set up wrongly is tried another time.
  static Result<std::unique_ptr<Service>> start(const Config& config, const Clock& clock,
                                                Observer& observer, Metrics& metrics,
                                                ReadConfig read_config = {});
  // Stops, if nobody did.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // From now on exactly this is followed, and at the next start too. Blocks; any thread. Errors: as
  // Ingest::follow(), and misconfigured when the order cannot be kept.
  Result<void> follow(const Wanted& wanted);
  // What a configuration that was read again says; orders from before are forgotten.
  Result<void> follow_configuration(const Config& config);

  // Disconnects, makes durable what is known, lets the sinks catch up.
  void stop();

  std::string api_address() const;
  const pipeline::LatestBoard& board() const;
  std::vector<feed::FeedStatus> feeds() const;
  std::vector<sink::SinkStatistics> sinks() const;
  log::WriterStatistics log() const;

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace candlewick::app
