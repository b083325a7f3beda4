// A thread for one sink: steps through the log as rows become durable, and ends cleanly.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "sink/delivery.h"

namespace candlewick::sink {

class Runner {
 public:
  Runner(std::unique_ptr<Sink> sink, std::unique_ptr<log::Log> log, const Clock& clock,
         DeliveryOptions options = {});
  // Stops, if nobody did.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  void start();
  // There are new rows in the log: what a log::Writer's listener calls. Any thread, never blocks.
  void wake();
  // Asks for the end and returns at once: after the batch in hand, and with `drain` after what the
  // log holds, as long as no error comes.
  void begin_stop(bool drain = true);
  // The same, and waits for it.
  void stop(bool drain = true);

  SinkStatistics statistics() const { return delivery_.statistics(); }
  std::string_view name() const { return delivery_.name(); }

 private:
  void run();

  Delivery delivery_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_rows_ = false;
  bool is_stopping_ = false;
  bool drain_ = true;
  std::thread thread_;
};

}  // namespace candlewick::sink
