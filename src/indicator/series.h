// The indicators of one instrument and timeframe, kept right while bars arrive, are corrected or
// fill a hole. The values are always those of a computation over the present bars from the first
// one on, bit for bit.
//
// Memory with the default limits and 1m bars: about 290 KB, mostly 2,945 bars of 72 bytes (24 h for
// the windows, 24 h of horizon); up to 380 KB after a day in which highs only fell and lows only
// rose.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "indicator/calculator.h"

namespace candlewick::indicator {

struct SeriesLimits {
  // How far behind the newest bar a bar may be changed or inserted, in bar lengths; values_at()
  // reaches as far. The history kept follows from it.
  std::size_t horizon = 1440;
};

// What a bar did to the series.
struct Applied {
  enum class Outcome {
    appended,       // a newer bar
    amended,        // an earlier bar has other prices or another volume now
    inserted,       // a bar inside a hole, or before the first one
    unchanged,      // the same bar again
    out_of_horizon  // too old to be changed: ignored
  };

  Outcome outcome;
  // The bars whose values are new, first and last included; none when `bars` is 0.
  Time first{};
  Time last{};
  std::size_t bars = 0;
};

class Series {
 public:
  explicit Series(Duration bar_length, SeriesLimits limits = {});

  // O(1) for a newer bar (amortised), O(bars since + window) else.
  Applied apply(const Bar& bar);

  // Absent before the first bar.
  std::optional<Values> latest() const;
  // Absent when there is no such bar or it lies behind the horizon. O(window): for many use each().
  std::optional<Values> values_at(Time open_time) const;
  // The values of all bars from `first` to `last`, both included, oldest first; bars behind the
  // horizon are left out.
  void each(Time first, Time last, const std::function<void(const Values&)>& visit) const;

  // How many bars a history must have for restore(); with corrections_need() of them, restored
  // series can be corrected as far back as before.
  std::size_t windows_need() const { return head_.bars_needed(); }
  std::size_t corrections_need() const { return kept_; }

  // The state after the last bar, in about 1 KB of ASCII on one line.
  std::string checkpoint() const;
  // Continues from a checkpoint as if there had been no break. `history`: the last bars, oldest
  // first, up to and including the checkpoint's. Error: malformed (the text), rejected (a history
  // that does not end there, is out of order or too short); the series is empty then.
  //
  // Where the history differs from what the checkpoint saw, the checkpoint is believed and the bars
  // before it can no longer be corrected (out_of_horizon).
  Result<void> restore(std::string_view checkpoint, std::span<const Bar> history);

 private:
  // What the indicators read of a bar, without the padding that 128-bit members would bring.
  class Kept {
   public:
    explicit Kept(const Bar& bar);
    Bar bar() const;
    Time open_time() const { return open_time_; }
    bool operator==(const Kept&) const = default;

   private:
    struct Packed {
      explicit Packed(Decimal value);
      Decimal value() const;
      bool operator==(const Packed&) const = default;
      std::uint64_t low;
      std::uint64_t high;
    };
    Time open_time_;
    Packed high_, low_, close_, volume_;
  };
  struct Snapshot {
    Time open_time;
    std::string state;  // after that bar
  };

  std::size_t find(Time open_time) const;
  bool behind_horizon(Time open_time) const;
  std::optional<Calculator> resume(std::size_t index, std::string_view state) const;
  std::optional<Calculator> state_before(std::size_t index) const;
  void remember(const Calculator& state);
  Calculator replay(Calculator from, std::size_t index);
  void trim();
  void clear();
  bool adopt_replayed(std::string_view state, std::string_view anchor);

  Duration bar_length_;
  std::size_t horizon_;
  Calculator head_;
  std::size_t kept_;
  std::deque<Kept> bars_;
  bool complete_ = true;  // bars_ holds every bar since the first
  std::deque<Snapshot> snapshots_;
};

}  // namespace candlewick::indicator
