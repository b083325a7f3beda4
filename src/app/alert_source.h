// What the alerts look at: copies of what the service's parts say, the disk, the warehouse's list
// of differences, and the ends of certificates and keys.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "alert/watch.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/observation.h"
#include "warehouse/database.h"

namespace candlewick::app {

struct AlertParts {
  const Config& config;
  const Clock& clock;
  Observer& observer;
  Metrics& metrics;
  const pipeline::LatestBoard& board;
  std::function<std::vector<feed::FeedStatus>()> feeds;
  std::function<std::vector<pipeline::PipelineStatistics>()> pipelines;
  std::function<std::vector<sink::SinkStatistics>()> sinks;
  std::function<log::WriterStatistics()> log;
  std::function<Result<std::unique_ptr<warehouse::Database>>()> open_database;
};

// Watches from now on. What is in the parts outlives it.
std::unique_ptr<alert::Watch> start_alerts(alert::Plan plan, AlertParts parts);

}  // namespace candlewick::app
