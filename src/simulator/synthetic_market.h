// A market made of hashes of a seed: prices, trades and books of any minute can be worked out by
// themselves, months back or ahead, and are the same each time. Trade ids are consecutive because
// the number of trades before a day is a sum of one hash a day, and within it a sum over minutes.
#pragma once

#include <array>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "simulator/market.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

struct SyntheticOptions {
  std::string exchange = "binance";
  std::uint64_t seed = 1;
  Time start;                        // history goes back at least 60 days from here
  std::vector<std::string> symbols;  // empty: a default set; "BTCUSDT" or "BTC/USDT"
  double activity = 1.0;             // times as many trades
};

// One taker order at one price: an aggregate of one to three trades.
struct Order {
  Time time;
  std::int64_t price_ticks = 0;
  std::int64_t spread_ticks = 1;  // to the other side of the book
  std::int64_t size_steps = 0;    // of all its trades
  bool taker_is_buyer = false;
};

class SyntheticBook;

class SyntheticMarket final : public Market {
 public:
  // Error: misconfigured when a symbol cannot be taken apart into base and quote.
  static Result<std::unique_ptr<SyntheticMarket>> make(SyntheticOptions options);
  ~SyntheticMarket() override;

  Bar bar(std::size_t listing, Time from, Time to) override;
  std::span<const MarketTrade> minute_trades(std::size_t listing, std::int64_t minute) override;
  std::optional<std::int64_t> minute_of_trade(std::size_t listing, std::uint64_t id) override;
  std::optional<std::int64_t> minute_of_aggregate(std::size_t listing, std::uint64_t id) override;
  Book book(std::size_t listing, Time at, std::size_t levels) override;
  BookSteps* book_steps(std::size_t listing) override;
  std::span<const RecordedFrame> recorded(std::string_view) override { return {}; }
  Time known_from(std::size_t) override { return known_from_; }
  Time known_until(std::size_t) override { return known_until_; }
  bool is_young() const override { return true; }
  bool fills_quiet_candles() const override {
    return simulator::fills_quiet_candles(options_.exchange);
  }
  Timeframe shortest() const override { return Timeframe::s1; }
  Time default_start() const override { return options_.start; }
  Result<void> set_events(const MarketEvents& events) override;

  // For the book. Orders are counted from 0 since the beginning of all days.
  std::uint64_t orders_before(std::size_t listing, std::int64_t minute);
  const Order& order(std::size_t listing, std::uint64_t number);
  std::span<const Order> minute_orders(std::size_t listing, std::int64_t minute);

 private:
  struct Pair;
  struct Asset;
  struct Day {
    std::int64_t day = -1;
    std::uint64_t first_order = 0;
    std::vector<std::uint32_t> before;  // orders of the day before each minute; the last: all
  };
  struct Minute {
    std::int64_t minute = -1;
    std::vector<Order> orders;
    std::vector<MarketTrade> trades;
    bool has_trades = false;
  };
  // From that order on, ids are those of the undisturbed market plus this.
  struct Renumbering {
    std::uint64_t first_order = 0;
    std::int64_t trades = 0;
    std::int64_t aggregates = 0;
  };
  struct DayBars {
    std::vector<Bar> minutes;
    std::list<std::pair<std::size_t, std::int64_t>>::iterator age;
  };

  explicit SyntheticMarket(SyntheticOptions options);
  Result<void> list(const std::string& symbol);
  std::vector<Asset> known_assets() const;

  bool is_blacked_out(Time time) const;
  std::uint64_t orders_until(std::size_t listing, Time time);
  void renumber(std::size_t listing, const MarketEvents& events);
  Renumbering renumbering_of(const Pair& pair, std::uint64_t order) const;
  template <class OrderOf>
  std::optional<std::int64_t> minute_of_id(std::size_t listing, std::uint64_t id, OrderOf order_of);
  std::optional<std::int64_t> minute_of_order(std::size_t listing, std::uint64_t number);
  double log_price(const Pair& pair, std::int64_t minute) const;
  double asset_log_price(const Asset& asset, double minutes) const;
  const Day& day(std::size_t listing, std::int64_t day);
  void number_days(Pair& pair, std::int64_t until);
  void make_orders(std::size_t listing, std::int64_t minute, std::vector<Order>& out);
  void make_trades(std::size_t listing, std::uint64_t first_order, std::span<const Order> orders,
                   std::vector<MarketTrade>& out) const;
  Minute& minute_slot(std::size_t listing, std::int64_t minute);
  const std::vector<Bar>& minute_bars(std::size_t listing, std::int64_t day);
  const Bar& day_bar(std::size_t listing, std::int64_t day);

  friend class SyntheticBook;
  SyntheticOptions options_;
  Time known_from_;
  Time known_until_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  // Minute bars of whole days, the least recently used thrown away.
  std::unordered_map<std::uint64_t, DayBars> bars_;
  std::list<std::pair<std::size_t, std::int64_t>> ages_;
};

}  // namespace candlewick::simulator
