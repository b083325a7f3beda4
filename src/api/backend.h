// All that the API answers from, given by whoever starts it: plain values and callbacks, so that
// tests need no service around it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/access.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/observation.h"
#include "feed/venue_feed.h"
#include "log/writer.h"
#include "pipeline/latest.h"
#include "pipeline/statistics.h"
#include "sink/delivery.h"
#include "stream/intake.h"
#include "warehouse/database.h"

namespace candlewick::api {

struct HealthLimits {
  // A feed from which no frame came for longer is not healthy, whatever its connection says.
  Duration feed_silence = std::chrono::seconds{60};
  // A sink whose oldest waiting row is older makes the service "degraded".
  Duration sink_lag = std::chrono::minutes{5};
};

// What is to be followed, in the words of the settings of those names.
struct Subscriptions {
  std::vector<std::string> exchanges;
  std::vector<std::string> symbols;
};

struct FollowedVenue {
  std::string exchange;
  std::vector<std::string> selections;  // as they were asked for
  std::vector<std::string> symbols;     // that they mean
  // Those of them that the venue does not list (once its list is known): nothing will come.
  std::vector<std::string> not_listed;
  // Rules whose instruments are not known yet: the venue's list or its volumes have not come.
  std::vector<std::string> pending;
};

// References and callbacks outlive the service. Callbacks come on the API's own thread and must not
// block; open_database comes on the query threads and may. Empty callbacks mean "there is none
// here".
struct Backend {
  const Clock& clock;
  const pipeline::LatestBoard& board;
  Metrics& metrics;
  Observer& observer;
  std::function<std::vector<feed::FeedStatus>()> feeds{};
  std::function<std::vector<pipeline::PipelineStatistics>()> pipelines{};
  std::function<std::vector<sink::SinkStatistics>()> sinks{};
  std::function<std::optional<log::WriterStatistics>()> log{};
  std::function<Result<std::unique_ptr<warehouse::Database>>()> open_database{};
  // Why the service cannot be used yet, for /readyz ("the warehouse is being migrated"); empty when
  // nothing but data is waited for.
  std::function<std::string()> not_ready{};
  // Of the board: where live events come in. Null: the streams have only what the board shows.
  stream::Intake* intake = nullptr;
  std::function<std::vector<FollowedVenue>()> followed{};
  // From then on exactly that; may block, and comes on the query threads. Errors: misconfigured,
  // transient; nothing has changed then.
  std::function<Result<void>(const Subscriptions&)> follow{};
  std::vector<AccessKey> keys{};
  std::vector<std::string> exchanges{};   // configured, in that order
  std::vector<std::string> timeframes{};  // configured: "1m"; the first is the default
  bool keeps_trades = false;              // pipeline.keep_trades
  std::string warehouse{};  // what it is: "PostgreSQL 15.4 with TimescaleDB 2.19.3 (…)"
  std::string version{};
  HealthLimits limits{};
};

}  // namespace candlewick::api
