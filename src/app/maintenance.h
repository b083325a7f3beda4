// Looks after a PostgreSQL warehouse on a thread of its own: partitions ahead, retention, roll-ups
// of what came late.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/observation.h"
#include "warehouse/postgres_maintenance.h"

namespace candlewick::app {

class Maintenance {
 public:
  Maintenance(warehouse::PostgresLocation location, warehouse::Retention retention,
              const Clock& clock, Observer& observer);
  // Waits for what is being done.
  ~Maintenance();
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

 private:
  void run();
  void look_after();

  const warehouse::PostgresLocation location_;
  const warehouse::Retention retention_;
  const Clock& clock_;
  Observer& observer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace candlewick::app
