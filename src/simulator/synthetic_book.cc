// Levels lie on a fixed grid of prices, and at a few distances from the best one. The size at a
// price is a hash of the price and of a count that goes up every few hundred steps, at another
// moment for each price: so a step changes a handful of levels.
#include "simulator/synthetic_book.h"

#include <algorithm>
#include <array>

#include "simulator/noise.h"
#include "simulator/synthetic_market.h"

namespace candlewick::simulator {
namespace {

constexpr std::uint64_t steps_per_order = 6;
constexpr std::uint64_t period = 300;
constexpr std::int64_t grid_levels = 500;
constexpr std::array<std::int64_t, 10> near{0, 1, 2, 4, 7, 11, 16, 22, 30, 40};
constexpr Duration quotes_lead = std::chrono::milliseconds{2};

}  // namespace

struct SyntheticBook::Top {
  std::int64_t bid = 0;
  std::int64_t bid_size = 0;
  std::int64_t ask = 0;
  std::int64_t ask_size = 0;
};

SyntheticBook::SyntheticBook(SyntheticMarket& market, std::size_t listing, const BookShape& shape)
    : market_(market), listing_(listing), shape_(shape) {
  width_ = std::max<std::int64_t>(60, shape.price_ticks / 50);
  grid_ = std::max<std::int64_t>(1, width_ / grid_levels);
}

// Steps are numbered from 1 so that 0 is before all of them.
Time SyntheticBook::time_of(std::uint64_t step) {
  const std::uint64_t order = (step - 1) / steps_per_order;
  const std::uint64_t kind = (step - 1) % steps_per_order;
  const auto to_whole_ms = [](Time time) -> Time {
    return std::chrono::floor<std::chrono::milliseconds>(time);
  };
  if (kind == 1) return market_.order(listing_, order).time;
  if (kind == 0) {
    const Time time = market_.order(listing_, order).time;
    if (order == 0) return time;
    return std::max(time_of(step - 1), time - quotes_lead);
  }
  const Time from = market_.order(listing_, order).time;
  const Time to = market_.order(listing_, order + 1).time;
  return to_whole_ms(from + (to - from) * static_cast<std::int64_t>(kind - 1) / 5);
}

std::uint64_t SyntheticBook::step_at(Time time) {
  const std::int64_t minute = minute_of(time);
  std::uint64_t orders = market_.orders_before(listing_, minute);
  for (const auto& order : market_.minute_orders(listing_, minute)) {
    if (order.time > time) break;
    ++orders;
  }
  if (orders == 0) return 0;
  std::uint64_t step = (orders - 1) * steps_per_order + 2;
  while (time_of(step + 1) <= time) ++step;
  return step;
}

SyntheticBook::Top SyntheticBook::top(std::uint64_t step) {
  const std::uint64_t number = (step - 1) / steps_per_order;
  const bool before_trade = (step - 1) % steps_per_order == 0;
  const Order order = market_.order(listing_, number);
  const std::uint64_t hash = mix(shape_.seed, 0x70, number);
  const auto rest = [&](std::uint64_t draw) {
    return 1 + static_cast<std::int64_t>(shape_.mean_steps * 4.0 * fraction(draw));
  };
  const std::int64_t taken = rest(hash) + (before_trade ? order.size_steps : 0);
  const std::int64_t other = rest(mix(hash));
  if (order.taker_is_buyer) {
    return {.bid = order.price_ticks - order.spread_ticks,
            .bid_size = other,
            .ask = order.price_ticks,
            .ask_size = taken};
  }
  return {.bid = order.price_ticks,
          .bid_size = taken,
          .ask = order.price_ticks + order.spread_ticks,
          .ask_size = other};
}

std::int64_t SyntheticBook::size_at(bool is_bid, std::int64_t ticks, std::uint64_t step) const {
  const std::uint64_t price =
      mix(shape_.seed + (is_bid ? 1 : 2), static_cast<std::uint64_t>(ticks));
  const std::uint64_t generation = (step + price % period) / period;
  const double luck = fraction(mix(price, generation));
  return 1 + static_cast<std::int64_t>(shape_.mean_steps * (0.2 + 6.0 * luck * luck));
}

void SyntheticBook::side(bool is_bid, std::int64_t best, std::int64_t best_size, std::uint64_t step,
                         std::size_t levels, std::vector<Level>& out) const {
  const std::int64_t away = is_bid ? -1 : 1;
  const int128 tick = shape_.tick.count();
  const int128 unit = shape_.step.count();
  const auto put = [&](std::int64_t ticks, std::int64_t size) {
    out.push_back({Decimal::from_count(ticks * tick), Decimal::from_count(size * unit)});
  };
  // The far edge moves in jumps, so that it rarely moves.
  const std::int64_t block = 32 * grid_;
  const std::int64_t edge = is_bid ? std::max<std::int64_t>(1, (best - width_) / block * block)
                                   : ((best + width_) / block + 1) * block;
  std::int64_t grid = is_bid ? (best - 1) / grid_ * grid_ : (best / grid_ + 1) * grid_;
  put(best, best_size);
  std::size_t next_near = 1;
  while (out.size() < levels) {
    const bool near_left = next_near < near.size();
    const std::int64_t close = near_left ? best + away * near[next_near] : 0;
    const bool take_near = near_left && (is_bid ? close >= grid : close <= grid);
    const std::int64_t ticks = take_near ? close : grid;
    if (is_bid ? ticks < edge : ticks > edge) break;
    if (take_near) ++next_near;
    if (ticks == grid) grid += away * grid_;
    put(ticks, size_at(is_bid, ticks, step));
  }
}

Book SyntheticBook::book(std::uint64_t step, std::size_t levels) {
  Book made;
  made.sequence = step;
  if (step == 0 || levels == 0) return made;
  const Top best = top(step);
  const auto room = std::min<std::size_t>(levels, 2 * grid_levels);
  made.bids.reserve(room);
  made.asks.reserve(room);
  side(true, best.bid, best.bid_size, step, levels, made.bids);
  side(false, best.ask, best.ask_size, step, levels, made.asks);
  return made;
}

}  // namespace candlewick::simulator
