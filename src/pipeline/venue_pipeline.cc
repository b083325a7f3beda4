// Events to rows.
#include "pipeline/venue_pipeline.h"

#include <algorithm>

namespace candlewick::pipeline {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_waiting_snapshots = 16;
// Of the venue's time, before asking again: nothing came at all, or REST lags behind the stream.
constexpr Duration empty_reply_pause = 60s;
constexpr Duration lagging_reply_pause = 5s;
// A candle that opens later than this by the venue's clock is absurd: kept, it would push out all
// others.
constexpr Duration furthest_ahead = 1h;

indicator::Bar bar_of(const Candle& candle) {
  return {candle.open_time, candle.open,   candle.high,        candle.low,
          candle.close,     candle.volume, candle.quote_volume};
}

// How long after its end a candle's REST row is final whatever lag the venue's REST side has.
Duration long_ago(Timeframe timeframe) {
  return std::max<Duration>(2min, 2 * length_of(timeframe));
}

std::optional<double> percent_of(std::optional<double> fraction) {
  if (!fraction) return std::nullopt;
  return *fraction * 100.0;
}

// Quote volume of the `bars` candles up to and including the one that opens at `last`; nullopt when
// one is missing or carries none.
std::optional<Decimal> quote_volume(const CandleSeries& series, Time last, int bars) {
  Decimal sum;
  Time open = last;
  for (int bar = 0; bar < bars; ++bar, open = previous_open(series.timeframe(), open)) {
    const Candle* candle = series.closed_at(open);
    if (candle == nullptr || !candle->quote_volume) return std::nullopt;
    const auto total = Decimal::add(sum, *candle->quote_volume);
    if (!total) return std::nullopt;
    sum = *total;
  }
  return sum;
}

struct ExchangeTimeOf {
  std::optional<Time> operator()(const ClockReading& reading) const {
    return reading.exchange_time;
  }
  std::optional<Time> operator()(const ShutdownNotice& notice) const {
    return notice.exchange_time;
  }
  std::optional<Time> operator()(const Refusal& /*refusal*/) const { return std::nullopt; }
  std::optional<Time> operator()(const LimitNotice& /*notice*/) const { return std::nullopt; }
  std::optional<Time> operator()(const auto& event) const { return event.origin.exchange_time; }
};

struct ReceivedTimeOf {
  std::optional<Time> operator()(const ClockReading& reading) const {
    return reading.received_time;
  }
  std::optional<Time> operator()(const Refusal& refusal) const { return refusal.received_time; }
  std::optional<Time> operator()(const ShutdownNotice& /*notice*/) const { return std::nullopt; }
  std::optional<Time> operator()(const LimitNotice& /*notice*/) const { return std::nullopt; }
  std::optional<Time> operator()(const auto& event) const { return event.origin.received_time; }
};

}  // namespace

// The live part of a snapshot, as it was when the clock passed the instant.
struct VenuePipeline::Frozen {
  Time instant;
  std::optional<Decimal> last_price;
  std::optional<Decimal> spread;
  std::vector<Level> bids;
  std::vector<Level> asks;
};

// An indicator row that was written, for revisions of it.
struct VenuePipeline::Emitted {
  Time instant;
  indicator::Values values;
  std::int64_t revision = 0;
};

struct VenuePipeline::SeriesState {
  CandleSeries candles;
  InstrumentState* owner = nullptr;
  bool is_asked = false;
  std::optional<Time> ask_after;  // venue time
  bool was_complete = false;
};

struct VenuePipeline::InstrumentState {
  const Instrument* instrument = nullptr;
  LatestBoard::Slot* slot = nullptr;
  std::vector<std::unique_ptr<SeriesState>> series;  // by timeframe; 1m first
  std::unique_ptr<indicator::Series> indicators;
  // Indicators start once, from the whole history in order: bars that come before it would be the
  // first.
  bool indicators_run = false;
  std::optional<Ticker> ticker;
  std::optional<Quote> quote;
  std::optional<BookUpdate> ladder;
  std::optional<Decimal> last_price;
  std::optional<Time> last_price_time;
  std::deque<Frozen> waiting;
  std::deque<Emitted> emitted;

