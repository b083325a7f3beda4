// Candles, checkpoint, newest rows and the ledger's words, by timeframe.
#include "app/memory.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "pipeline/coverage.h"
#include "query/candles.h"
#include "query/checkpoint.h"
#include "query/coverage.h"
#include "query/snapshots.h"
#include "query/trades.h"

namespace candlewick::app {

using namespace std::chrono_literals;

namespace {

Candle candle_of(const query::Candle& stored, const Instrument& instrument, Timeframe timeframe) {
  Candle candle;
  candle.origin.instrument = &instrument;
  candle.timeframe = timeframe;
  candle.open_time = stored.timestamp;
  candle.open = stored.open;
  candle.high = stored.high;
  candle.low = stored.low;
  candle.close = stored.close;
  candle.volume = stored.volume;
  candle.quote_volume = stored.quote_volume;
  if (stored.trade_count) candle.trade_count = static_cast<std::uint64_t>(*stored.trade_count);
  candle.taker_buy_volume = stored.taker_buy_volume;
  candle.taker_buy_quote_volume = stored.taker_buy_quote_volume;
  candle.is_closed = true;
  candle.source = parse_source(stored.source).value_or(Source::rest);
  candle.revision = static_cast<std::int32_t>(stored.revision);
  return candle;
}

// Those that a correction may still change.
Result<void> read_indicators(warehouse::Database& warehouse, const Instrument& instrument,
                             const Config& config, pipeline::Memory& known) {
  query::SnapshotQuery rows{
      .exchange = instrument.exchange,
      .symbol = instrument.symbol,
      .limit = static_cast<std::size_t>(config.pipeline.correction_horizon_candles),
      .order = query::Order::descending};
  auto indicators = query::indicators(warehouse, rows);
  if (!indicators) return fail(indicators.error());
  std::ranges::reverse(*indicators);
  known.indicators = std::move(*indicators);
  return {};
}

Result<void> read_coverage(warehouse::Database& warehouse, const Instrument& instrument,
                           Timeframe timeframe, pipeline::Memory& known) {
  auto spans = query::coverage(warehouse, {.exchange = instrument.exchange,
                                           .symbol = instrument.symbol,
                                           .timeframe = std::string(to_text(timeframe))});
  if (!spans) return fail(spans.error());
  for (const auto& span : *spans) {
    known.coverage_sequence = std::max(known.coverage_sequence, span.seq);
    const auto state = pipeline::parse_coverage_state(span.state);
    if (span.stream == to_text(Stream::trades)) {
      known.trades_spoken_until = std::max(known.trades_spoken_until.value_or(span.to), span.to);
      if (state == pipeline::CoverageState::missing)
        known.lost_trades.push_back({span.from, span.to});
    }
    if (!state || span.stream != to_text(Stream::candles)) continue;
    if (span.cause == pipeline::cause::before_start)
      known.followed_since = std::max(known.followed_since.value_or(span.to), span.to);
    // Only what may still be asked for matters.
    const Time from =
        known.candles.empty() ? span.from : std::max(span.from, known.candles.front().open_time);
    if (from < span.to) known.coverage.push_back({{from, span.to}, *state});
  }
  return {};
}

std::uint64_t number_of(std::string_view trade_id) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(trade_id.data(), trade_id.data() + trade_id.size(), id);
  return error == std::errc{} && end == trade_id.data() + trade_id.size() ? id : 0;
}

// The greatest id of the last ones: the times of trades need not grow as their ids do.
Result<void> read_newest_trade(warehouse::Database& warehouse, const Instrument& instrument,
                               pipeline::Memory& known) {
  constexpr std::size_t enough = 1000;
  const auto newest = query::trades(warehouse, {.exchange = instrument.exchange,
                                                .symbol = instrument.symbol,
                                                .start = {},
                                                .end = {},
                                                .after = {},
                                                .limit = enough,
                                                .order = query::Order::descending});
  if (!newest) return fail(newest.error());
  for (const auto& trade : *newest) {
    const auto id = number_of(trade.trade_id);
    if (known.newest_trade && id <= known.newest_trade->id) continue;
    known.newest_trade = {.id = id, .time = trade.exchange_time};
  }
  return {};
}

struct StoredId {
  std::uint64_t id;
  Time time;
};

// Of a span, and the one before it.
Result<std::vector<StoredId>> stored_ids(warehouse::Database& warehouse,
                                         const Instrument& instrument, const pipeline::Span& span,
                                         std::size_t limit) {
  query::TradeQuery query{.exchange = instrument.exchange,
                          .symbol = instrument.symbol,
                          .start = {},
                          .end = span.from,
                          .after = {},
                          .limit = 1,
                          .order = query::Order::descending};
  std::vector<StoredId> ids;
  for (const bool is_within : {false, true}) {
    if (is_within) {
      query.start = span.from;
      query.end = span.to;
      query.limit = limit;
      query.order = query::Order::ascending;
    }
    const auto found = query::trades(warehouse, query);
    if (!found) return fail(found.error());
    for (const auto& trade : *found)
      ids.push_back({number_of(trade.trade_id), trade.exchange_time});
  }
  return ids;
}

// The minutes that were not done with when the last run ended: those that the ledger calls missing,
// and the one that was running. What they lack is seen by the ids that are there.
Result<void> read_missed_trades(warehouse::Database& warehouse, const Instrument& instrument,
                                pipeline::Memory& known) {
  constexpr std::size_t most = 200'000;
  auto spans = std::exchange(known.lost_trades, {});
  if (!known.newest_trade || known.newest_trade->id == 0) {
    known.lost_trades = std::move(spans);
    return {};
  }
  const Time running = open_of(Timeframe::m1, known.newest_trade->time);
  spans.push_back({running, running + 1min});
  std::ranges::sort(spans, {}, &pipeline::Span::from);
  std::vector<pipeline::Span> joined;
  for (const auto& span : spans) {
    if (!joined.empty() && span.from <= joined.back().to) {
      joined.back().to = std::max(joined.back().to, span.to);
    } else {
      joined.push_back(span);
    }
  }
  for (const auto& span : joined) {
    auto ids = stored_ids(warehouse, instrument, span, most);
    if (!ids) return fail(ids.error());
    if (ids->size() >= most) {
      known.lost_trades.push_back(span);
      continue;
    }
    if (!ids->empty() && ids->front().time >= span.from)  // none is older
      known.trades_proven_from = open_of(Timeframe::m1, ids->front().time) + 1min;
    std::ranges::sort(*ids, {}, &StoredId::id);
    pipeline::KeptTrades::Missed missed{.span = span, .ids = {}};
    for (std::size_t i = 1; i < ids->size(); ++i) {
      const auto& before = (*ids)[i - 1];
      const auto& after = (*ids)[i];
      if (after.id <= before.id + 1) continue;
      missed.span.from = std::min(missed.span.from, open_of(Timeframe::m1, before.time));
      missed.ids.push_back({before.id + 1, after.id, before.time});
    }
    known.missed_trades.push_back(std::move(missed));
  }
  return {};
}

}  // namespace

