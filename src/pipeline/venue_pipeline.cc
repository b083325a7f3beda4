// Events to rows: who gets which event, and what the venue's clock sets off.
#include "pipeline/venue_pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pipeline/book_sync.h"
#include "pipeline/candle_reply.h"
#include "pipeline/second_opinion.h"
#include "pipeline/trade_candles.h"

namespace candlewick::pipeline {

using namespace std::chrono_literals;

namespace {

// A candle that opens later than this by the venue's clock is absurd: kept, it would push out all
// others.
constexpr Duration furthest_ahead = 1h;
// How far behind the horizon of history a hole that was seen before a restart is still filled.
constexpr Duration missed_horizon = 24h;

indicator::Bar bar_of(const Candle& candle) {
  return {candle.open_time, candle.open,   candle.high,        candle.low,
          candle.close,     candle.volume, candle.quote_volume};
}

std::string_view cause_of(std::string_view reason) {
  if (reason.starts_with("paused")) return cause::ingest_paused;
  return reason.starts_with("silence") ? cause::silence : cause::disconnect;
}

}  // namespace

// A stream whose minutes are whole or not: nothing can be filled in later.
struct VenuePipeline::FollowedStream {
  bool is_followed = false;
  bool is_intact = false;       // now
  bool was_intact = false;      // since the minute began
  std::string_view cause = {};  // of the newest break
  std::optional<Time> newest;   // venue time of its newest event
  // Minutes from there on were called live, and nothing broke since.
  std::optional<Time> live_since;
};

struct VenuePipeline::InstrumentState {
  InstrumentState(const Instrument& of, LatestBoard::Slot& board_slot,
                  const PipelineOptions& options, PipelineOutput& output)
      : instrument(&of),
        slot(&board_slot),
        indicators(length_of(Timeframe::m1),
                   indicator::SeriesLimits{.horizon = options.snapshots.correction_horizon}),
        snapshots(of, options.snapshots, board_slot, output),
        trades(of, Timeframe::m1, options.trade_grace),
        second_opinion(of) {
    if (options.book_rule != exchange::BookRule::none)
      book =
          std::make_unique<BookSync>(BookSyncOptions{.rule = options.book_rule,
                                                     .depth = options.book_depth,
                                                     .checksum = options.checksum,
                                                     .checksum_levels = options.checksum_levels});
    if (options.keep_trades) kept = std::make_unique<KeptTrades>(options.trade_ids);
  }

  const Instrument* instrument;
  LatestBoard::Slot* slot;
  std::vector<std::unique_ptr<TrackedSeries>> series;  // by timeframe; 1m first
  indicator::Series indicators;
  // Indicators start once, from the whole history in order: bars that come before it would be the
  // first.
  bool indicators_run = false;
  Snapshots snapshots;
  TradeCandles trades;
  std::optional<bool> trades_are_aggregates;
  SecondOpinion second_opinion;
  std::unique_ptr<KeptTrades> kept;  // null: trades are not kept
  // Until where the ledger of an earlier run speaks of trades.
  std::optional<Time> trades_spoken_until;
  std::unique_ptr<BookSync> book;
  std::optional<feed::RequestId> book_asked;
  std::optional<Time> book_check_at;
  FollowedStream book_stream;
  FollowedStream trade_stream;
  std::optional<Quote> quote;
  std::optional<BookUpdate> ladder;
  bool is_ladder_stale = false;  // and the board says so
  std::optional<Decimal> last_price;
  Fundamentals fundamentals;
  std::optional<Time> last_price_time;

