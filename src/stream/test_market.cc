// A price that goes up and down in ten minutes; everything else follows from it.
#include "stream/test_market.h"

#include <algorithm>

#include "pipeline/rows.h"

namespace candlewick::stream {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t period = 600;   // seconds up and down again
constexpr int levels = 20;             // of the book, a side
constexpr std::int64_t most_told = 5;  // seconds after a pause

Decimal cents(std::int64_t count) {
  return Decimal::parse(fmt::format("{}.{:02}", count / 100, count % 100)).value_or(Decimal{});
}

std::int64_t number_of(Time second) {
  return to_ns(second) / 1'000'000'000;
}

// Between 100.00 and 103.00, a cent a second.
std::int64_t price_in_cents(std::int64_t number) {
  const std::int64_t phase = ((number % period) + period) % period;
  return 10'000 + std::min(phase, period - phase);
}

}  // namespace

TestMarket::TestMarket(Intake& intake, std::vector<Timeframe> timeframes)
    : intake_(&intake),
      timeframes_(std::move(timeframes)),
      instrument_({.exchange = "test",
                   .symbol = "TEST/USDT",
                   .exchange_symbol = "TESTUSDT",
                   .base = "TEST",
                   .quote = "USDT",
                   .status = ListingStatus::trading}),
      slot_(&board_.add(instrument_)),
      indicators_(1s) {
  intake.add(instrument_);
}

void TestMarket::advance(Time now) {
  const Time second = std::chrono::floor<std::chrono::seconds>(now);
  if (next_ == Time{} || next_ < second - std::chrono::seconds{most_told - 1} ||
      next_ > second + 1s) {
    next_ =
        next_ == Time{} || next_ > second ? second : second - std::chrono::seconds{most_told - 1};
  }
  for (; next_ <= second; next_ += 1s) tell(next_);
}

void TestMarket::tell(Time second) {
  const std::int64_t number = number_of(second);
  const std::int64_t price = price_in_cents(number);
  const Origin origin{.instrument = &instrument_, .exchange_time = second, .received_time = second};
  Trade trade{.origin = origin,
              .id = static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0))};
  trade.first_id = trade.last_id = trade.id;
  trade.taker_side = price >= price_in_cents(number - 1) ? Side::buy : Side::sell;
  trade.price = cents(price);
  trade.size = Decimal{1};
  BookUpdate book{.origin = origin, .kind = BookKind::snapshot, .sequence = trade.id};
  for (int level = 1; level <= levels; ++level) {
    book.bids.push_back({cents(price - level), Decimal{level}});
    book.asks.push_back({cents(price + level), Decimal{level}});
  }
  indicators_.push({.open_time = second,
                    .open = trade.price,
                    .high = trade.price,
                    .low = trade.price,
                    .close = trade.price,
                    .volume = Decimal{1},
                    .quote_volume = trade.price});
  const schema::Row tick = pipeline::tick_row({.instrument = &instrument_,
                                               .exchange_time = second,
                                               .last_price = trade.price,
                                               .bid_ask_spread = cents(2),
                                               .bids = book.bids,
                                               .asks = book.asks},
                                              levels, second);
  const schema::Row row =
      pipeline::indicator_row(instrument_, Timeframe::m1, second, indicators_.values(), 0, second);
  slot_->with([&](pipeline::Latest& latest) {
    latest.received_time = latest.exchange_time = second;
    latest.trade = trade;
    latest.quote = Quote{.origin = origin,
                         .bid = book.bids.front().price,
                         .bid_size = book.bids.front().size,
                         .ask = book.asks.front().price,
                         .ask_size = book.asks.front().size,
                         .sequence = trade.id};
    latest.ticker = Ticker{.origin = origin,
                           .last = trade.price,
                           .open_24h = cents(price_in_cents(number - 86'400)),
                           .high_24h = cents(10'000 + period / 2),
                           .low_24h = cents(10'000),
                           .volume_24h = Decimal{86'400}};
    latest.tick = tick;
    latest.indicators = row;
    latest.ladder = std::move(book);
  });
  for (const auto timeframe : timeframes_) {
    slot_->with([&](pipeline::Latest& latest) { tell_candle(timeframe, second, latest); });
    const Candle& candle = forming_.at(timeframe);
    if (candle.is_closed) intake_->on_event(candle);
  }
  intake_->on_event(trade);
  intake_->on_row(tick);
  intake_->on_row(row);
}

// The last second of a candle closes it.
void TestMarket::tell_candle(Timeframe timeframe, Time second, pipeline::Latest& latest) {
  const Time open = open_of(timeframe, second);
  Candle& candle = forming_[timeframe];
  if (candle.origin.instrument == nullptr || candle.open_time != open) {
    candle = Candle{.origin = {.instrument = &instrument_}, .timeframe = timeframe};
    candle.open_time = open;
    candle.open = cents(price_in_cents(number_of(open)));
    candle.high = candle.low = candle.open;
    // What was before the first second that is told: the price repeats itself.
    const std::int64_t first = std::max(number_of(open), number_of(second) - period);
    for (std::int64_t number = first; number < number_of(second); ++number) {
      candle.high = std::max(candle.high, cents(price_in_cents(number)));
      candle.low = std::min(candle.low, cents(price_in_cents(number)));
    }
  }
  candle.origin.exchange_time = candle.origin.received_time = second;
  candle.close = cents(price_in_cents(number_of(second)));
  candle.high = std::max(candle.high, candle.close);
  candle.low = std::min(candle.low, candle.close);
  const std::int64_t seconds = number_of(second) - number_of(open) + 1;
  candle.volume = Decimal{seconds};
  candle.trade_count = static_cast<std::uint64_t>(seconds);
  candle.is_closed = second + 1s >= candle.end_time();
  if (candle.is_closed) {
    latest.closed.insert_or_assign(timeframe, candle);
    latest.forming.erase(timeframe);
  } else {
    latest.forming.insert_or_assign(timeframe, candle);
  }
}

}  // namespace candlewick::stream
