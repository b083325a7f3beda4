// Everything that is computed from one venue's events, on one thread, without clocks or I/O:
// candles, the holes in them and the requests that fill those, the coverage ledger, order books,
// indicators, market snapshots, and the newest values for readers. Same events in, same rows out.
//
// Time is the venue's: snapshots are due at multiples of the interval on its clock, and minutes end
// by it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "feed/venue_clock.h"
#include "feed/venue_feed.h"
#include "pipeline/auditor.h"
#include "pipeline/backfill.h"
#include "pipeline/coverage_ledger.h"
#include "pipeline/kept_trades.h"
#include "pipeline/latest.h"
#include "pipeline/output.h"
#include "pipeline/sequence_watch.h"
#include "pipeline/snapshots.h"
#include "pipeline/statistics.h"

namespace candlewick::pipeline {

// What a stream of trades is for.
enum class TradeUse : unsigned char {
  none,            // to be passed on
  second_opinion,  // candles are built of them as well, and compared
  source,          // candles are built of them: the venue has no stream of candles
};

struct PipelineOptions {
  std::vector<Timeframe> timeframes{Timeframe::m1};  // 1m is always among them
  Duration history = std::chrono::hours{49};         // filled from REST before the first snapshot
  // How late a trade may come by the venue's clock and still be in its candle's first telling.
  Duration trade_grace = std::chrono::seconds{2};
  TradeUse trades = TradeUse::second_opinion;
  SnapshotOptions snapshots;
  BackfillOptions backfill;
  AuditOptions audit;
  exchange::CandleStream candle_stream = exchange::CandleStream::flagged;
  exchange::TradeIds trade_ids = exchange::TradeIds::consecutive;
  bool keep_trades = false;  // each trade as a row of fact_trade
  exchange::BookRule book_rule = exchange::BookRule::none;
  int book_levels = 1000;  // of a snapshot of the book by REST
  std::size_t book_depth = 0;
  exchange::BookChecksum checksum = nullptr;
  std::size_t checksum_levels = 0;
  // How often figures of derivatives that no stream tells are asked for; zero: never.
  Duration derivative_interval{};
  Duration book_check_interval{};  // how often a book in step is compared with REST; zero: never
  bool track_all = false;  // also instruments and timeframes that were not named, as they turn up
                           // (replay)
};

// What a venue's facts say about it; the rest as it is by default.
PipelineOptions options_for(const exchange::Venue& venue);

// What a warehouse knows from before a restart.
struct Memory {
  std::vector<Candle> candles;  // closed, of one timeframe, oldest first
  struct Covered {
    Span span;
    CoverageState state;
  };
  std::vector<Covered> coverage;       // of those candles' stream
  std::optional<Time> followed_since;  // where the first run began, by the ledger
  std::int64_t coverage_sequence = 0;  // the newest one in the ledger
  std::optional<std::string> checkpoint;
  std::optional<schema::Row> tick;      // the newest snapshot
  std::vector<schema::Row> indicators;  // that corrections may change, oldest first
  // Of kept trades, with the minutes' candles.
  struct KeptTrade {
    std::uint64_t id = 0;  // 0: no number
    Time time;
  };
  std::optional<KeptTrade> newest_trade;
  std::vector<KeptTrades::Missed> missed_trades;  // that were still asked for
  std::vector<Span> lost_trades;                  // the same, too many to be looked through
  std::optional<Time> trades_proven_from;         // none: from the first on
  std::optional<Time> trades_spoken_until;        // by the ledger
};

// Of the asset that an instrument trades, in US dollars whatever it is quoted in. Absent: unknown,
// or too old.
struct Fundamentals {
  std::optional<Decimal> market_cap;
  std::optional<Decimal> circulating_supply;
};

class VenuePipeline final : public feed::FeedHandler, private Backfill::Listener {
 public:
  VenuePipeline(PipelineOptions options, std::vector<const Instrument*> instruments,
                LatestBoard& board, PipelineOutput& output);
  ~VenuePipeline() override;

  // Before the first event. `instrument` is one of those given.
  Result<void> remember(const Instrument& instrument, Timeframe timeframe, Memory memory);
  // One more, at any time, with what a warehouse remembers of it; its channels are to be subscribed
  // to afterwards. One that is followed already is left as it is. Errors: as remember().
  Result<void> follow(const Instrument& instrument, std::map<Timeframe, Memory> memory);
  // One less: nothing more is asked or said of it. Not from within a call of the output.
  void unfollow(const Instrument& instrument);
  void connect(AskFunction ask);
  // Takes a channel off and on again, where only that brings a new snapshot of a book.
  void connect_subscriptions(std::function<void(const exchange::Channel&)> subscribe_again) {
    subscribe_again_ = std::move(subscribe_again);
  }