  SeriesState& minutes() { return *series.front(); }
  SeriesState* find(Timeframe timeframe) {
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

VenuePipeline::VenuePipeline(PipelineOptions options, std::vector<const Instrument*> instruments,
                             LatestBoard& board, PipelineOutput& output)
    : options_(std::move(options)), board_(board), output_(output) {
  std::erase(options_.timeframes, Timeframe::m1);
  options_.timeframes.insert(options_.timeframes.begin(), Timeframe::m1);
  for (const auto* instrument : instruments) add(*instrument);
}

std::unique_ptr<VenuePipeline::SeriesState> VenuePipeline::make_series(InstrumentState& state,
                                                                       Timeframe timeframe) const {
  const auto wanted = static_cast<std::size_t>(options_.history / length_of(timeframe)) + 1;
  const std::size_t horizon = timeframe == Timeframe::m1 ? options_.correction_horizon + 1440 : 64;
  return std::make_unique<SeriesState>(
      SeriesState{.candles = CandleSeries(*state.instrument, timeframe, wanted + horizon),
                  .owner = &state,
                  .ask_after = {}});
}

VenuePipeline::InstrumentState& VenuePipeline::add(const Instrument& instrument) {
  auto state = std::make_unique<InstrumentState>();
  state->instrument = &instrument;
  state->slot = &board_.add(instrument);
  for (const auto timeframe : options_.timeframes)
    state->series.push_back(make_series(*state, timeframe));
  state->indicators = std::make_unique<indicator::Series>(
      length_of(Timeframe::m1), indicator::SeriesLimits{.horizon = options_.correction_horizon});
  by_instrument_[&instrument] = state.get();
  return *instruments_.emplace_back(std::move(state));
}

VenuePipeline::~VenuePipeline() = default;

VenuePipeline::InstrumentState* VenuePipeline::state_of(const Instrument* instrument) {
  const auto found = by_instrument_.find(instrument);
  if (found != by_instrument_.end()) return found->second;
  return options_.track_all && instrument != nullptr ? &add(*instrument) : nullptr;
}

VenuePipeline::SeriesState* VenuePipeline::series_of(InstrumentState& state, Timeframe timeframe) {
  SeriesState* series = state.find(timeframe);
  if (series == nullptr && options_.track_all)
    series = state.series.emplace_back(make_series(state, timeframe)).get();
  return series;
}

Result<void> VenuePipeline::remember(const Instrument& instrument, Timeframe timeframe,
                                     Memory memory) {
  InstrumentState* state = state_of(&instrument);
  SeriesState* series = state == nullptr ? nullptr : state->find(timeframe);
  if (series == nullptr) return {};
  for (const auto& candle : memory.candles) series->candles.apply(candle);
  state->slot->with([&](Latest& latest) {
    latest.is_stale = true;
    if (memory.tick) latest.tick = memory.tick;
    if (memory.indicators) latest.indicators = memory.indicators;
    if (!memory.candles.empty()) latest.closed.insert_or_assign(timeframe, memory.candles.back());
  });
  if (timeframe != Timeframe::m1) return {};
  std::vector<indicator::Bar> bars;
  bars.reserve(memory.candles.size());
  for (const auto& candle : memory.candles) bars.push_back(bar_of(candle));
  // The checkpoint was written with a row; candles may have closed after it. One that fits no
  // history, or that another version wrote, is worth nothing: the candles at hand are the anchor
  // then.
  auto end = memory.checkpoint ? bars.size() : 0;
  while (end > 0 && !state->indicators->restore(*memory.checkpoint, std::span(bars).first(end)))
    --end;
  for (auto bar = end; bar < bars.size(); ++bar) state->indicators->apply(bars[bar]);
  return {};
}

void VenuePipeline::on_events(const Events& events) {
  for (const auto& event : events) apply(event);
  for (auto& state : instruments_) write_snapshots(*state, false);
}

void VenuePipeline::apply(const Event& event) {
  if (const auto received = std::visit(ReceivedTimeOf{}, event)) received_time_ = received;
  if (const auto time = std::visit(ExchangeTimeOf{}, event)) {
    advance(*time, std::holds_alternative<ClockReading>(event));
  }
  std::optional<Gap> gap;
  if (const auto* candle = std::get_if<Candle>(&event)) {
    if (InstrumentState* state = state_of(candle->origin.instrument)) apply(*state, *candle);
    return;
  }
  if (const auto* listing = std::get_if<Listing>(&event)) {
    const Instrument& instrument = *listing->origin.instrument;
    const auto [known, is_new] = listed_.emplace(&instrument, instrument.status);
    if (!is_new && known->second == instrument.status) return;
    known->second = instrument.status;
    output_.on_row(
        instrument_row(instrument, received_time_.value_or(clock_.now().value_or(Time{}))));
    return output_.on_event(event);
  }
  if (const auto* trade = std::get_if<Trade>(&event)) {
    const auto verdict = sequences_.check(*trade, gap);
    if (gap) output_.on_event(*gap);
    if (verdict == SequenceWatch::Verdict::repeat) return;
    if (InstrumentState* state = state_of(trade->origin.instrument)) {
      state->price(trade->price, trade->origin.exchange_time);
      state->slot->with([&](Latest& latest) {
        latest.trade = *trade;
        latest.received_time = trade->origin.received_time;
      });
    }
    return output_.on_event(event);
  }
  if (const auto* quote = std::get_if<Quote>(&event)) {
    if (sequences_.check(*quote) == SequenceWatch::Verdict::repeat) return;
    if (InstrumentState* state = state_of(quote->origin.instrument)) {
      state->quote = *quote;
      state->slot->with([&](Latest& latest) {
        latest.quote = *quote;
        latest.is_stale = false;
        latest.received_time = quote->origin.received_time;
      });
    }
    return output_.on_event(event);
  }
  if (const auto* ticker = std::get_if<Ticker>(&event)) {
    if (InstrumentState* state = state_of(ticker->origin.instrument)) {
      state->ticker = *ticker;
      if (ticker->last) state->price(*ticker->last, ticker->origin.exchange_time);
      state->slot->with([&](Latest& latest) {
        latest.ticker = *ticker;
        latest.is_stale = false;
        latest.received_time = ticker->origin.received_time;
        latest.exchange_time = ticker->origin.exchange_time;
      });
    }
    return output_.on_event(event);
  }
  if (const auto* book = std::get_if<BookUpdate>(&event)) {
    const auto verdict = sequences_.check(*book, gap);
    if (gap) output_.on_event(*gap);
    if (verdict == SequenceWatch::Verdict::repeat) return;
    InstrumentState* state = state_of(book->origin.instrument);
    if (state != nullptr && book->is_partial) {
      state->ladder = *book;
      state->slot->with([&](Latest& latest) {
        latest.ladder = *book;
        latest.is_stale = false;
        latest.received_time = book->origin.received_time;
      });
    }
    return output_.on_event(event);
  }
  output_.on_event(event);
}

void VenuePipeline::apply(InstrumentState& state, const Candle& candle) {
  SeriesState* series = series_of(state, candle.timeframe);
  if (series == nullptr) return;
  if (clock_.now() && candle.open_time > *clock_.now() + furthest_ahead) return;
  if (candle.closed_is_known) return stored(state, *series, series->candles.apply(candle));
  // A REST row that was not asked for here: the clock alone can say that it is final.
  Candle row = candle;
  row.is_closed = clock_.now() && row.end_time() + long_ago(row.timeframe) <= *clock_.now();
  row.closed_is_known = true;
  if (row.is_closed) stored(state, *series, series->candles.apply(row));
}

void VenuePipeline::stored(InstrumentState& state, SeriesState& series,
                           CandleSeries::Change change) {
  const Candle& candle = series.candles.candle();
  using enum CandleSeries::Change;
  if (change == none) return;
  const bool is_newest = series.candles.newest_closed(Time::max()) == nullptr ||
                         candle.open_time >= series.candles.newest_closed(Time::max())->open_time;
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
  output_.on_row(candle_row(candle, received_time_.value_or(candle.end_time())));
  if (candle.timeframe != Timeframe::m1 || (ask_ && !state.indicators_run)) return;
  revise(state, state.indicators->apply(bar_of(candle)));
}

// Rows whose indicators a correction (or a filled hole) changed are written again, one revision up.
void VenuePipeline::revise(InstrumentState& state, const indicator::Applied& applied) {
  if (applied.bars == 0 || state.emitted.empty() ||
      applied.first > state.emitted.back().values.open_time)
    return;
  std::map<Time, indicator::Values> now;
  state.indicators->each(applied.first, applied.last, [&](const indicator::Values& values) {
    now.emplace(values.open_time, values);
  });
  for (auto& row : state.emitted) {
    const auto values = now.find(row.values.open_time);
    if (values == now.end() || values->second == row.values) continue;
    row.values = values->second;
    ++row.revision;
    output_.on_row(indicator_row(*state.instrument, Timeframe::m1, row.instant, row.values,
                                 row.revision, received_time_.value_or(row.instant)));
  }
}

void VenuePipeline::advance(Time time, bool is_certain) {
  if (is_certain) clock_.set(time);
  const bool moved = clock_.observe(time);
  if (!moved && !is_certain) return;
  const Time now = *clock_.now();
  const auto interval = options_.snapshot_interval;
  if (!next_instant_) {
    next_instant_ = Time{(now.time_since_epoch() / interval + 1) * interval};
    for (auto& state : instruments_) {
      for (auto& series : state->series) {
        series->candles.want_from(open_of(series->candles.timeframe(), now - options_.history));
      }
    }
  } else if (now >= *next_instant_) {
    // After a silence only the last instant is known: what the others saw is not.
    const auto passed = (now - *next_instant_) / interval;
    freeze(*next_instant_ + passed * interval);
    *next_instant_ += (passed + 1) * interval;
  }
  for (auto& state : instruments_) {
    for (auto& series : state->series) {
      series->candles.advance(now);
      plan(*series);
    }
  }
}

void VenuePipeline::freeze(Time instant) {
  for (auto& state : instruments_) {
    Frozen frozen{
        .instant = instant, .last_price = state->last_price, .spread = {}, .bids = {}, .asks = {}};
    if (state->ladder) {
      frozen.bids = state->ladder->bids;
      frozen.asks = state->ladder->asks;
    } else if (state->quote) {
      frozen.bids = {{state->quote->bid, state->quote->bid_size}};
      frozen.asks = {{state->quote->ask, state->quote->ask_size}};
    }
    if (!frozen.bids.empty() && !frozen.asks.empty()) {
      frozen.spread = Decimal::subtract(frozen.asks.front().price, frozen.bids.front().price);
    }
    if (state->waiting.size() == most_waiting_snapshots) state->waiting.pop_front();
    state->waiting.push_back(std::move(frozen));
  }
}

bool VenuePipeline::is_ready(const Instrument& instrument) const {
  const auto found = by_instrument_.find(&instrument);
  return found != by_instrument_.end() && found->second->minutes().was_complete;
}

void VenuePipeline::write_snapshots(InstrumentState& state, bool at_the_end) {
  while (!state.waiting.empty() && clock_.now()) {
    const Frozen& frozen = state.waiting.front();
    const CandleSeries& minutes = state.minutes().candles;
    const Time wanted = previous_open(Timeframe::m1, open_of(Timeframe::m1, frozen.instant));
    const Candle* candle = minutes.closed_at(wanted);
    const bool waited = *clock_.now() >= frozen.instant + options_.snapshot_grace;
    // Nothing that history can answer starts as null: until it has been read, rows wait.
    if (!at_the_end && ask_ && !state.minutes().was_complete) return;
    if (candle == nullptr && !waited && !at_the_end) return;
    if (candle == nullptr) candle = minutes.newest_closed(open_of(Timeframe::m1, frozen.instant));
    write_snapshot(state, frozen, candle);
    state.waiting.pop_front();
  }
}

void VenuePipeline::write_snapshot(InstrumentState& state, const Frozen& frozen,
                                   const Candle* candle) {
  const Time stamp = received_time_.value_or(frozen.instant);
  Tick tick;
  tick.instrument = state.instrument;
  tick.exchange_time = frozen.instant;
  tick.last_price = frozen.last_price;
  tick.bid_ask_spread = frozen.spread;
  tick.bids = frozen.bids;
  tick.asks = frozen.asks;
  std::optional<indicator::Values> values;
  if (candle != nullptr) {
    constexpr int day = 1440;
    const CandleSeries& minutes = state.minutes().candles;
    tick.candle = *candle;
    tick.volume_24h_quote = quote_volume(minutes, candle->open_time, day);
    const auto before = quote_volume(minutes, candle->open_time - 24h, day);
    if (tick.volume_24h_quote && before && !before->is_zero()) {
      tick.volume_change_pct_24h =
          (tick.volume_24h_quote->to_double() / before->to_double() - 1.0) * 100.0;
    }
    values = state.indicators->values_at(candle->open_time);
    if (values) {
      tick.price_change_pct_1h = percent_of(values->rolling_return_1h);
      tick.price_change_pct_24h = percent_of(values->rolling_return_24h);
    }
  }
  auto row = tick_row(tick, options_.ladder_levels, stamp);
  std::optional<schema::Row> indicators;
  if (values) {
    indicators = indicator_row(*state.instrument, Timeframe::m1, frozen.instant, *values, 0, stamp);
    state.emitted.push_back({frozen.instant, *values, 0});
    const Time horizon =
        candle->open_time -
        length_of(Timeframe::m1) * static_cast<std::int64_t>(options_.correction_horizon);
    while (state.emitted.front().values.open_time < horizon) state.emitted.pop_front();
  }
  state.slot->with([&](Latest& latest) {
    latest.tick = row;
    latest.indicators = indicators;
    latest.is_stale = false;
  });
  output_.on_row(std::move(row));
  if (!indicators) return;
  output_.on_row(std::move(*indicators));
  if (const auto newest = state.indicators->latest()) {
    output_.on_row(checkpoint_row(*state.instrument, Timeframe::m1, newest->open_time,
                                  state.indicators->checkpoint(), stamp));
  }
}

void VenuePipeline::plan(SeriesState& series) {
  if (!ask_ || series.is_asked || !clock_.now()) return;
  const Time now = *clock_.now();
  if (series.ask_after && now < *series.ask_after) return;
  const auto holes = series.candles.holes(now - options_.close_grace);
  if (holes.empty()) return completed(series);
  exchange::RestQuery query;
  query.kind = exchange::RestKind::candles;
  query.instrument = series.owner->instrument;
  query.timeframe = series.candles.timeframe();
  query.start = holes.front().from;
  const auto request =
      ask_(query, series.was_complete ? feed::Priority::live : feed::Priority::history);
  if (!request) {
    // A venue without candle history: what is missing stays so.
    return completed(series);
  }
  series.is_asked = true;
  asked_.emplace(*request, std::pair{&series, query});
}

// History has answered all that it can: rows wait for it no longer.
void VenuePipeline::completed(SeriesState& series) {
  if (std::exchange(series.was_complete, true)) return;
  InstrumentState& state = *series.owner;
  if (series.candles.timeframe() != Timeframe::m1) return;
  state.indicators_run = true;
  series.candles.each_closed(
      [&](const Candle& candle) { state.indicators->apply(bar_of(candle)); });
}

void VenuePipeline::on_reply(feed::RequestId request, const Events& events) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) {
    on_events(events);
    return;
  }
  auto [series, query] = found->second;
  asked_.erase(found);
  series->is_asked = false;
  candles_arrived(*series, query, events);
  plan(*series);
  write_snapshots(*series->owner, false);
}

