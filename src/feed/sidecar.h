// A feed's link to a venue that a process of its own speaks for, in JSON Lines (sidecar/README.md):
// starts it, starts it again when it ends or hangs, and turns connections and requests into lines.
// One process a venue, so that what befalls one leaves the others alone. Its end is the end of
// every connection, and every request under way fails: an outage of the venue like any other.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/observation.h"
#include "feed/link.h"
#include "net/backoff.h"
#include "net/child.h"

namespace candlewick::feed {

struct SidecarOptions {
  std::string venue;
  net::ChildOptions child;
  Duration start_limit = std::chrono::seconds{60};    // until its first line
  Duration silence_limit = std::chrono::seconds{10};  // it beats every second
  Duration request_limit = std::chrono::seconds{90};
  Duration watch_interval = std::chrono::seconds{1};  // how often these are looked after
  net::BackoffOptions restart;
  std::uint64_t seed = 0;
};

class Sidecar final : public Link {
 public:
  // Loop, clock and observer must outlive it; make, use and destroy it on the loop's thread.
  Sidecar(net::Loop& loop, const Clock& clock, Observer& observer, SidecarOptions options);
  ~Sidecar() override;

  void open(ConnectionId connection, const std::string& url) override;
  void send(ConnectionId connection, std::string message) override;
  void close(ConnectionId connection) override;
  void request(RequestId request, const std::string& url,
               const exchange::RestRequest& rest) override;

  // Its process id; 0 while there is none.
  int process() const { return child_ == nullptr ? 0 : child_->process(); }

  struct Line;

 private:
  struct Asked {
    std::string line;
    SteadyTime deadline{};
  };

  void start_soon(Duration delay);
  void start();
  void lost(const Error& why);
  void watch();
  void on_line(std::string_view text);
  void on_ready();
  void opened(ConnectionId connection);
  void on_beat();
  void on_closed(ConnectionId connection, const Line& line);
  void on_answer(const Line& line, std::string_view text);
  void write(std::string_view line);

  const Clock& clock_;
  Observer& observer_;
  SidecarOptions options_;
  net::Backoff backoff_;
  std::unique_ptr<net::Child> child_;
  bool is_ready_ = false;
  SteadyTime started_{};
  SteadyTime last_line_{};
  std::string complaint_;  // of its standard error
  json::Reader reader_;
  json::Reader part_reader_;
  std::set<ConnectionId> waiting_;  // for it to be ready
  std::set<ConnectionId> open_;
  std::map<RequestId, Asked> asked_;
  net::Timer start_timer_;
  net::Timer watch_timer_;
  // What is posted and arrives after the sidecar is gone finds this expired.
  std::shared_ptr<Sidecar*> self_;
};

// Starts it with "--describe" and waits for its first line, {"ready":…}, which is answered. Blocks.
// Errors: misconfigured when the program or its package is missing or it knows no such venue;
// transient when it does not answer.
Result<std::string> describe_sidecar(net::ChildOptions child,
                                     Duration limit = std::chrono::seconds{60});

}  // namespace candlewick::feed
