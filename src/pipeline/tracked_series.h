// One candle series with what is known about how its minutes came: since when it is followed, when
// its stream was down, what was asked of the venue.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "pipeline/candle_series.h"
#include "pipeline/coverage_ledger.h"
#include "pipeline/span_set.h"

namespace candlewick::pipeline {

class TrackedSeries {
 public:
  explicit TrackedSeries(CandleSeries series) : candles(std::move(series)) {}

  // The stream of this series stopped, and flows again.
  void went_down(Time since, std::string_view why);
  void came_back(std::optional<Time> now);
  bool is_down() const { return !downs_.empty() && !downs_.back().until; }
  // Why the period that opens then did not come by the stream.
  std::string_view cause_at(Time open) const;

  // Says so in the ledger where it is news. Without a cause: why the stream did not bring it.
  void note(CoverageLedger& ledger, Span span, CoverageState state, std::string_view evidence,
            std::string_view why = {});
  // What is wanted, over, and neither there nor spoken of: it is missing, and why.
  void note_missing(CoverageLedger& ledger, Time until);

  // What the stream says of a running period, for streams that never say that it is over.
  void told(const Candle& forming);
  // That is what the stream said last of that period.
  bool was_told(const Candle& candle) const;

  CandleSeries candles;
  ListingStatus listing = ListingStatus::unknown;  // what the venue's list says
  // The venue's clock was known first; periods that end before came before the stream did.
  std::optional<Time> followed_from;
  // The end of the newest candle that a warehouse remembered.
  std::optional<Time> remembered_until;
  std::optional<Time> first_followed;  // of the first run, as the ledger remembers it
  std::optional<Time> missed_since;    // the oldest hole that it remembered
  std::optional<Time> newest_frame;    // venue time of the stream's newest candle event

  // Of Backfill.
  bool is_asked = false;
  std::optional<Time> ask_after;  // venue time
  Duration pause{};               // the last one, while nothing new comes
  bool was_complete = false;      // history has answered all that it can
  bool asked_for_the_first = false;
  std::optional<Time> first_ever;  // open of the first candle that the venue has
  SpanSet absent_once;             // one answer had no rows here

 private:
  struct Down {
    Time since;
    std::optional<Time> until;
    std::string_view why;
  };
  std::deque<Down> downs_;
  std::deque<Candle> told_;  // the newest ones, one a period
};

}  // namespace candlewick::pipeline
