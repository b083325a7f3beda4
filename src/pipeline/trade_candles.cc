// Trades to candles.
#include "pipeline/trade_candles.h"

#include <algorithm>

namespace candlewick::pipeline {
namespace {

constexpr std::size_t periods_kept = 16;

// Sums of what a venue sends stay in range by far; one that does not is refused by never growing.
void add_to(Decimal& sum, Decimal amount) {
  if (const auto total = Decimal::add(sum, amount)) sum = *total;
}

void add_to(Candle& candle, const Trade& trade) {
  candle.origin.exchange_time = trade.origin.exchange_time;
  candle.origin.received_time = trade.origin.received_time;
  candle.high = std::max(candle.high, trade.price);
  candle.low = std::min(candle.low, trade.price);
  candle.close = trade.price;
  const auto quote =
      trade.quote_size ? trade.quote_size : Decimal::multiply(trade.price, trade.size);
  add_to(candle.volume, trade.size);
  if (quote) add_to(*candle.quote_volume, *quote);
  *candle.trade_count += trade.last_id >= trade.first_id ? trade.last_id - trade.first_id + 1 : 1;
  if (trade.taker_side == Side::buy) {
    add_to(*candle.taker_buy_volume, trade.size);
    if (quote) add_to(*candle.taker_buy_quote_volume, *quote);
  }
}

}  // namespace

TradeCandles::TradeCandles(const Instrument& instrument, Timeframe timeframe, Duration grace)
    : instrument_(&instrument), timeframe_(timeframe), grace_(grace) {}

const Candle* TradeCandles::forming() const {
  return periods_.empty() || periods_.back().is_closed ? nullptr : &periods_.back().candle;
}

TradeCandles::Period TradeCandles::make_period(Time open, const Trade& trade) const {
  Period period;
  Candle& candle = period.candle;
  candle.origin.instrument = instrument_;
  candle.timeframe = timeframe_;
  candle.open_time = open;
  candle.open = candle.high = candle.low = candle.close = trade.price;
  candle.quote_volume = Decimal{};
  candle.trade_count = 0;
  candle.taker_buy_volume = Decimal{};
  candle.taker_buy_quote_volume = Decimal{};
  candle.source = Source::trades;
  period.is_whole = whole_from_ && open >= *whole_from_;
  return period;
}

// Null for a trade so late that its candle is not kept any more.
TradeCandles::Period* TradeCandles::period_of(Time open, const Trade& trade) {
  const auto found = std::ranges::find_if(
      periods_, [&](const Period& period) { return period.candle.open_time >= open; });
  if (found != periods_.end() && found->candle.open_time == open) return &*found;
  if (found == periods_.begin() && periods_.size() == periods_kept) return nullptr;
  const auto made = periods_.insert(found, make_period(open, trade));
  if (periods_.size() <= periods_kept) return &*made;
  const auto index = made - periods_.begin();
  periods_.pop_front();
  return &periods_[static_cast<std::size_t>(index - 1)];
}

// Trades are missing between two: no candle from the one's to the other's can be trusted.
void TradeCandles::note_gap(Time from, Time to) {
  const Time first = open_of(timeframe_, from);
  for (auto& period : periods_) {
    if (period.candle.open_time >= first && !period.is_closed) period.is_whole = false;
  }
  whole_from_ = next_open(timeframe_, open_of(timeframe_, to));
}

void TradeCandles::close_before(Time time, std::vector<Candle>& closed) {
  for (auto& period : periods_) {
    if (period.is_closed || period.candle.end_time() + grace_ > time) continue;
    period.is_closed = true;
    period.candle.is_closed = true;
    if (period.is_whole) closed.push_back(period.candle);
  }
}

void TradeCandles::apply(const Trade& trade, std::vector<Candle>& closed) {
  if (!trade.origin.exchange_time) return;
  if (last_id_ && trade.id <= *last_id_) return;
  const Time time = *trade.origin.exchange_time;
  const Time open = open_of(timeframe_, time);
  if (!last_id_) {
    whole_from_ = next_open(timeframe_, open);
  } else if (trade.id != *last_id_ + 1) {
    missing_ += trade.id - *last_id_ - 1;
    note_gap(*newest_trade_, time);
  }
  last_id_ = trade.id;
  is_interrupted_ = false;
  newest_trade_ = std::max(newest_trade_.value_or(time), time);
  close_before(time, closed);
  Period* period = period_of(open, trade);
  if (period == nullptr) return;
  add_to(period->candle, trade);
  if (!period->is_closed) return close_before(*newest_trade_, closed);
  if (!period->is_whole) return;
  ++period->candle.revision;
  closed.push_back(period->candle);
}

void TradeCandles::advance(Time venue_time, std::vector<Candle>& closed) {
  if (!is_interrupted_) close_before(venue_time, closed);
}

}  // namespace candlewick::pipeline
