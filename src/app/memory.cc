// Candles, checkpoint, newest rows and the ledger's words, by timeframe.
#include "app/memory.h"

#include <algorithm>

#include "pipeline/coverage.h"
#include "query/candles.h"
#include "query/checkpoint.h"
#include "query/coverage.h"
#include "query/snapshots.h"

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
  }
  return memories;
}

}  // namespace candlewick::app
