// A venue on loopback: just enough of Binance to send one instrument's quotes at a steady rate,
// each with its number, and closed candles whose minutes go by as fast as they are sent.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::bench {

inline constexpr std::size_t most_quotes = 100'000;
inline constexpr std::size_t most_candles = 1'000;

std::int64_t steady_ns();

// When each number was sent, 0: not yet. Written by the venue's thread, read by the observers.
struct SendTimes {
  std::vector<std::atomic<std::int64_t>> quotes =
      std::vector<std::atomic<std::int64_t>>(most_quotes);
  std::vector<std::atomic<std::int64_t>> candles =
      std::vector<std::atomic<std::int64_t>>(most_candles);
};

struct VenueOptions {
  Time start{};  // a full minute
  std::int64_t quotes_a_second = 0;
  Duration candle_interval{};  // zero: the first minute stays open
};

class VenueServer {
 public:
  // The times outlive it.
  VenueServer(VenueOptions options, SendTimes& times);
  ~VenueServer();
  VenueServer(const VenueServer&) = delete;
  VenueServer& operator=(const VenueServer&) = delete;

  Result<void> listen();
  std::string address() const;
  // Sends from here on, to the connection that came last.
  void begin();
  void end();
  std::int64_t quotes_sent();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace candlewick::bench
