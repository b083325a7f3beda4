// The candles of one instrument and timeframe, as they close: takes candle events in any order and
// from any source, says what each one changed, and knows which minutes are missing.
//
// Rules. A candle closes when a venue says so, or, for REST rows, when its reply or the venue's
// clock proves it (the caller decides and sets is_closed). The first closed value has revision 0; a
// later different one is a correction with the next revision; the same again is nothing. A forming
// candle never replaces a closed one.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "market/event.h"
#include "pipeline/coverage.h"

namespace candlewick::pipeline {

class CandleSeries {
 public:
  // Keeps the newest `keep` candle periods.
  CandleSeries(const Instrument& instrument, Timeframe timeframe, std::size_t keep);

  enum class Change : unsigned char {
    none,       // known already, or older than what is kept
    forming,    // the running candle moved
    closed,     // a candle closed for the first time
    corrected,  // a closed candle has other values now; `candle()` carries the new revision
  };
  Change apply(const Candle& candle);
  // What the last apply() stored: the event's candle with its revision.
  const Candle& candle() const { return last_applied_; }

  // From here on every period is wanted: what lacks a closed candle is a hole. Only ever moves
  // back.
  void want_from(Time open);
  // The venue's clock: periods that ended before it should have closed.
  void advance(Time venue_time);
  // What is known about these periods; returns those for which that is new. A candle outweighs all
  // that is said about its absence, and a settled state a missing one.
  std::vector<Span> note(Span span, CoverageState state);
  CoverageState state_at(Time open) const;

  // As if that candle had never come; when it comes again it has the same revision.
  void forget(Time open);

  // Periods wanted, ended before `until`, without a closed candle and not settled otherwise; oldest
  // first.
  std::vector<Span> holes(Time until) const;
  // The newest period such that it is settled and so are all wanted ones before it; its end.
  std::optional<Time> complete_until() const;

  const Candle* closed_at(Time open) const;
  // From here on a period that is known to be without trades counts as a candle at the close
  // before, with no volume, where bars are asked for: venues that have rows for such periods say
  // the same.
  void count_quiet_periods() { counts_quiet_ = true; }
  // There is no candle, and it counts as one without volume.
  bool is_quiet(Time open) const;
  // The closed candle, or the one that a quiet period counts for.
  std::optional<Candle> bar_at(Time open) const;
  // All of them that are kept, oldest first.
  void each_bar(const std::function<void(const Candle&)>& visit) const;
  // All closed candles that are kept, oldest first.
  void each_closed(const std::function<void(const Candle&)>& visit) const;
  // The newest closed candle that opens before `before`.
  const Candle* newest_closed(Time before) const;
  const std::optional<Candle>& forming() const { return forming_; }
  const Instrument& instrument() const { return *instrument_; }
  Timeframe timeframe() const { return timeframe_; }

 private:
  struct Slot {
    std::optional<Candle> candle;
    CoverageState state = CoverageState::unknown;
    std::int32_t revision = 0;  // of the next candle here

    bool is_settled() const { return candle.has_value() || pipeline::is_settled(state); }
  };
  Slot* slot_for(Time open);
  const Slot* find(Time open) const;
  std::size_t index_of(Time open) const;
  Time oldest_in_reach() const;
  void settle();

  const Instrument* instrument_;
  Timeframe timeframe_;
  std::size_t keep_;
  bool counts_quiet_ = false;
  // One slot a period without gaps, from first_open_ on.
  std::deque<Slot> slots_;
  Time first_open_{};
  std::optional<Time> wanted_from_;
  // All wanted periods before this are settled, or out of reach.
  Time settled_until_{};
  std::optional<Candle> forming_;
  Candle last_applied_;
};

}  // namespace candlewick::pipeline
