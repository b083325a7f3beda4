// Instants to rows.
#include "pipeline/snapshots.h"

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace candlewick::pipeline {

using namespace std::chrono_literals;

namespace {

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
    if (candle == nullptr && series.is_quiet(open)) continue;
    if (candle == nullptr || !candle->quote_volume) return std::nullopt;
    const auto total = Decimal::add(sum, *candle->quote_volume);
    if (!total) return std::nullopt;
    sum = *total;
  }
  return sum;
}

}  // namespace

Snapshots::Snapshots(const Instrument& instrument, SnapshotOptions options, LatestBoard::Slot& slot,
                     PipelineOutput& output)
    : instrument_(&instrument), options_(options), slot_(&slot), output_(&output) {}

// Of the row's values alone, so that it can be had of a computation as well as of a row.
std::size_t Snapshots::digest_of(const indicator::Values& values) const {
  return std::hash<std::string>{}(
      schema::to_json(indicator_row(*instrument_, Timeframe::m1, {}, values, 0, {})));
}

void Snapshots::remember(const std::optional<schema::Row>& tick, std::optional<Time> followed_since,
                         const std::vector<schema::Row>& indicators,
                         const indicator::Series& series) {
  newest_instant_ = followed_since;
  if (tick) newest_instant_ = std::get<Time>(tick->at("exchange_ts"));
  const auto newest = series.latest();
  if (!newest || indicators.empty()) return;
  const auto candle_time = [](const schema::Row& row) {
    const auto* time = std::get_if<Time>(&row.at("candle_time"));
    return time == nullptr ? std::nullopt : std::optional(*time);
  };
  std::map<Time, std::size_t> digests;
  series.each(newest->open_time -
                  length_of(Timeframe::m1) * static_cast<std::int64_t>(options_.correction_horizon),
              newest->open_time, [&](const indicator::Values& values) {
                digests.emplace(values.open_time, digest_of(values));
              });
  for (const auto& row : indicators) {
    const auto open = candle_time(row);
    const auto digest = open ? digests.find(*open) : digests.end();
    if (digest == digests.end()) continue;
    emitted_.push_back({std::get<Time>(row.at("exchange_ts")), *open,
                        std::get<std::int64_t>(row.at("revision")), digest->second});
  }
}

void Snapshots::resume(Time now) {
  if (!newest_instant_) return;
  const auto interval = options_.interval;
  const Time earliest = std::max(*newest_instant_, now - options_.made_up_for);
  for (Time instant{(earliest.time_since_epoch() / interval + 1) * interval}; instant <= now;
       instant += interval) {
    freeze(instant, {}, now);
  }
}

void Snapshots::freeze(Time instant, Live live, Time now) {
  if (newest_instant_ && instant <= *newest_instant_) return;
  newest_instant_ = instant;
  const auto most = static_cast<std::size_t>(options_.made_up_for / options_.interval) + 16;
  if (waiting_.size() >= most) waiting_.pop_front();
  waiting_.push_back({instant, now, std::move(live)});
}

void Snapshots::write(const Sources& sources) {
  while (!waiting_.empty()) {
    const Frozen& frozen = waiting_.front();
    // Nothing that history can answer starts as null: until it has been read, rows wait.
    if (!sources.is_the_end && !sources.is_history_complete) return;
    const Time wanted = previous_open(Timeframe::m1, open_of(Timeframe::m1, frozen.instant));
    const auto bar = sources.minutes.bar_at(wanted);
    const Candle* candle = bar ? &*bar : nullptr;
    const bool is_settled =
        candle != nullptr || pipeline::is_settled(sources.minutes.state_at(wanted));
    const bool waited = sources.now >= frozen.frozen_at + options_.grace;
    if (!is_settled && !waited && !sources.is_the_end) return;
    if (candle == nullptr)
      candle = sources.minutes.newest_closed(open_of(Timeframe::m1, frozen.instant));
    write_one(frozen, candle, is_settled, sources);
    waiting_.pop_front();
  }
}

void Snapshots::write_one(const Frozen& frozen, const Candle* candle, bool is_settled,
                          const Sources& sources) {
  const Time stamp = sources.stamp.value_or(frozen.instant);
  Tick tick;
  tick.instrument = instrument_;
  tick.exchange_time = frozen.instant;
  tick.last_price = frozen.live.last_price;
  tick.bids = frozen.live.bids;
  tick.asks = frozen.live.asks;
  tick.market_cap = frozen.live.market_cap;
  tick.circulating_supply = frozen.live.circulating_supply;
  if (!tick.bids.empty() && !tick.asks.empty())
    tick.bid_ask_spread = Decimal::subtract(tick.asks.front().price, tick.bids.front().price);
  std::optional<indicator::Values> values;
  if (candle != nullptr) {
    constexpr int day = 1440;
    tick.candle = *candle;
    // The price of the last trade before the instant is the close of the candle that ends there,
    // whoever listened when.
    if (is_settled && open_of(Timeframe::m1, frozen.instant) == frozen.instant)
      tick.last_price = candle->close;
    tick.volume_24h_quote = quote_volume(sources.minutes, candle->open_time, day);
    const auto before = quote_volume(sources.minutes, candle->open_time - 24h, day);
    if (tick.volume_24h_quote && before && !before->is_zero()) {
      tick.volume_change_pct_24h =
          (tick.volume_24h_quote->to_double() / before->to_double() - 1.0) * 100.0;
    }
    values = sources.indicators.values_at(candle->open_time);
    if (values) {
      tick.price_change_pct_1h = percent_of(values->rolling_return_1h);
      tick.price_change_pct_24h = percent_of(values->rolling_return_24h);
    }
  }
  auto row = tick_row(tick, options_.ladder_levels, stamp);
  std::optional<schema::Row> indicators;
  if (values) {
    indicators = indicator_row(*instrument_, Timeframe::m1, frozen.instant, *values, 0, stamp);
    emitted_.push_back({frozen.instant, values->open_time, 0, digest_of(*values)});
    const Time horizon =
        candle->open_time -
        length_of(Timeframe::m1) * static_cast<std::int64_t>(options_.correction_horizon);
    while (emitted_.front().open_time < horizon) emitted_.pop_front();
  }
  slot_->with([&](Latest& latest) {
    latest.tick = row;
    latest.indicators = indicators;
    latest.is_stale = false;
  });
  output_->on_row(std::move(row));
  if (!indicators) return;
  output_->on_row(std::move(*indicators));
  // The state is that of the newest bar, so with the last of several rows it is written once.
  if (waiting_.size() > 1) return;
  if (const auto newest = sources.indicators.latest()) {
    output_->on_row(checkpoint_row(*instrument_, Timeframe::m1, newest->open_time,
                                   sources.indicators.checkpoint(), stamp));
  }
}

void Snapshots::revise(const indicator::Applied& applied, const indicator::Series& series,
                       std::optional<Time> stamp) {
  if (applied.bars == 0 || emitted_.empty() || applied.first > emitted_.back().open_time) return;
  std::map<Time, indicator::Values> now;
  series.each(applied.first, applied.last,
              [&](const indicator::Values& values) { now.emplace(values.open_time, values); });
  for (auto& row : emitted_) {
    const auto values = now.find(row.open_time);
    if (values == now.end()) continue;
    const auto digest = digest_of(values->second);
    if (digest == row.digest) continue;
    row.digest = digest;
    ++row.revision;
    output_->on_row(indicator_row(*instrument_, Timeframe::m1, row.instant, values->second,
                                  row.revision, stamp.value_or(row.instant)));
  }
}

}  // namespace candlewick::pipeline
