// Prometheus metrics behind plain handles, so that no caller pays for the library's headers. Names
// are candlewick_<layer>_<what>_<unit>[_total]; label values come from closed sets.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/delays.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace candlewick {

using Labels = std::map<std::string, std::string>;

// Handles are pointers: copy them freely, keep them no longer than the Metrics that made them. All
// of them may be used from any thread.
class Counter {
 public:
  void add(double amount = 1);
  double value() const;

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  void set(double value);
  void add(double amount);
  double value() const;

 private:
  friend class Metrics;
  explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  void observe(double value);

 private:
  friend class Metrics;
  explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
  prometheus::Histogram* histogram_;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The same name and labels give the same metric. The name's kind, help and buckets are those of
  // the first call. Keep the handle where it is hot: each call here takes a lock and a lookup.
  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // `buckets`: ascending upper bounds, +Inf not named.
  Histogram histogram(const std::string& name, const std::string& help,
                      const std::vector<double>& buckets, const Labels& labels = {});

  // What is told anew at each look: a series that a page had before and has not any more is gone
  // from the text, as are those of a venue that is followed no more. Pages are told apart by their
  // names and share no series with each other nor with gauge() and histogram(). Any thread.
  struct Told {
    std::string name;
    std::string help;
    Labels labels;
    double value = 0;
  };
  struct ToldDelays {
    std::string name;
    std::string help;
    Labels labels;
    Delays delays;  // all of them, since the start
  };
  void tell(const std::string& page, const std::vector<Told>& gauges,
            const std::vector<ToldDelays>& delays = {});

  // Called at every text(), before collecting: for gauges that are cheaper to look up than to keep.
  // Runs on the scraping thread.
  void on_scrape(std::function<void()> refresh);

  // The text exposition format, for /metrics.
  std::string text();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace candlewick
