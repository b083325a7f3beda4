// How Binance writes numbers, and the figures that tickers of both kinds share.
#include <algorithm>
#include <charconv>

#include "simulator/binance/binance.h"
#include "simulator/binance/feed.h"

namespace candlewick::simulator::binance {
namespace {

using namespace std::chrono_literals;

// 10^10 counts of 10^-18 are one unit of the eighth digit.
constexpr std::int64_t counts_per_unit = 10'000'000'000;
constexpr std::uint64_t units = 100'000'000;

}  // namespace

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 24> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), result.ptr);
}

void append_fixed(std::string& out, Decimal value) {
  const int128 count = value.count();
  // What fits 64 bits and needs no rounding, which is nearly everything, goes the short way.
  constexpr int128 most = int128{counts_per_unit} * 9'000'000'000'000'000'000LL;
  if (count < 0 || count > most || count % counts_per_unit != 0) {
    out += '"';
    out += value.to_fixed(8);
    out += '"';
    return;
  }
  const auto whole = static_cast<std::uint64_t>(count / counts_per_unit);
  out += '"';
  append_number(out, whole / units);
  std::array<char, 9> tail{};
  tail[0] = '.';
  auto rest = whole % units;
  for (std::size_t place = 8; place != 0; --place) {
    tail[place] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  out.append(tail.data(), tail.size());
  out += '"';
}

void append_time(std::string& out, Time time, bool in_microseconds) {
  append_number(out, static_cast<std::uint64_t>(in_microseconds ? to_us(time) : to_ms(time)));
}

void append_last_instant(std::string& out, Time end, bool in_microseconds) {
  append_time(out, end - (in_microseconds ? Duration{1us} : Duration{1ms}), in_microseconds);
}

void append_levels(std::string& out, const std::vector<Level>& levels) {
  out += '[';
  for (const auto& level : levels) {
    if (out.back() != '[') out += ',';
    out += '[';
    append_fixed(out, level.price);
    out += ',';
    append_fixed(out, level.size);
    out += ']';
  }
  out += ']';
}

Decimal Window::change() const {
  return Decimal::subtract(bar.close, bar.open).value_or(Decimal{});
}

Decimal Window::change_percent() const {
  const auto share = Decimal::divide(change(), bar.open).value_or(Decimal{});
  return Decimal::multiply(share, Decimal{100}).value_or(Decimal{});
}

Decimal Window::weighted_average() const {
  return Decimal::divide(bar.quote_volume, bar.volume).value_or(Decimal{});
}

Window window(Market& market, std::size_t listing, Time from, Time to) {
  Window made{
      .from = from, .to = to, .bar = {}, .price_before = {}, .last_size = {}, .bid = {}, .ask = {}};
  made.bar = market.bar(listing, from, to + 1ns);
  made.price_before = market.price_before(listing, from).value_or(Decimal{});
  if (!made.bar.any) {
    const Decimal price = market.price_before(listing, to).value_or(Decimal{});
    made.bar.open = made.bar.high = made.bar.low = made.bar.close = price;
  } else if (const auto last = market.trades(listing, from, to, 1, true); !last.empty()) {
    made.last_size = last.front().size;
  }
  const Book book = market.book(listing, to, 1);
  if (!book.bids.empty()) made.bid = book.bids.front();
  if (!book.asks.empty()) made.ask = book.asks.front();
  return made;
}

MarkPrice mark_price(Market& market, std::size_t listing, Time at) {
  constexpr Duration funding_period = 8h;
  const Decimal price = market.price_before(listing, at + 1ns).value_or(Decimal{});
  const auto share = [&](int count, int digits) {
    const auto part = Decimal::from_count(price.count() / 1'000'000 * count);
    return Decimal::parse(part.to_fixed(digits)).value_or(Decimal{});
  };
  const auto period = at.time_since_epoch() / funding_period;
  // From -0.01 % to 0.03 %, by the period.
  const auto step = static_cast<int>((period * 7) % 5) - 1;
  return {.mark = Decimal::from_count(price.count() + share(20, 8).count()),
          .index = Decimal::from_count(price.count() - share(30, 8).count()),
          .funding_rate = Decimal::from_count(int128{step} * 100'000'000'000'000),
          .next_funding = next_multiple(at, funding_period)};
}

// Made of what was traded in the last hour.
Decimal open_interest(Market& market, std::size_t listing, Time at) {
  const Bar hour = market.bar(listing, at - 1h, at);
  const Decimal least = Decimal{1000};
  return Decimal::from_count(least.count() + hour.volume.count());
}

std::vector<AggregateTrade> aggregates(std::span<const MarketTrade> trades) {
  std::vector<AggregateTrade> made;
  for (const auto& trade : trades) {
    if (made.empty() || made.back().first.aggregate_id != trade.aggregate_id) {
      made.push_back({.first = trade, .last_id = 0, .size = {}});
    }
    AggregateTrade& one = made.back();
    one.last_id = trade.id + trade.matches - 1;
    one.size = Decimal::from_count(one.size.count() + trade.size.count());
  }
  return made;
}

}  // namespace candlewick::simulator::binance
