// Trades to candles.
#include "pipeline/trade_candles.h"

#include <algorithm>

namespace candlewick::pipeline {
namespace {

// Sums of what a venue sends stay in range by far; one that does not is refused by never growing.
void add_to(Decimal& sum, Decimal amount) {
  if (const auto total = Decimal::add(sum, amount)) sum = *total;
}

}  // namespace

TradeCandles::TradeCandles(const Instrument& instrument, Timeframe timeframe)
    : instrument_(&instrument), timeframe_(timeframe) {}

void TradeCandles::start(Time open, const Trade& trade) {
  Candle candle;
  candle.origin.instrument = instrument_;
  candle.timeframe = timeframe_;
  candle.open_time = open;
  candle.open = candle.high = candle.low = candle.close = trade.price;
  candle.quote_volume = Decimal{};
  candle.trade_count = 0;
  candle.taker_buy_volume = Decimal{};
  candle.taker_buy_quote_volume = Decimal{};
  candle.source = Source::trades;
  forming_ = std::move(candle);
}

void TradeCandles::close(std::vector<Candle>& closed) {
  closed_until_ = forming_->end_time();
  if (is_whole_) {
    forming_->is_closed = true;
    closed.push_back(std::move(*forming_));
  }
  forming_.reset();
}

void TradeCandles::apply(const Trade& trade, std::vector<Candle>& closed) {
  if (!trade.origin.exchange_time) return;
  if (last_id_ && trade.id <= *last_id_) return;
  const bool is_gap = last_id_ && trade.id != *last_id_ + 1;
  const bool is_first = !last_id_;
  if (is_gap) missing_ += trade.id - *last_id_ - 1;
  last_id_ = trade.id;

  const Time open = open_of(timeframe_, *trade.origin.exchange_time);
  // A trade of a candle that is closed already, or was passed over.
  if (open < closed_until_ || (forming_ && open < forming_->open_time)) return;
  if (forming_ && open > forming_->open_time) {
    if (is_gap) is_whole_ = false;
    close(closed);
    is_whole_ = !is_gap;
  } else if (is_first || is_gap) {
    is_whole_ = false;
  }
  if (!forming_) start(open, trade);
  Candle& candle = *forming_;
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

void TradeCandles::advance(Time venue_time, std::vector<Candle>& closed) {
  if (!forming_ || forming_->end_time() > venue_time) return;
  close(closed);
  // The next candle is seen from its open on, if no id is missing when its first trade comes.
  is_whole_ = true;
}

}  // namespace candlewick::pipeline
