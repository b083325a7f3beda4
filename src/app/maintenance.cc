// A thread that sleeps most of the time.
#include "app/maintenance.h"

#include <utility>

#include "app/observations.h"

namespace candlewick::app {
namespace {

constexpr std::chrono::minutes interval{5};

}  // namespace

Maintenance::Maintenance(warehouse::PostgresLocation location, warehouse::Retention retention,
                         const Clock& clock, Observer& observer)
    : location_(std::move(location)),
      retention_(retention),
      clock_(clock),
      observer_(observer),
      thread_([this] { run(); }) {}

Maintenance::~Maintenance() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Maintenance::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    look_after();
    lock.lock();
    wake_.wait_for(lock, interval, [this] { return stopping_; });
  }
}

void Maintenance::look_after() {
  const auto done = warehouse::maintain_postgres(location_, retention_, clock_.now());
  if (!done) {
    observer_.observe(maintenance_failed, {{"error_kind", to_text(done.error().kind)},
                                           {"error", done.error().message}});
  } else if (done->dropped > 0) {
    observer_.observe(retention_dropped, {{"rows", done->dropped}});
  }
}

}  // namespace candlewick::app