// A REST row is final when a later row came in the same reply, or when its period ended so long ago
// by the venue's clock that no lag of its REST side can matter.
void VenuePipeline::candles_arrived(SeriesState& series, const exchange::RestQuery& query,
                                    const Events& events) {
  const Time now = *clock_.now();
  Time newest = Time::min();
  for (const auto& event : events) {
    if (const auto* candle = std::get_if<Candle>(&event))
      newest = std::max(newest, candle->open_time);
  }
  Time covered = *query.start;
  for (const auto& event : events) {
    const auto* row = std::get_if<Candle>(&event);
    if (row == nullptr || row->timeframe != query.timeframe || row->open_time < covered) continue;
    received_time_ = row->origin.received_time;
    Candle candle = *row;
    candle.is_closed =
        candle.end_time() <= now &&
        (candle.open_time < newest || candle.end_time() + long_ago(query.timeframe) <= now);
    candle.closed_is_known = true;
    // Rows before this one that did not come do not exist.
    if (candle.open_time > covered) series.candles.mark_absent({covered, candle.open_time});
    covered = next_open(query.timeframe, candle.open_time);
    if (candle.is_closed) stored(*series.owner, series, series.candles.apply(candle));
  }
  series.ask_after.reset();
  if (newest == Time::min()) {
    const bool may_lag = *query.start + 3 * length_of(query.timeframe) > now;
    series.ask_after = now + (may_lag ? lagging_reply_pause : empty_reply_pause);
    completed(series);
  } else if (newest <= *query.start) {
    series.ask_after = now + lagging_reply_pause;
  }
}

