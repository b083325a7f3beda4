// What follows from the facts in the same way for every kind of market.
#include "simulator/market.h"

#include <algorithm>

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

Decimal sum(Decimal a, Decimal b) {
  return Decimal::from_count(a.count() + b.count());
}

// A quiet market is looked through for the last price; one that never traded ends the search.
constexpr std::int64_t longest_silence_minutes = 3LL * 24 * 60;

}  // namespace

void Bar::add(const MarketTrade& trade) {
  if (!any) {
    any = true;
    open = high = low = trade.price;
    first_id = trade.id;
  }
  high = std::max(high, trade.price);
  low = std::min(low, trade.price);
  close = trade.price;
  volume = sum(volume, trade.size);
  quote_volume = sum(quote_volume, trade.quote_size);
  if (trade.taker_is_buyer) {
    taker_volume = sum(taker_volume, trade.size);
    taker_quote_volume = sum(taker_quote_volume, trade.quote_size);
  }
  count += trade.matches;
  last_id = trade.id + trade.matches - 1;
}

void Bar::add(const Bar& next) {
  if (!next.any) return;
  if (!any) {
    *this = next;
    return;
  }
  high = std::max(high, next.high);
  low = std::min(low, next.low);
  close = next.close;
  volume = sum(volume, next.volume);
  quote_volume = sum(quote_volume, next.quote_volume);
  taker_volume = sum(taker_volume, next.taker_volume);
  taker_quote_volume = sum(taker_quote_volume, next.taker_quote_volume);
  count += next.count;
  last_id = next.last_id;
}

Time open_of(Timeframe timeframe, Time time, Duration shift) {
  return candlewick::open_of(timeframe, time + shift) - shift;
}
Time next_open(Timeframe timeframe, Time open, Duration shift) {
  return candlewick::next_open(timeframe, open + shift) - shift;
}
Time previous_open(Timeframe timeframe, Time open, Duration shift) {
  return candlewick::previous_open(timeframe, open + shift) - shift;
}

std::optional<std::size_t> Market::find(std::string_view exchange_symbol) const {
  for (std::size_t i = 0; i < listings_.size(); ++i) {
    if (listings_[i].instrument.exchange_symbol == exchange_symbol) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> Market::resolve(std::string_view typed) const {
  const auto folded = folded_symbol(typed);
  for (std::size_t i = 0; i < listings_.size(); ++i) {
    const auto& instrument = listings_[i].instrument;
    if (folded_symbol(instrument.exchange_symbol) == folded ||
        folded_symbol(instrument.symbol) == folded) {
      return i;
    }
  }
  return std::nullopt;
}

Time Market::first_open(std::size_t listing, Timeframe timeframe, Duration shift) {
  const Time from = known_from(listing);
  const Time open = open_of(timeframe, from, shift);
  return is_young() || open == from ? open : next_open(timeframe, open, shift);
}

std::optional<Row> Market::row(std::size_t listing, Timeframe timeframe, Time open, Time now,
                               Duration shift) {
  if (length_of(timeframe) < length_of(shortest())) return std::nullopt;
  if (open > now || open >= known_until(listing) || open < first_open(listing, timeframe, shift)) {
    return std::nullopt;
  }
  Row row{.open_time = open, .end_time = next_open(timeframe, open, shift), .bar = {}};
  row.bar = bar(listing, open, std::min(row.end_time, now + 1ns));
  if (row.bar.any) return row;
  if (std::ranges::any_of(blackouts_, [&](const MarketEvents::Blackout& blackout) {
        return blackout.from <= row.open_time && row.end_time <= blackout.to;
      })) {
    return std::nullopt;
  }
  if (!fills_quiet_candles()) return std::nullopt;
  const auto price = price_before(listing, open);
  if (!price) return std::nullopt;
  row.bar.open = row.bar.high = row.bar.low = row.bar.close = *price;
  return row;
}

Result<void> Market::set_events(const MarketEvents&) {
  return fail(ErrorKind::misconfigured,
              "faults: blackout and jump need a made-up market, not a recorded one");
}

std::vector<Row> Market::rows(std::size_t listing, Timeframe timeframe, Time start, Time end,
                              Time now, std::size_t limit, bool newest, Duration shift) {
  std::vector<Row> found;
  const Time first = std::max(start, first_open(listing, timeframe, shift));
  const Time stop = std::min({end, now + 1ns, known_until(listing)});
  if (first >= stop || length_of(timeframe) < length_of(shortest())) return found;
  const auto take = [&](Time open) {
    if (auto one = row(listing, timeframe, open, now, shift)) found.push_back(std::move(*one));
  };
  if (newest) {
    Time open = open_of(timeframe, stop - 1ns, shift);
    for (; open >= first && found.size() < limit; open = previous_open(timeframe, open, shift)) {
      take(open);
    }
    std::ranges::reverse(found);
    return found;
  }
  Time open = open_of(timeframe, first, shift);
  if (open < first) open = next_open(timeframe, open, shift);
  for (; open < stop && found.size() < limit; open = next_open(timeframe, open, shift)) take(open);
  return found;
}

std::optional<Decimal> Market::price_before(std::size_t listing, Time time) {
  const std::int64_t first = minute_of(known_from(listing));
  const std::int64_t last = minute_of(time - 1ns);
  for (std::int64_t minute = last; minute >= first && minute > last - longest_silence_minutes;
       --minute) {
    const auto found =
        bar(listing, time_of_minute(minute), std::min(time_of_minute(minute + 1), time));
    if (found.any) return found.close;
  }
  return std::nullopt;
}

std::vector<MarketTrade> Market::trades(std::size_t listing, Time start, Time end,
                                        std::size_t limit, bool newest) {
  std::vector<MarketTrade> found;
  const Time from = std::max(start, known_from(listing));
  const Time until = std::min(end, known_until(listing) - 1ns);
  if (from > until) return found;
  const std::int64_t first = minute_of(from);
  const std::int64_t last = minute_of(until);
  const auto wanted = [&](const MarketTrade& trade) {
    return trade.time >= from && trade.time <= until;
  };
  if (newest) {
    for (std::int64_t minute = last; minute >= first && found.size() < limit; --minute) {
      const auto trades = minute_trades(listing, minute);
      for (std::size_t i = trades.size(); i-- != 0 && found.size() < limit;) {
        if (wanted(trades[i])) found.push_back(trades[i]);
      }
    }
    std::ranges::reverse(found);
    return found;
  }
  for (std::int64_t minute = first; minute <= last && found.size() < limit; ++minute) {
    for (const auto& trade : minute_trades(listing, minute)) {
      if (found.size() == limit) break;
      if (wanted(trade)) found.push_back(trade);
    }
  }
  return found;
}

}  // namespace candlewick::simulator