  void on_events(const Events& events) override;
  void on_reply(feed::RequestId request, const Events& events) override;
  void on_request_refused(feed::RequestId request, const Error& error) override;
  void on_live(const std::vector<exchange::Channel>& channels) override;
  void on_down(const std::vector<exchange::Channel>& channels, std::string_view reason) override;

  // What snapshots from the next instant on tell of it, until told otherwise.
  void set_fundamentals(const Instrument& instrument, const Fundamentals& fundamentals);
  // Asks for the venue's list of instruments: those of ours that are not on it are delisted.
  void refresh_listings();
  // A row of ours never reached the log: a candle among them is a hole again, and fetched again.
  void forget(const schema::Row& row);
  // Input ended (replay): closes what the clock has passed and writes the snapshots still waiting.
  void finish();

  std::optional<Time> venue_time() const { return clock_.now(); }
  // Holes that are being filled or wait to be, over all series, in candle periods.
  std::size_t missing_candles() const;
  bool is_ready(const Instrument& instrument) const;
  PipelineStatistics statistics() const;

 private:
  struct InstrumentState;
  struct FollowedStream;

  InstrumentState* state_of(const Instrument* instrument);
  InstrumentState& add(const Instrument& instrument);
  TrackedSeries* series_of(InstrumentState& state, Timeframe timeframe);
  TrackedSeries& add_series(InstrumentState& state, Timeframe timeframe);
  void apply(const Event& event);
  void apply(InstrumentState& state, const Candle& candle);
  void apply(const Trade& trade);
  void apply(const Quote& quote);
  void apply(const Ticker& ticker);
  void apply(const Derivative& derivative);
  void apply(const BookUpdate& book);
  void apply(const Listing& listing);
  void note_status(const Instrument& instrument, ListingStatus status);
  void pass_on(const Gap& gap);
  void keep(InstrumentState& state, const Trade& trade, bool is_behind);
  void write_trade(const Trade& trade);
  void tell_kept(InstrumentState& state);
  void want_trades();
  void remember_trades(InstrumentState& state, const Memory& memory);
  void forget_trade(InstrumentState& state, std::string_view id, Time time);
  bool trades_arrived(feed::RequestId request, const Events& events);
  void apply_to_book(InstrumentState& state, const BookUpdate& update);
  void show_ladder(InstrumentState& state, std::optional<BookUpdate> ladder);
  void want_book(InstrumentState& state);
  void want_derivatives(Time now);
  void built_of_trades(InstrumentState& state, const std::vector<Candle>& candles);
  void stored(InstrumentState& state, TrackedSeries& series, const Candle& told);
  void on_filled(TrackedSeries& series, const Candle& candle) override;
  void on_quiet(TrackedSeries& series, Span span) override;
  void on_complete(TrackedSeries& series) override;
  void apply_bar(InstrumentState& state, const Candle& bar);
  void advance(Time time, bool is_certain);
  void begin(Time now);
  void begin(InstrumentState& state, Time now);
  void freeze(Time instant, Time now);
  void minutes_passed(Time from, Time to);
  void broke(InstrumentState& state, Stream kind, std::string_view why,
             std::optional<Time> whole_until);
  void plan(Time now);
  void write_snapshots(InstrumentState& state, bool is_the_end);
  void finish_turn();
  void listings_arrived(const Events& events);
  Time stamp() const;

  PipelineOptions options_;
  LatestBoard& board_;
  PipelineOutput& output_;
  AskFunction ask_;
  std::function<void(const exchange::Channel&)> subscribe_again_;
  feed::VenueClock clock_;
  std::optional<Time> next_instant_;
  std::optional<Time> next_minute_;
  Time next_plan_{Duration::min()};
  Time next_derivatives_{Duration::min()};
  std::optional<Time> received_time_;  // of the event at work: when rows are stamped
  SequenceWatch sequences_;
  // Their streams flow again; since when, the first event will tell.
  std::vector<TrackedSeries*> returning_;
  CoverageLedger ledger_;
  Backfill backfill_;
  Auditor auditor_;
  PipelineStatistics statistics_;
  std::vector<std::unique_ptr<InstrumentState>> instruments_;
  std::map<const Instrument*, InstrumentState*> by_instrument_;
  std::map<feed::RequestId, InstrumentState*> books_asked_;
  std::map<feed::RequestId, InstrumentState*> trades_asked_;
  MadeTradeIds made_trade_ids_;
  std::set<feed::RequestId> derivatives_asked_;
  std::optional<feed::RequestId> listings_asked_;
  std::map<const Instrument*, ListingStatus> listed_;
  Events tops_;
};

}  // namespace candlewick::pipeline
