// Fills holes from a venue's REST history. Recent holes are asked for at once; older history in the
// order of age, so much at a time that a request slot is always free for what is live. Every answer
// is judged by what this venue's answers prove: see candle_reply.h for finality, and
// QuietPeriods for what an absent row means.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exchange/venue.h"
#include "feed/venue_feed.h"
#include "pipeline/tracked_series.h"

namespace candlewick::pipeline {

// Where requests go; nullopt when the venue has no such request.
using AskFunction =
    std::function<std::optional<feed::RequestId>(const exchange::RestQuery&, feed::Priority)>;

struct BackfillOptions {
  // After a period's end before its candle is missed.
  Duration close_grace = std::chrono::seconds{5};
  exchange::QuietPeriods quiet_periods = exchange::QuietPeriods::zero_rows;
  exchange::FirstCandle first_candle = exchange::FirstCandle::told;
  int history_candles = 0;           // how far back the venue serves any; 0: all
  int max_candles = 1000;            // how many periods from its start an answer covers
  bool replies_are_bounded = false;  // see exchange::Limits
  // What the stream told last of a period counts as having come by it once an answer says the same.
  bool confirms_stream = false;
  std::size_t history_requests = 2;  // under way at once
};

class Backfill {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // A final candle; it goes into the series of the listener.
    virtual void on_filled(TrackedSeries& series, const Candle& candle) = 0;
    // Periods that are known to be without trades, at a venue that has no rows for such.
    virtual void on_quiet(TrackedSeries& series, Span span) = 0;
    // History has answered all that it can for now. Once a series.
    virtual void on_complete(TrackedSeries& series) = 0;
  };

  Backfill(BackfillOptions options, CoverageLedger& ledger, Listener& listener)
      : options_(options), ledger_(ledger), listener_(listener) {}

  void connect(AskFunction ask) { ask_ = std::move(ask); }
  bool is_connected() const { return ask_ != nullptr; }
  void add(TrackedSeries& series) { series_.push_back(&series); }
  // Answers for it count as answered, and are not for here any more.
  void remove(const TrackedSeries& series);

  // Asks for what is missing at that time of the venue.
  void plan(Time now);
  // Is this an answer for here? Then it is dealt with.
  bool on_reply(feed::RequestId request, const Events& events, Time now);
  bool on_refused(feed::RequestId request, const Error& error, Time now);

 private:
  struct Asked {
    TrackedSeries* series;
    exchange::RestQuery query;
    bool is_for_the_first = false;
    bool is_history = false;
  };

  std::optional<Time> hole_of(TrackedSeries& series, Time now);
  void ask(TrackedSeries& series, Time from, feed::Priority priority, Time now);
  void ask_for_the_first(TrackedSeries& series);
  void complete(TrackedSeries& series);
  void give_up_out_of_reach(TrackedSeries& series, Time now);
  void judge_absent(TrackedSeries& series, const Span& absent, const std::string& answered);
  void judge_the_quiet_end(TrackedSeries& series, const exchange::RestQuery& query,
                           std::optional<Time> newest, Time now, const std::string& answered);
  bool judge_an_empty_range(TrackedSeries& series, const exchange::RestQuery& query, Time now,
                            const std::string& answered);
  void judge_the_end(TrackedSeries& series, const exchange::RestQuery& query,
                     std::optional<Time> newest, Time now, const std::string& answered);
  void first_arrived(TrackedSeries& series, const Events& events);
  void arrived(TrackedSeries& series, const exchange::RestQuery& query, const Events& events,
               Time now);

  BackfillOptions options_;
  CoverageLedger& ledger_;
  Listener& listener_;
  AskFunction ask_;
  std::vector<TrackedSeries*> series_;
  std::map<feed::RequestId, Asked> asked_;
  std::size_t history_under_way_ = 0;
};

}  // namespace candlewick::pipeline