  TrackedSeries& minutes() { return *series.front(); }
  TrackedSeries* find(Timeframe timeframe) {
    for (auto& entry : series) {
      if (entry->candles.timeframe() == timeframe) return entry.get();
    }
    return nullptr;
  }
  void price(Decimal value, std::optional<Time> time) {
    if (last_price_time && time && *time < *last_price_time) return;
    last_price = value;
    if (time) last_price_time = time;
  }
};

PipelineOptions options_for(const exchange::Venue& venue) {
  PipelineOptions options;
  options.candle_stream = venue.candle_stream;
  options.trade_ids = venue.trade_ids;
  options.book_rule = venue.book_rule;
  options.book_levels = venue.book_levels;
  options.book_depth = venue.book_depth;
  options.checksum = venue.checksum;
  options.checksum_levels = venue.checksum_levels;
  if (exchange::has_channel(venue, exchange::ChannelKind::derivative))
    options.derivative_interval = 1min;
  options.backfill.quiet_periods = venue.quiet_periods;
  options.backfill.first_candle = venue.first_candle;
  options.backfill.history_candles = venue.limits.history_candles;
  options.backfill.max_candles = venue.limits.max_candles;
  options.backfill.replies_are_bounded = venue.limits.candle_replies_are_bounded;
  options.backfill.confirms_stream = venue.candle_stream == exchange::CandleStream::forming;
  options.audit.most = venue.limits.max_candles;
  const bool ids_prove = venue.trade_ids == exchange::TradeIds::consecutive;
  options.trades = !ids_prove                                            ? TradeUse::none
                   : venue.candle_stream == exchange::CandleStream::none ? TradeUse::source
                                                                         : TradeUse::second_opinion;
  return options;
}

VenuePipeline::VenuePipeline(PipelineOptions options, std::vector<const Instrument*> instruments,
                             LatestBoard& board, PipelineOutput& output)
    : options_(std::move(options)),
      board_(board),
      output_(output),
      backfill_(options_.backfill, ledger_, *this),
      auditor_(options_.audit, output, [this](TrackedSeries& series, const Candle& candle) {
        stored(*by_instrument_.at(&series.candles.instrument()), series, candle);
      }) {
  std::erase(options_.timeframes, Timeframe::m1);
  options_.timeframes.insert(options_.timeframes.begin(), Timeframe::m1);
  for (const auto* instrument : instruments) add(*instrument);
}

VenuePipeline::~VenuePipeline() = default;

void VenuePipeline::connect(AskFunction ask) {
  ask_ = ask;
  backfill_.connect(ask);
  auditor_.connect(std::move(ask));
}

TrackedSeries& VenuePipeline::add_series(InstrumentState& state, Timeframe timeframe) {
  const auto wanted = static_cast<std::size_t>(options_.history / length_of(timeframe)) + 1;
  const std::size_t horizon =
      timeframe == Timeframe::m1 ? options_.snapshots.correction_horizon + 1440 : 64;
  auto& series = *state.series.emplace_back(std::make_unique<TrackedSeries>(
      CandleSeries(*state.instrument, timeframe, wanted + horizon)));
  if (options_.backfill.quiet_periods == exchange::QuietPeriods::omitted)
    series.candles.count_quiet_periods();
  if (clock_.now()) series.followed_from = open_of(timeframe, *clock_.now());
  backfill_.add(series);
  auditor_.add(series);
  return series;
}

VenuePipeline::InstrumentState& VenuePipeline::add(const Instrument& instrument) {
  auto& state = *instruments_.emplace_back(
      std::make_unique<InstrumentState>(instrument, board_.add(instrument), options_, output_));
  for (const auto timeframe : options_.timeframes) add_series(state, timeframe);
  by_instrument_[&instrument] = &state;
  return state;
}

VenuePipeline::InstrumentState* VenuePipeline::state_of(const Instrument* instrument) {
  const auto found = by_instrument_.find(instrument);
  if (found != by_instrument_.end()) return found->second;
  return options_.track_all && instrument != nullptr ? &add(*instrument) : nullptr;
}

TrackedSeries* VenuePipeline::series_of(InstrumentState& state, Timeframe timeframe) {
  TrackedSeries* series = state.find(timeframe);
  return series == nullptr && options_.track_all ? &add_series(state, timeframe) : series;
}

Time VenuePipeline::stamp() const {
  return received_time_.value_or(clock_.now().value_or(Time{}));
}

Result<void> VenuePipeline::remember(const Instrument& instrument, Timeframe timeframe,
                                     Memory memory) {
  InstrumentState* state = state_of(&instrument);
  TrackedSeries* series = state == nullptr ? nullptr : state->find(timeframe);
  if (series == nullptr) return {};
  for (const auto& candle : memory.candles) series->candles.apply(candle);
  for (const auto& [span, state_then] : memory.coverage) {
    if (is_settled(state_then)) {
      series->candles.note(span, state_then);
    } else {
      // What was missing then is still wanted, though the horizon has moved on.
      series->missed_since = std::min(series->missed_since.value_or(span.from), span.from);
    }
  }
  series->first_followed = memory.followed_since;
  ledger_.seen(memory.coverage_sequence);
  if (!memory.candles.empty()) series->remembered_until = memory.candles.back().end_time();
  state->slot->with([&](Latest& latest) {
    latest.is_stale = true;
    if (memory.tick) latest.tick = memory.tick;
    if (!memory.indicators.empty()) latest.indicators = memory.indicators.back();
    if (!memory.candles.empty()) latest.closed.insert_or_assign(timeframe, memory.candles.back());
  });
  if (timeframe != Timeframe::m1) return {};
  remember_trades(*state, memory);
  std::vector<indicator::Bar> bars;
  series->candles.each_bar([&](const Candle& bar) { bars.push_back(bar_of(bar)); });
  // The checkpoint was written with a row; candles may have closed after it. Without one, or with
  // one that fits no history or that another version wrote, they start anew once all of history is
  // there.
  auto end = memory.checkpoint ? bars.size() : 0;
  while (end > 0 && !state->indicators.restore(*memory.checkpoint, std::span(bars).first(end)))
    --end;
  for (auto bar = end; end > 0 && bar < bars.size(); ++bar) state->indicators.apply(bars[bar]);
  state->snapshots.remember(memory.tick, memory.followed_since, memory.indicators,
                            state->indicators);
  return {};
}

Result<void> VenuePipeline::follow(const Instrument& instrument,
                                   std::map<Timeframe, Memory> memory) {
  if (by_instrument_.contains(&instrument)) return {};
  auto& state = add(instrument);
  if (const auto listed = listed_.find(&instrument); listed != listed_.end())
    note_status(instrument, listed->second);
  for (auto& [timeframe, known] : memory) {
    auto remembered = remember(instrument, timeframe, std::move(known));
    if (!remembered) return remembered;
  }
  if (!next_instant_) return {};  // begin() comes with the clock
  begin(state, *clock_.now());
  plan(*clock_.now());
  finish_turn();
  return {};
}

void VenuePipeline::unfollow(const Instrument& instrument) {
  const auto found = by_instrument_.find(&instrument);
  if (found == by_instrument_.end()) return;
  InstrumentState& state = *found->second;
  state.second_opinion.flush(stamp(), output_);
  finish_turn();
  for (const auto& series : state.series) {
    backfill_.remove(*series);
    auditor_.remove(*series);
    std::erase(returning_, series.get());
  }
  std::erase_if(books_asked_, [&](const auto& entry) { return entry.second == &state; });
  std::erase_if(trades_asked_, [&](const auto& entry) { return entry.second == &state; });
  sequences_.forget(instrument);
  board_.retire(instrument);
  by_instrument_.erase(found);
  std::erase_if(instruments_, [&](const auto& known) { return known.get() == &state; });
}

void VenuePipeline::on_events(const Events& events) {
  if (options_.keep_trades) made_trade_ids_.begin_frame();
  for (const auto& event : events) apply(event);
  for (auto& state : instruments_) write_snapshots(*state, false);
  finish_turn();
}

void VenuePipeline::finish_turn() {
  ledger_.flush(stamp(), output_);
}

void VenuePipeline::apply(const Event& event) {
  if (const auto received = received_time_of(event)) received_time_ = received;
  if (const auto time = exchange_time_of(event))
    advance(*time, std::holds_alternative<ClockReading>(event));
  if (const auto* candle = std::get_if<Candle>(&event)) {
    if (InstrumentState* state = state_of(candle->origin.instrument)) apply(*state, *candle);
  } else if (const auto* trade = std::get_if<Trade>(&event)) {
    apply(*trade);
  } else if (const auto* quote = std::get_if<Quote>(&event)) {
    apply(*quote);
  } else if (const auto* ticker = std::get_if<Ticker>(&event)) {
    apply(*ticker);
  } else if (const auto* derivative = std::get_if<Derivative>(&event)) {
    apply(*derivative);
  } else if (const auto* book = std::get_if<BookUpdate>(&event)) {
    apply(*book);
  } else if (const auto* listing = std::get_if<Listing>(&event)) {
    apply(*listing);
  } else {
    output_.on_event(event);
  }
}

void VenuePipeline::apply(const Listing& listing) {
  const Instrument& instrument = *listing.origin.instrument;
  const auto [known, is_new] = listed_.emplace(&instrument, instrument.status);
  if (!is_new && known->second == instrument.status) return;
  known->second = instrument.status;
  note_status(instrument, instrument.status);
  output_.on_row(instrument_row(instrument, stamp()));
  output_.on_event(listing);
}

void VenuePipeline::note_status(const Instrument& instrument, ListingStatus status) {
  const auto found = by_instrument_.find(&instrument);
  if (found == by_instrument_.end()) return;
  for (auto& series : found->second->series) series->listing = status;
}

void VenuePipeline::pass_on(const Gap& gap) {
  ++statistics_.gaps;
  output_.on_event(gap);
}

void VenuePipeline::apply(const Trade& trade) {
  std::optional<Gap> gap;
  const auto verdict = sequences_.check(trade, gap, options_.trade_ids);
  if (gap) pass_on(*gap);
  const bool is_repeat = verdict == SequenceWatch::Verdict::repeat;
  if (is_repeat && !options_.keep_trades) return;
  InstrumentState* state = state_of(trade.origin.instrument);
  if (is_repeat) {
    if (state != nullptr) keep(*state, trade, true);  // it may be one that was missed
    return;
  }
  if (state != nullptr) {
    auto& stream = state->trade_stream;
    if (gap) {
      broke(*state, Stream::trades, cause::sequence_gap, stream.newest);
      stream.is_intact = true;  // from this trade on
    }
    stream.newest = std::max(stream.newest, trade.origin.exchange_time);
    state->price(trade.price, trade.origin.exchange_time);
    state->slot->with([&](Latest& latest) {
      latest.trade = trade;
      latest.received_time = trade.origin.received_time;
    });
  }
  if (state != nullptr && state->kept) keep(*state, trade, false);
  output_.on_event(trade);
  if (state == nullptr || options_.trades == TradeUse::none) return;
  if (!state->trades_are_aggregates) state->trades_are_aggregates = trade.is_aggregate;
  if (*state->trades_are_aggregates != trade.is_aggregate) return;
  std::vector<Candle> closed;
  state->trades.apply(trade, closed);
  built_of_trades(*state, closed);
}

// Of two streams that tell the same trades, one is kept.
void VenuePipeline::keep(InstrumentState& state, const Trade& trade, bool is_behind) {
  if (!state.trades_are_aggregates) state.trades_are_aggregates = trade.is_aggregate;
  if (*state.trades_are_aggregates != trade.is_aggregate) return;
  if (state.kept->proves() && !state.kept->has_begun()) {
    const Time minute = open_of(Timeframe::m1, trade.origin.exchange_time.value_or(stamp()));
    state.kept->prove_from(state.trade_stream.was_intact ? minute : minute + 1min);
  }
  if (state.kept->take(trade, is_behind)) write_trade(trade);
  tell_kept(state);
}

void VenuePipeline::write_trade(const Trade& trade) {
  const Time time = trade.origin.exchange_time.value_or(stamp());
  std::string id = venue_trade_id(trade);
  if (id.empty()) id = made_trade_ids_.make(trade, time);
  output_.on_row(trade_row(trade, std::move(id), time, stamp()));
}

// Of minutes that have been spoken of: the running one comes with its end.
void VenuePipeline::tell_kept(InstrumentState& state) {
  for (const auto& span : state.kept->take_changes()) {
    const Time end = next_minute_ ? std::min(span.to, *next_minute_ - 1min) : span.from;
    for (Time minute = span.from; minute < end; minute += 1min) {
      auto word = state.kept->word_of(minute);
      if (word.state == CoverageState::unknown) continue;
      ledger_.add({.instrument = state.instrument,
                   .stream = Stream::trades,
                   .span = {minute, minute + 1min},
                   .state = word.state,
                   .cause = word.cause,
                   .evidence = std::move(word.evidence)});
    }
  }
}

void VenuePipeline::want_trades() {
  if (!ask_) return;
  const Time now = clock_.now().value_or(Time{});
  for (auto& state : instruments_) {
    const auto want = state->kept->wanted(now);
    if (!want) continue;
    state->kept->asked(*want);
    const auto request = ask_({.kind = exchange::RestKind::historical_trades,
                               .instrument = state->instrument,
                               .start = want->start,
                               .from_id = want->from_id},
                              feed::Priority::history);
    if (request) {
      trades_asked_.emplace(*request, state.get());
    } else {
      state->kept->refused("the venue does not serve old trades");
      tell_kept(*state);
    }
  }
}

bool VenuePipeline::trades_arrived(feed::RequestId request, const Events& events) {
  const auto asked = trades_asked_.find(request);
  if (asked == trades_asked_.end()) return false;
  InstrumentState& state = *asked->second;
  trades_asked_.erase(asked);
  for (const auto& event : events) {
    const auto* trade = std::get_if<Trade>(&event);
    if (trade != nullptr && trade->origin.instrument == state.instrument &&
        state.kept->take_missing(*trade)) {
      write_trade(*trade);
    }
  }
  state.kept->answered(clock_.now().value_or(Time{}));
  tell_kept(state);
  return true;
}

void VenuePipeline::remember_trades(InstrumentState& state, const Memory& memory) {
  if (!state.kept) return;
  state.trades_spoken_until = memory.trades_spoken_until;
  if (memory.newest_trade && memory.newest_trade->id != 0)
    state.kept->remember(memory.newest_trade->id, memory.newest_trade->time, memory.missed_trades);
  if (memory.trades_proven_from) state.kept->prove_from(*memory.trades_proven_from);
  for (const auto& span : memory.lost_trades) {
    ledger_.add({.instrument = state.instrument,
                 .stream = Stream::trades,
                 .span = span,
                 .state = CoverageState::unrecoverable,
                 .cause = cause::process_down,
                 .evidence = {}});
  }
}

// Its row never reached the log.
void VenuePipeline::forget_trade(InstrumentState& state, std::string_view id, Time time) {
  if (!state.kept) return;
  if (state.kept->lost(id, time)) return tell_kept(state);
  const Time minute = open_of(Timeframe::m1, time);
  ledger_.add({.instrument = state.instrument,
               .stream = Stream::trades,
               .span = {minute, minute + 1min},
               .state = CoverageState::unrecoverable,
               .cause = cause::ingest_paused,
               .evidence = {}});
}

void VenuePipeline::built_of_trades(InstrumentState& state, const std::vector<Candle>& candles) {
  for (const auto& candle : candles) {
    if (options_.trades == TradeUse::source) {
      stored(state, state.minutes(), candle);
    } else {
      state.second_opinion.compare(candle, state.minutes().candles, stamp(), output_);
    }
  }
}

void VenuePipeline::apply(const Quote& quote) {
  if (sequences_.check(quote) == SequenceWatch::Verdict::repeat) return;
  if (InstrumentState* state = state_of(quote.origin.instrument)) {
    state->quote = quote;
    state->slot->with([&](Latest& latest) {
      latest.quote = quote;
      latest.is_stale = false;
      latest.received_time = quote.origin.received_time;
    });
  }
  output_.on_event(quote);
}

void VenuePipeline::apply(const Ticker& ticker) {
  if (InstrumentState* state = state_of(ticker.origin.instrument)) {
    if (ticker.last) state->price(*ticker.last, ticker.origin.exchange_time);
    state->slot->with([&](Latest& latest) {
      latest.ticker = ticker;
      latest.is_stale = false;
      latest.received_time = ticker.origin.received_time;
      latest.exchange_time = ticker.origin.exchange_time;
    });
  }
  output_.on_event(ticker);
}

// Some figures come by a stream, others when asked for: each keeps its newest.
void VenuePipeline::apply(const Derivative& derivative) {
  if (InstrumentState* state = state_of(derivative.origin.instrument)) {
    state->slot->with([&](Latest& latest) {
      if (!latest.derivative) latest.derivative.emplace();
      Derivative& known = *latest.derivative;
      known.origin = derivative.origin;
      if (derivative.mark_price) known.mark_price = derivative.mark_price;
      if (derivative.index_price) known.index_price = derivative.index_price;
      if (derivative.funding_rate) known.funding_rate = derivative.funding_rate;
      if (derivative.next_funding_time) known.next_funding_time = derivative.next_funding_time;
      if (derivative.open_interest) known.open_interest = derivative.open_interest;
      latest.received_time = derivative.origin.received_time;
    });
  }
  output_.on_event(derivative);
}

void VenuePipeline::want_derivatives(Time now) {
  if (!ask_ || options_.derivative_interval <= Duration{0} || now < next_derivatives_ ||
      !derivatives_asked_.empty()) {
    return;
  }
  next_derivatives_ = now + options_.derivative_interval;
  for (const auto& state : instruments_) {
    const auto request =
        ask_({.kind = exchange::RestKind::derivative, .instrument = state->instrument},
             feed::Priority::history);
    if (request) derivatives_asked_.insert(*request);
  }
}

void VenuePipeline::apply(const BookUpdate& update) {
  InstrumentState* state = state_of(update.origin.instrument);
  const bool is_synchronised = state != nullptr && state->book != nullptr && !update.is_partial;
  if (is_synchronised && exchange::has_snapshot_in_stream(options_.book_rule)) {
    output_.on_event(update);
    return apply_to_book(*state, update);
  }
  std::optional<Gap> gap;
  const auto verdict = sequences_.check(update, gap);
  // A book in step tells its own gaps.
  if (gap && !is_synchronised) pass_on(*gap);
  if (verdict == SequenceWatch::Verdict::repeat) return;
  output_.on_event(update);
  if (is_synchronised) return apply_to_book(*state, update);
  if (state != nullptr && update.is_partial) show_ladder(*state, update);
}

void VenuePipeline::show_ladder(InstrumentState& state, std::optional<BookUpdate> ladder) {
  const auto stale_since = ladder       ? std::nullopt
                           : state.book ? state.book->stale_since()
                                        : clock_.now();
  state.slot->with([&](Latest& latest) {
    if (ladder) {
      latest.is_stale = false;
      latest.received_time = ladder->origin.received_time;
      latest.ladder_stale_since.reset();
    } else if (!latest.ladder_stale_since) {
      latest.ladder_stale_since = stale_since;
    }
    latest.ladder = ladder;
  });
  state.is_ladder_stale = !ladder;
  state.ladder = std::move(ladder);
}

void VenuePipeline::apply_to_book(InstrumentState& state, const BookUpdate& update) {
  tops_.clear();
  const auto outcome = state.book->apply(update, tops_);
  for (const auto& event : tops_) {
    if (const auto* gap = std::get_if<Gap>(&event)) {
      pass_on(*gap);
    } else {
      output_.on_event(event);
    }
  }
  if (outcome.resync) {
    ++statistics_.book_resyncs;
    broke(state, Stream::book, cause::sequence_gap, state.book_stream.newest);
  }
  state.book_stream.newest = std::max(state.book_stream.newest, update.origin.exchange_time);
  const bool is_stale_untold = state.book->stale_since() && !state.is_ladder_stale;
  if (outcome.is_applied || outcome.resync || is_stale_untold)
    show_ladder(state, state.book->ladder(options_.snapshots.ladder_levels));
  if (state.book->state() == BookState::synced) state.book_stream.is_intact = true;
  want_book(state);
}

void VenuePipeline::want_book(InstrumentState& state) {
  if (state.book == nullptr) return;
  if (subscribe_again_ && clock_.now() && state.book->wants_subscription(*clock_.now())) {
    state.book->subscription_asked(*clock_.now());
    return subscribe_again_({.kind = exchange::ChannelKind::book, .instrument = state.instrument});
  }
  if (!ask_ || state.book_asked || exchange::has_snapshot_in_stream(options_.book_rule)) return;
  const bool is_check_due = options_.book_check_interval > Duration{0} && clock_.now() &&
                            state.book->state() == BookState::synced && state.book_check_at &&
                            *clock_.now() >= *state.book_check_at;
  if (!state.book->wants_snapshot() && !is_check_due) return;
  exchange::RestQuery query;
  query.kind = exchange::RestKind::depth;
  query.instrument = state.instrument;
  query.limit = options_.book_levels;
  state.book->snapshot_asked();
  if (clock_.now()) state.book_check_at = *clock_.now() + options_.book_check_interval;
  state.book_asked = ask_(query, feed::Priority::live);
  if (state.book_asked) {
    books_asked_.emplace(*state.book_asked, &state);
  } else {
    state.book->snapshot_refused();
  }
}

void VenuePipeline::apply(InstrumentState& state, const Candle& candle) {
  TrackedSeries* series = series_of(state, candle.timeframe);
  if (series == nullptr) return;
  if (clock_.now() && candle.open_time > *clock_.now() + furthest_ahead) return;
  if (candle.closed_is_known) {
    if (candle.source == Source::ws && candle.origin.exchange_time)
      series->newest_frame = candle.origin.exchange_time;
    if (options_.candle_stream == exchange::CandleStream::forming && candle.source == Source::ws)
      series->told(candle);
    return stored(state, *series, candle);
  }
  // A REST row that was not asked for here: the clock alone can say that it is final.
  Candle row = candle;
  row.is_closed =
      clock_.now() && row.end_time() + certainly_final_after(row.timeframe) <= *clock_.now();
  row.closed_is_known = true;
  if (!row.is_closed) return;
  stored(state, *series, row);
  series->note(ledger_, {row.open_time, row.end_time()}, CoverageState::backfilled,
               "a REST answer");
}

void VenuePipeline::stored(InstrumentState& state, TrackedSeries& series, const Candle& told) {
  const auto change = series.candles.apply(told);
  const Candle& candle = series.candles.candle();
  using enum CandleSeries::Change;
  if (change == none) return;
  const Candle* newest = series.candles.newest_closed(Time::max());
  const bool is_newest = newest == nullptr || candle.open_time >= newest->open_time;
  if (candle.source != Source::rest) state.price(candle.close, candle.origin.exchange_time);
  state.slot->with([&](Latest& latest) {
    if (change == forming) {
      latest.forming.insert_or_assign(candle.timeframe, candle);
    } else if (is_newest) {
      latest.closed.insert_or_assign(candle.timeframe, candle);
      const auto running = latest.forming.find(candle.timeframe);
      if (running != latest.forming.end() && running->second.open_time <= candle.open_time)
        latest.forming.erase(running);
    }
    if (candle.source == Source::ws) {
      latest.is_stale = false;
      latest.exchange_time = candle.origin.exchange_time;
      latest.received_time = candle.origin.received_time;
    }
  });
  output_.on_event(candle);
  if (change == forming) return;
  if (change == corrected) ++statistics_.corrections;
  if (options_.track_all) series.candles.want_from(candle.open_time);
  output_.on_row(candle_row(candle, received_time_.value_or(candle.end_time())));
  const Span period{candle.open_time, candle.end_time()};
  // Of a REST row, whoever asked for it has more to say.
  if (candle.source != Source::rest) series.note(ledger_, period, CoverageState::live, {});
  if (candle.timeframe != Timeframe::m1) return;
  state.second_opinion.closed(candle, stamp(), output_);
  if (ask_ && !state.indicators_run) return;
  apply_bar(state, candle);
  // Quiet periods after it repeat its close.
  const CandleSeries& minutes = series.candles;
  for (Time open = candle.end_time(); minutes.is_quiet(open);
       open = next_open(Timeframe::m1, open)) {
    apply_bar(state, *minutes.bar_at(open));
  }
}

void VenuePipeline::apply_bar(InstrumentState& state, const Candle& bar) {
  state.snapshots.revise(state.indicators.apply(bar_of(bar)), state.indicators, received_time_);
}

void VenuePipeline::on_quiet(TrackedSeries& series, Span span) {
  if (series.candles.timeframe() != Timeframe::m1) return;
  InstrumentState& state = *by_instrument_.at(&series.candles.instrument());
  if (ask_ && !state.indicators_run) return;
  for (Time open = span.from; open < span.to; open = next_open(Timeframe::m1, open)) {
    const auto bar = series.candles.is_quiet(open) ? series.candles.bar_at(open) : std::nullopt;
    if (bar) apply_bar(state, *bar);
  }
}

void VenuePipeline::on_filled(TrackedSeries& series, const Candle& candle) {
  received_time_ = candle.origin.received_time;
  stored(*by_instrument_.at(&series.candles.instrument()), series, candle);
}

// Rows wait for history no longer.
void VenuePipeline::on_complete(TrackedSeries& series) {
  if (series.candles.timeframe() != Timeframe::m1) return;
  InstrumentState& state = *by_instrument_.at(&series.candles.instrument());
  state.indicators_run = true;
  series.candles.each_bar([&](const Candle& bar) { state.indicators.apply(bar_of(bar)); });
}

void VenuePipeline::advance(Time time, bool is_certain) {
  if (is_certain) clock_.set(time);
  const bool moved = clock_.observe(time);
  if (!moved && !is_certain) return;
  const Time now = *clock_.now();
  for (auto* series : std::exchange(returning_, {})) series->came_back(now);
  if (!next_instant_) begin(now);
  for (; now >= *next_instant_; *next_instant_ += options_.snapshots.interval)
    freeze(*next_instant_, now);
  if (now >= *next_minute_) {
    const Time minute = open_of(Timeframe::m1, now);
    minutes_passed(*next_minute_ - 1min, minute);
    *next_minute_ = minute + 1min;
  }
  if (is_certain || now >= next_plan_) plan(now);
}

// The venue's clock is known.
void VenuePipeline::begin(Time now) {
  const auto interval = options_.snapshots.interval;
  next_instant_ = Time{(now.time_since_epoch() / interval + 1) * interval};
  next_minute_ = open_of(Timeframe::m1, now) + 1min;
  for (auto& state : instruments_) begin(*state, now);
}

void VenuePipeline::begin(InstrumentState& state, Time now) {
  for (auto& series : state.series) {
    const Timeframe timeframe = series->candles.timeframe();
    series->followed_from = open_of(timeframe, now);
    // What is stored and was never spoken of came before there was a ledger.
    std::vector<Candle> stored;
    series->candles.each_closed([&](const Candle& candle) { stored.push_back(candle); });
    for (const auto& candle : stored) {
      series->note(ledger_, {candle.open_time, candle.end_time()},
                   candle.source == Source::ws ? CoverageState::live : CoverageState::backfilled,
                   candle.source == Source::ws ? "" : "stored before");
    }
    if (!options_.track_all) series->candles.want_from(open_of(timeframe, now - options_.history));
  }
  state.snapshots.resume(now);
  const Time minute = open_of(Timeframe::m1, now);
  if (state.trades_spoken_until && *state.trades_spoken_until < minute) {
    ledger_.add({.instrument = state.instrument,
                 .stream = Stream::trades,
                 .span = {*state.trades_spoken_until, minute},
                 .state = CoverageState::unrecoverable,
                 .cause = cause::process_down,
                 .evidence = {}});
  }
}

void VenuePipeline::set_fundamentals(const Instrument& instrument,
                                     const Fundamentals& fundamentals) {
  if (auto* state = state_of(&instrument)) state->fundamentals = fundamentals;
}

void VenuePipeline::freeze(Time instant, Time now) {
  for (auto& state : instruments_) {
    Snapshots::Live live{.last_price = state->last_price,
                         .bids = {},
                         .asks = {},
                         .market_cap = state->fundamentals.market_cap,
                         .circulating_supply = state->fundamentals.circulating_supply};
    if (state->ladder) {
      live.bids = state->ladder->bids;
      live.asks = state->ladder->asks;
    } else if (state->quote && state->book == nullptr) {
      live.bids = {{state->quote->bid, state->quote->bid_size}};
      live.asks = {{state->quote->ask, state->quote->ask_size}};
    }
    if (state->minutes().is_down()) live.last_price.reset();
    state->snapshots.freeze(instant, std::move(live), now);
  }
}

// Whole minutes of the streams that cannot be filled in later.
void VenuePipeline::minutes_passed(Time from, Time to) {
  const auto assert_minutes = [&](InstrumentState& state, FollowedStream& stream, Stream kind) {
    if (!stream.is_followed) return;
    const bool is_whole = stream.was_intact && to - from == 1min;
    KeptTrades* kept = kind == Stream::trades ? state.kept.get() : nullptr;
    if (kept != nullptr && stream.was_intact && !is_whole) kept->interrupted(cause::silence);
    const auto word =
        kept == nullptr || kept->is_interrupted() ? KeptTrades::Word{} : kept->word_of(from);
    if (word.state != CoverageState::unknown) {
      ledger_.add({.instrument = state.instrument,
                   .stream = kind,
                   .span = {from, to},
                   .state = word.state,
                   .cause = word.cause,
                   .evidence = word.evidence});
      stream.was_intact = stream.is_intact;
      stream.live_since.reset();
      return;
    }
    ledger_.add({.instrument = state.instrument,
                 .timeframe = Timeframe::m1,
                 .stream = kind,
                 .span = {from, to},
                 .state = is_whole ? CoverageState::live : CoverageState::unrecoverable,
                 .cause = is_whole               ? std::string_view{}
                          : stream.was_intact    ? cause::silence
                          : stream.cause.empty() ? cause::before_start
                                                 : stream.cause,
                 .evidence = {}});
    stream.was_intact = stream.is_intact;
    stream.live_since = is_whole ? std::optional(stream.live_since.value_or(from)) : std::nullopt;
  };
  for (auto& state : instruments_) {
    assert_minutes(*state, state->book_stream, Stream::book);
    assert_minutes(*state, state->trade_stream, Stream::trades);
  }
}

// All until `whole_until` is known to have come. A break is often seen only after a minute has
// ended that was called live and may lack something.
void VenuePipeline::broke(InstrumentState& state, Stream kind, std::string_view why,
                          std::optional<Time> whole_until) {
  FollowedStream& stream = kind == Stream::book ? state.book_stream : state.trade_stream;
  stream.is_intact = stream.was_intact = false;
  stream.cause = why;
  if (kind == Stream::trades && state.kept) state.kept->interrupted(why);
  const auto live_since = std::exchange(stream.live_since, std::nullopt);
  if (!live_since) return;
  const Time from =
      std::max(*live_since, open_of(Timeframe::m1, whole_until.value_or(*live_since)));
  if (from >= *next_minute_ - 1min) return;
  ledger_.add({.instrument = state.instrument,
               .timeframe = Timeframe::m1,
               .stream = kind,
               .span = {from, *next_minute_ - 1min},
               .state = CoverageState::unrecoverable,
               .cause = why,
               .evidence = {}});
}

void VenuePipeline::plan(Time now) {
  next_plan_ = std::chrono::floor<std::chrono::seconds>(now) + 1s;
  for (auto& state : instruments_) {
    for (auto& series : state->series) series->candles.advance(now);
    want_book(*state);
  }
  want_derivatives(now);
  if (options_.keep_trades) want_trades();
  backfill_.plan(now);
  auditor_.plan(now);
}

bool VenuePipeline::is_ready(const Instrument& instrument) const {
  const auto found = by_instrument_.find(&instrument);
  return found != by_instrument_.end() && found->second->minutes().was_complete;
}

void VenuePipeline::write_snapshots(InstrumentState& state, bool is_the_end) {
  if (!clock_.now()) return;
  state.snapshots.write({.minutes = state.minutes().candles,
                         .indicators = state.indicators,
                         .now = *clock_.now(),
                         .stamp = received_time_,
                         .is_history_complete = !ask_ || state.minutes().was_complete,
                         .is_the_end = is_the_end});
}

void VenuePipeline::on_reply(feed::RequestId request, const Events& events) {
  if (derivatives_asked_.erase(request) != 0) return on_events(events);
  if (const auto book = books_asked_.find(request); book != books_asked_.end()) {
    book->second->book_asked.reset();
    books_asked_.erase(book);
    return on_events(events);
  }
  if (listings_asked_ == request) {
    listings_asked_.reset();
    on_events(events);
    return listings_arrived(events);
  }
  for (const auto& event : events) {
    if (const auto received = received_time_of(event)) received_time_ = received;
  }
  const Time now = clock_.now().value_or(Time{});
  if (!trades_arrived(request, events) && !backfill_.on_reply(request, events, now) &&
      !auditor_.on_reply(request, events, now, stamp())) {
    return on_events(events);
  }
  plan(now);
  for (auto& state : instruments_) write_snapshots(*state, false);
  finish_turn();
}

void VenuePipeline::on_request_refused(feed::RequestId request, const Error& error) {
  if (derivatives_asked_.erase(request) != 0) return;
  if (const auto book = books_asked_.find(request); book != books_asked_.end()) {
    book->second->book_asked.reset();
    book->second->book->snapshot_refused();
    books_asked_.erase(book);
    return;
  }
  if (listings_asked_ == request) return listings_asked_.reset();
  if (const auto asked = trades_asked_.find(request); asked != trades_asked_.end()) {
    InstrumentState& state = *asked->second;
    trades_asked_.erase(asked);
    state.kept->refused(error.message);
    return tell_kept(state);
  }
  const Time now = clock_.now().value_or(Time{});
  if (!backfill_.on_refused(request, error, now)) auditor_.on_refused(request, now);
}

void VenuePipeline::refresh_listings() {
  if (!ask_ || listings_asked_) return;
  listings_asked_ = ask_({.kind = exchange::RestKind::instruments}, feed::Priority::live);
}

void VenuePipeline::listings_arrived(const Events& events) {
  std::map<const Instrument*, bool> listed;
  for (const auto& event : events) {
    if (const auto* listing = std::get_if<Listing>(&event))
      listed[listing->origin.instrument] = true;
  }
  if (listed.empty()) return;
  for (auto& state : instruments_) {
    if (listed.contains(state->instrument)) continue;
    note_status(*state->instrument, ListingStatus::delisted);
    // What never was on a list in this run may be a misspelling: no row for that.
    auto known = listed_.find(state->instrument);
    if (known == listed_.end() || known->second == ListingStatus::delisted) continue;
    known->second = ListingStatus::delisted;
    Instrument gone = *state->instrument;
    gone.status = ListingStatus::delisted;
    output_.on_row(instrument_row(gone, stamp()));
  }
}

void VenuePipeline::on_live(const std::vector<exchange::Channel>& channels) {
  for (const auto& channel : channels) {
    InstrumentState* state = state_of(channel.instrument);
    if (state == nullptr) continue;
    if (channel.kind == exchange::ChannelKind::candles) {
      if (auto* series = state->find(channel.timeframe)) returning_.push_back(series);
    }
    if (channel.kind == exchange::ChannelKind::book) state->book_stream.is_followed = true;
    if (channel.kind == exchange::ChannelKind::trades ||
        channel.kind == exchange::ChannelKind::aggregate_trades) {
      state->trade_stream.is_followed = true;
      state->trade_stream.is_intact = true;
    }
  }
}

void VenuePipeline::on_down(const std::vector<exchange::Channel>& channels,
                            std::string_view reason) {
  // Frames of one connection come in order: the newest one proves those before it.
  std::optional<Time> newest;
  for (const auto& channel : channels) {
    InstrumentState* state = state_of(channel.instrument);
    if (state == nullptr) continue;
    using enum exchange::ChannelKind;
    if (channel.kind == book) newest = std::max(newest, state->book_stream.newest);
    if (channel.kind == trades || channel.kind == aggregate_trades)
      newest = std::max(newest, state->trade_stream.newest);
    if (const auto* series = state->find(channel.timeframe);
        series != nullptr && channel.kind == candles)
      newest = std::max(newest, series->newest_frame);
  }
  // What was live is not any more: a ladder or quote from before must not go into a snapshot.
  for (const auto& channel : channels) {
    InstrumentState* state = state_of(channel.instrument);
    if (state == nullptr) continue;
    using enum exchange::ChannelKind;
    switch (channel.kind) {
      case candles:
        if (auto* series = state->find(channel.timeframe); series != nullptr && clock_.now()) {
          std::erase(returning_, series);
          series->went_down(*clock_.now(), cause_of(reason));
        }
        break;
      case ladder:
        show_ladder(*state, std::nullopt);
        break;
      case book:
        if (state->book) state->book->lost(clock_.now());
        broke(*state, Stream::book, cause_of(reason), newest);
        show_ladder(*state, std::nullopt);
        break;
      case quotes:
        state->quote.reset();
        break;
      case trades:
      case aggregate_trades:
        broke(*state, Stream::trades, cause_of(reason), newest);
        state->trades.interrupted();
        break;
      case ticker:
      case mini_ticker:
      case derivative:
        break;
    }
    sequences_.restart_books(*channel.instrument);
    state->slot->with([](Latest& latest) { latest.is_stale = true; });
  }
}

void VenuePipeline::forget(const schema::Row& row) {
  const bool is_assertion = row.table == &schema::coverage;
  const bool is_trade = row.table == &schema::fact_trade;
  if (row.table != &schema::fact_ohlcv && !is_assertion && !is_trade) return;
  const auto text = [&](std::string_view column) -> const std::string& {
    return std::get<std::string>(row.at(column));
  };
  for (auto& state : instruments_) {
    if (text("exchange") != state->instrument->exchange ||
        text("symbol") != state->instrument->symbol) {
      continue;
    }
    if (is_assertion) {
      ledger_.again(row, *state->instrument);
      continue;
    }
    if (is_trade) {
      forget_trade(*state, text("trade_id"), std::get<Time>(row.at("exchange_time")));
      continue;
    }
    for (auto& series : state->series) {
      if (to_text(series->candles.timeframe()) == text("timeframe"))
        series->candles.forget(std::get<Time>(row.at("timestamp")));
    }
  }
}

void VenuePipeline::finish() {
  for (auto& state : instruments_) {
    for (auto& series : state->series) {
      const auto& forming = series->candles.forming();
      if (!forming || !clock_.now() || forming->end_time() > *clock_.now()) continue;
      Candle candle = *forming;
      candle.is_closed = true;
      stored(*state, *series, candle);
    }
    write_snapshots(*state, true);
    state->second_opinion.flush(stamp(), output_);
  }
  finish_turn();
}

std::size_t VenuePipeline::missing_candles() const {
  std::size_t missing = 0;
  if (!clock_.now()) return 0;
  for (const auto& state : instruments_) {
    for (const auto& series : state->series) {
      for (const auto& hole :
           series->candles.holes(*clock_.now() - options_.backfill.close_grace)) {
        missing += static_cast<std::size_t>((hole.to - hole.from) /
                                            length_of(series->candles.timeframe()));
      }
    }
  }
  return missing;
}

PipelineStatistics VenuePipeline::statistics() const {
  PipelineStatistics statistics = statistics_;
  statistics.missing_candles = missing_candles();
  for (const auto& state : instruments_)
    statistics.trade_differences += state->second_opinion.differences();
  statistics.audit = auditor_.statistics();
  return statistics;
}

}  // namespace candlewick::pipeline
