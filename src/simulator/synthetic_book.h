// The order book of a synthetic market: a function of the number of its step, so that a snapshot
// needs no history. Each taker order makes six steps: the quotes move to where it will trade, it
// trades, and deeper levels change four times until the next one.
#pragma once

#include "simulator/market.h"

namespace candlewick::simulator {

class SyntheticMarket;
struct Order;

struct BookShape {
  std::uint64_t seed = 0;
  Decimal tick;
  Decimal step;
  std::int64_t price_ticks = 0;  // about what it costs: the ladder's width is a share of it
  double mean_steps = 1.0;       // of an order
};

class SyntheticBook final : public BookSteps {
 public:
  SyntheticBook(SyntheticMarket& market, std::size_t listing, const BookShape& shape);

  std::uint64_t step_at(Time time) override;
  Time time_of(std::uint64_t step) override;
  Book book(std::uint64_t step, std::size_t levels) override;

 private:
  struct Top;
  Top top(std::uint64_t step);
  std::int64_t size_at(bool is_bid, std::int64_t ticks, std::uint64_t step) const;
  void side(bool is_bid, std::int64_t best, std::int64_t best_size, std::uint64_t step,
            std::size_t levels, std::vector<Level>& out) const;

  SyntheticMarket& market_;
  std::size_t listing_;
  BookShape shape_;
  std::int64_t grid_ = 1;   // ticks between the levels away from the top
  std::int64_t width_ = 1;  // ticks
};

}  // namespace candlewick::simulator
