// The thread "alerts": looks at the service once a second and tells people what is worth it. What
// it looks at are copies; nothing of the service waits for it.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "alert/evaluator.h"
#include "alert/notifier.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/observation.h"

namespace candlewick::alert {

// What the configuration says, read strictly. Error: misconfigured, naming the key.
struct Plan {
  std::vector<Receiver> receivers;
  std::vector<Threshold> thresholds;
};
Result<Plan> read_plan(const Config::Alerts& config);

class Watch {
 public:
  struct Parts {
    const Clock& clock;
    Observer& observer;
    Metrics& metrics;
    const pipeline::LatestBoard& board;
    std::function<Snapshot()> take_snapshot;  // may block
    ReadBars read_bars;
    Duration repeat_interval = std::chrono::hours{4};
    std::string ca_file;
    Limits limits;
    Duration interval = std::chrono::seconds{1};
  };
  Watch(Plan plan, Parts parts);
  // Waits for the look at work, that is for one reading of candles at most; what could not be sent
  // yet is given up.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  void look();

  const Parts parts_;
  std::stop_source stopping_;
  Evaluator evaluator_;
  net::Loop loop_{"alerts"};
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<Notifier> notifier_;
  net::Timer timer_;
};

}  // namespace candlewick::alert