void VenuePipeline::on_request_refused(feed::RequestId request, const Error& /*error*/) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return;
  SeriesState& series = *found->second.first;
  asked_.erase(found);
  series.is_asked = false;
  // Asked again after a while: a listing may appear. Snapshots do not wait for it.
  completed(series);
  series.ask_after = clock_.now().value_or(Time{}) + 10min;
}

void VenuePipeline::on_live(const std::vector<exchange::Channel>& /*channels*/) {}

void VenuePipeline::on_down(const std::vector<exchange::Channel>& channels,
                            std::string_view /*reason*/) {
  // What was live is not any more: a ladder or quote from before must not go into a snapshot.
  for (const auto& channel : channels) {
    InstrumentState* state = state_of(channel.instrument);
    if (state == nullptr) continue;
    if (channel.kind == exchange::ChannelKind::ladder) state->ladder.reset();
    if (channel.kind == exchange::ChannelKind::quotes) state->quote.reset();
    sequences_.restart_tops(*channel.instrument);
    state->slot->with([](Latest& latest) { latest.is_stale = true; });
  }
}

void VenuePipeline::forget(const schema::Row& row) {
  if (row.table != &schema::fact_ohlcv) return;
  for (auto& state : instruments_) {
    if (std::get<std::string>(row.at("exchange")) != state->instrument->exchange ||
        std::get<std::string>(row.at("symbol")) != state->instrument->symbol) {
      continue;
    }
    for (auto& series : state->series) {
      if (to_text(series->candles.timeframe()) != std::get<std::string>(row.at("timeframe")))
        continue;
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
      stored(*state, *series, series->candles.apply(candle));
    }
    write_snapshots(*state, true);
  }
}

std::size_t VenuePipeline::missing_candles() const {
  std::size_t missing = 0;
  if (!clock_.now()) return 0;
  for (const auto& state : instruments_) {
    for (const auto& series : state->series) {
      for (const auto& hole : series->candles.holes(*clock_.now() - options_.close_grace)) {
        missing += static_cast<std::size_t>((hole.to - hole.from) /
                                            length_of(series->candles.timeframe()));
      }
    }
  }
  return missing;
}

}  // namespace candlewick::pipeline