Result<Memories> read_memories(warehouse::Database& warehouse, const Instrument& instrument,
                               std::span<const Timeframe> timeframes, const Config& config) {
  Memories memories;
  for (const auto timeframe : timeframes) {
    const auto needed =
        static_cast<std::size_t>(std::max<Duration>(config.feed.backfill_horizon, 49h) /
                                 length_of(timeframe)) +
        static_cast<std::size_t>(config.pipeline.correction_horizon_candles);
    pipeline::Memory& known = memories[timeframe];
    auto candles = query::candles(warehouse, {.exchange = instrument.exchange,
                                              .symbol = instrument.symbol,
                                              .timeframe = timeframe,
                                              .limit = std::min<std::size_t>(needed, 10'000),
                                              .order = query::Order::descending,
                                              .closed_only = true});
    if (!candles) return fail(candles.error());
    for (auto stored = candles->rbegin(); stored != candles->rend(); ++stored) {
      if (stored->source != "rollup")
        known.candles.push_back(candle_of(*stored, instrument, timeframe));
    }
    auto checkpoint =
        query::checkpoint(warehouse, instrument.exchange, instrument.symbol, to_text(timeframe));
    if (!checkpoint) return fail(checkpoint.error());
    if (*checkpoint) known.checkpoint = (*checkpoint)->state;
    const query::SnapshotQuery newest{
        .exchange = instrument.exchange, .symbol = instrument.symbol, .limit = 1};
    auto ticks = query::latest_ticks(warehouse, newest);
    if (!ticks) return fail(ticks.error());
    if (!ticks->empty()) known.tick = std::move(ticks->front());
    if (timeframe == Timeframe::m1) {
      if (auto read = read_indicators(warehouse, instrument, config, known); !read)
        return fail(read.error());
    }
    if (auto read = read_coverage(warehouse, instrument, timeframe, known); !read)
      return fail(read.error());
    if (timeframe == Timeframe::m1 && config.pipeline.keep_trades) {
      if (auto read = read_newest_trade(warehouse, instrument, known); !read)
        return fail(read.error());
      if (auto read = read_missed_trades(warehouse, instrument, known); !read)
        return fail(read.error());
    }
  }
  return memories;
}

}  // namespace candlewick::app
