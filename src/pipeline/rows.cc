// Rows, column by column.
#include "pipeline/rows.h"

#include "indicator/registry.h"
#include "market/event_json.h"

namespace candlewick::pipeline {
namespace {

using schema::Json;
using schema::Null;
using schema::Row;
using schema::Value;

template <class T>
Value or_null(const std::optional<T>& value) {
  if (!value) return Null{};
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    return static_cast<std::int64_t>(*value);
  } else {
    return *value;
  }
}

Value words(std::string_view text) {
  return std::string(text);
}

Value ladder(const std::vector<Level>& levels, bool known, std::size_t limit) {
  if (!known) return Null{};
  Json json;
  append_ladder(json.text, levels, limit);
  return json;
}

}  // namespace

Row instrument_row(const Instrument& instrument, Time recorded_at) {
  return {&schema::instruments,
          {words(instrument.exchange), words(instrument.symbol), words(instrument.exchange_symbol),
           words(to_text(instrument.market)), words(instrument.base), words(instrument.quote),
           words(to_text(instrument.status)), or_null(instrument.tick_size),
           or_null(instrument.step_size), or_null(instrument.listed_at), recorded_at}};
}

Row candle_row(const Candle& candle, Time ingested_at) {
  const Instrument& instrument = *candle.origin.instrument;
  return {
      &schema::fact_ohlcv,
      {words(instrument.exchange), words(instrument.symbol), words(to_text(candle.timeframe)),
       candle.open_time, candle.open, candle.high, candle.low, candle.close, candle.volume,
       or_null(candle.quote_volume), or_null(candle.trade_count), or_null(candle.taker_buy_volume),
       or_null(candle.taker_buy_quote_volume), candle.is_closed, words(to_text(candle.source)),
       std::int64_t{candle.revision}, ingested_at}};
}

Row trade_row(const Trade& trade, std::string trade_id, Time exchange_time, Time ingested_at) {
  const Instrument& instrument = *trade.origin.instrument;
  return {&schema::fact_trade,
          {words(instrument.exchange), words(instrument.symbol), exchange_time, std::move(trade_id),
           trade.price, trade.size, or_null(trade.quote_size), words(to_text(trade.taker_side)),
           ingested_at}};
}

Row tick_row(const Tick& tick, std::size_t ladder_levels, Time ingested_at) {
  const Instrument& instrument = *tick.instrument;
  const auto of_candle = [&](Decimal Candle::* price) -> Value {
    if (!tick.candle) return Null{};
    return (*tick.candle).*price;
  };
  const bool has_ladder = !tick.bids.empty() || !tick.asks.empty();
  return {&schema::market_ticks,
          {words(instrument.symbol),
           words(instrument.exchange),
           words(instrument.exchange_symbol),
           words(to_text(tick.window)),
           tick.exchange_time,
           of_candle(&Candle::open),
           of_candle(&Candle::high),
           of_candle(&Candle::low),
           of_candle(&Candle::close),
           or_null(tick.last_price),
           or_null(tick.price_change_pct_1h),
           or_null(tick.price_change_pct_24h),
           or_null(tick.volume_24h_quote),
           or_null(tick.volume_change_pct_24h),
           or_null(tick.market_cap),
           or_null(tick.circulating_supply),
           or_null(tick.bid_ask_spread),
           ladder(tick.bids, has_ladder, ladder_levels),
           ladder(tick.asks, has_ladder, ladder_levels),
           tick.candle ? Value{tick.candle->open_time} : Value{Null{}},
           ingested_at}};
}

Row indicator_row(const Instrument& instrument, Timeframe window, Time exchange_time,
                  const indicator::Values& values, std::int64_t revision, Time created_at) {
  Json extra;
  indicator::append_extra(extra.text, values);
  return {&schema::technical_indicators,
          {words(instrument.symbol), words(instrument.exchange), words(instrument.exchange_symbol),
           words(to_text(window)), exchange_time, or_null(values.rolling_return_1h),
           or_null(values.rolling_return_24h), or_null(values.rolling_volatility_24h),
           or_null(values.high_low_range_24h), or_null(values.moving_average_7),
           or_null(values.moving_average_30), or_null(values.rsi_14), or_null(values.macd),
           or_null(values.macd_signal), std::move(extra), values.open_time, revision, created_at}};
}

Row checkpoint_row(const Instrument& instrument, Timeframe timeframe, Time candle_time,
                   std::string state, Time recorded_at) {
  return {&schema::indicator_checkpoint,
          {words(instrument.exchange), words(instrument.symbol), words(to_text(timeframe)),
           candle_time, std::move(state), recorded_at}};
}

}  // namespace candlewick::pipeline
