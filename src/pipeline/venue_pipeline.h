// Everything that is computed from one venue's events, on one thread, without clocks or I/O:
// candles, the holes in them and the requests that fill those, indicators, market snapshots, and
// the newest values for readers. Same events in, same rows out.
//
// Time is the venue's: snapshots are due at multiples of the interval on its clock, and minutes end
// by it. What is live in a snapshot (last price, ladder) is frozen when the clock passes the
// instant; the row is written once the candle that ended there has closed, or after a grace without
// it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "feed/venue_clock.h"
#include "feed/venue_feed.h"
#include "indicator/series.h"
#include "pipeline/candle_series.h"
#include "pipeline/latest.h"
#include "pipeline/rows.h"
#include "pipeline/sequence_watch.h"

namespace candlewick::pipeline {

struct PipelineOptions {
  std::vector<Timeframe> timeframes{Timeframe::m1};  // 1m is always among them
  Duration snapshot_interval = std::chrono::seconds{60};
  std::size_t ladder_levels = 20;
  Duration history = std::chrono::hours{49};  // filled from REST before the first snapshot
  std::size_t correction_horizon = 1440;  // bars; how far back indicator rows follow a correction
  Duration close_grace =
      std::chrono::seconds{5};  // after a period's end before its candle is missed
  Duration snapshot_grace =
      std::chrono::seconds{10};  // for the candle that ended at a snapshot's instant
  bool track_all =
      false;  // also instruments and timeframes that were not named, as they turn up (replay)
};

class PipelineOutput {
 public:
  virtual ~PipelineOutput() = default;
  virtual void on_row(schema::Row row) = 0;
  // What was accepted, in order: assembled candles instead of raw ones, no repeats, and gaps.
  virtual void on_event(const Event& /*event*/) {}
};

// Where requests go; nullopt when the venue has no such request.
using AskFunction =
    std::function<std::optional<feed::RequestId>(const exchange::RestQuery&, feed::Priority)>;

// What a warehouse knows from before a restart.
struct Memory {
  std::vector<Candle> candles;  // closed, of one timeframe, oldest first
  std::optional<std::string> checkpoint;
  std::optional<schema::Row> tick;  // the newest snapshot
  std::optional<schema::Row> indicators;
};

class VenuePipeline final : public feed::FeedHandler {
 public:
  VenuePipeline(PipelineOptions options, std::vector<const Instrument*> instruments,
                LatestBoard& board, PipelineOutput& output);
  ~VenuePipeline() override;

  // Before the first event. `instrument` is one of those given.
  Result<void> remember(const Instrument& instrument, Timeframe timeframe, Memory memory);
  void connect(AskFunction ask) { ask_ = std::move(ask); }

  void on_events(const Events& events) override;
  void on_reply(feed::RequestId request, const Events& events) override;
  void on_request_refused(feed::RequestId request, const Error& error) override;
  void on_live(const std::vector<exchange::Channel>& channels) override;
  void on_down(const std::vector<exchange::Channel>& channels, std::string_view reason) override;

  // A row of ours never reached the log: a candle among them is a hole again, and fetched again.
  void forget(const schema::Row& row);
  // Input ended (replay): closes what the clock has passed and writes the snapshots still waiting.
  void finish();

  std::optional<Time> venue_time() const { return clock_.now(); }
  // Holes that are being filled or wait to be, over all series, in candle periods.
  std::size_t missing_candles() const;
  bool is_ready(const Instrument& instrument) const;

 private:
  struct SeriesState;
  struct InstrumentState;
  struct Frozen;
  struct Emitted;

  InstrumentState* state_of(const Instrument* instrument);
  InstrumentState& add(const Instrument& instrument);
  SeriesState* series_of(InstrumentState& state, Timeframe timeframe);
  std::unique_ptr<SeriesState> make_series(InstrumentState& state, Timeframe timeframe) const;
  void apply(const Event& event);
  void apply(InstrumentState& state, const Candle& candle);
  void stored(InstrumentState& state, SeriesState& series, CandleSeries::Change change);
  void advance(Time time, bool is_certain);
  void freeze(Time instant);
  void write_snapshots(InstrumentState& state, bool at_the_end);
  void write_snapshot(InstrumentState& state, const Frozen& frozen, const Candle* candle);
  void revise(InstrumentState& state, const indicator::Applied& applied);
  void plan(SeriesState& series);
  void completed(SeriesState& series);
  void candles_arrived(SeriesState& series, const exchange::RestQuery& query, const Events& events);

  PipelineOptions options_;
  LatestBoard& board_;
  PipelineOutput& output_;
  AskFunction ask_;
  feed::VenueClock clock_;
  std::optional<Time> next_instant_;
  std::optional<Time> received_time_;  // of the event at work: when rows are stamped
  SequenceWatch sequences_;
  std::vector<std::unique_ptr<InstrumentState>> instruments_;
  std::map<const Instrument*, InstrumentState*> by_instrument_;
  std::map<feed::RequestId, std::pair<SeriesState*, exchange::RestQuery>> asked_;
  std::map<const Instrument*, ListingStatus> listed_;
};

}  // namespace candlewick::pipeline
