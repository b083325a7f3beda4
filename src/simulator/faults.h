// What goes wrong, how often, and how often it did. Whether a thing happens is a hash of the seed,
// the kind and a count of chances, so a schedule of faults repeats itself exactly.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::simulator {

// Each is a probability: of a data frame, of a connection or of a request.
enum class Fault : unsigned char {
  drop,        // the frame is lost
  twice,       // "double": it comes twice
  reorder,     // the next frame of its stream overtakes it
  truncate,    // it is cut short
  delay,       // it comes later than those after it
  silent,      // nothing more comes on this connection, which stays open
  refuse,      // a WebSocket connection is refused with 503
  unclosed,    // the last update of a candle does not say that it is closed
  status_429,  // the request is refused, with Retry-After
  status_418,
  status_5xx,
  book,     // the snapshot's levels are older than its id says
  unfinal,  // REST shows the candle after, but the one just closed without its last trades
};
inline constexpr std::size_t fault_kinds = 13;

struct Outage {
  Duration start{};  // after the simulation's start
  Duration length{};
  friend bool operator==(const Outage&, const Outage&) = default;
};

// From then on the ids of trades are greater by so many, though no trade is missing.
struct IdJump {
  Duration start{};
  std::uint64_t ids = 0;
  friend bool operator==(const IdJump&, const IdJump&) = default;
};

struct FaultSettings {
  std::array<double, fault_kinds> chance{};
  Duration delay{};
  // Every connection is cut at some moment within 0.5 to 1.5 times this; zero: never.
  Duration disconnect{};
  Duration lag{};      // how far REST data is behind the streams
  Duration skew{};     // what the venue's clock reads ahead: server time and event times
  Duration unfinal{};  // how long after its end, and by how much, a row of REST may be behind
  std::vector<std::string> vanished;
  std::vector<Outage> outages;    // of streams and REST; the market goes on
  std::vector<Outage> blackouts;  // of the market: no trades, and no candles, not even empty ones
  std::vector<IdJump> jumps;
  std::int64_t retry_after_seconds = 1;
  std::optional<int> weight_per_minute;  // instead of the venue's own budget
  std::uint64_t seed = 1;
};

class Faults {
 public:
  // "drop=0.01,delay=200ms:0.05,disconnect=30s,429=0.02,lag=5s,vanish=BTCUSDT+ETHUSDT,
  // unfinal=4s:0.5,outage=60s+1h,blackout=60s+1h,jump=90s+1000,seed=7", or the same keys in a JSON
  // object. Keys not named stay as they are; "none" first puts everything back. But what has
  // happened to the market itself by then (blackouts and jumps that have begun) is history: it
  // stays, and cannot be put into the past. All or nothing. Error: misconfigured, naming the key.
  Result<void> change(std::string_view text, Duration since_start = {});

  const FaultSettings& settings() const { return settings_; }
  // Draws, and counts it if it happens. `who` and `which` name the chance.
  bool happens(Fault fault, std::uint64_t who, std::uint64_t which);
  // A number in [0, 1) that goes with a chance.
  double draw(std::string_view what, std::uint64_t who, std::uint64_t which) const;
  bool has_vanished(std::string_view exchange_symbol) const;
  bool in_outage(Duration since_start) const;

  // For what happens by time rather than by chance.
  void count_disconnect() { ++disconnects_; }
  void count_outage() { ++outage_refusals_; }
  std::uint64_t count(Fault fault) const { return counts_[static_cast<std::size_t>(fault)]; }
  std::uint64_t disconnects() const { return disconnects_; }

  // JSON objects.
  std::string settings_json() const;
  std::string counts_json() const;

 private:
  FaultSettings settings_;
  std::array<std::uint64_t, fault_kinds> counts_{};
  std::uint64_t disconnects_ = 0;
  std::uint64_t outage_refusals_ = 0;
};

}  // namespace candlewick::simulator
