// What connects a VenueFeed to the outside world, whatever is there: it passes on what the feed
// asks for, brings back the answers, and keeps the one timer that the feed needs, all on one loop's
// thread.
#pragma once

#include <optional>

#include "base/clock.h"
#include "feed/venue_feed.h"
#include "net/loop.h"

namespace candlewick::feed {

class Link : public Port {
 public:
  // Loop and clock must outlive the link; make, use and destroy it on the loop's thread.
  Link(net::Loop& loop, const Clock& clock) : loop_(loop), clock_(clock) {}

  // Before the feed does anything.
  void attach(VenueFeed& feed) { feed_ = &feed; }
  // After calls to the feed from outside: its next wake may have moved.
  void rearm();
  Moment now() const { return {clock_.steady(), clock_.now()}; }

 protected:
  net::Loop& loop() { return loop_; }
  VenueFeed& feed() { return *feed_; }

 private:
  net::Loop& loop_;
  const Clock& clock_;
  VenueFeed* feed_ = nullptr;
  net::Timer timer_;
  std::optional<SteadyTime> armed_for_;
};

}  // namespace candlewick::feed
