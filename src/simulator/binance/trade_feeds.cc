// Trades and aggregates of trades, as they happen.
#include <algorithm>

#include "simulator/binance/feed.h"

namespace candlewick::simulator::binance {
namespace {

// Walks through the trades after an instant.
class TradeCursor {
 public:
  TradeCursor(Market& market, std::size_t listing, Time after)
      : market_(market), listing_(listing), minute_(minute_of(after)) {
    minute_ = std::max(minute_, minute_of(market.known_from(listing)));
    const auto trades = market_.minute_trades(listing_, minute_);
    while (at_ < trades.size() && trades[at_].time <= after) ++at_;
  }

  // Valid until the next call. Null: no more.
  const MarketTrade* peek() {
    while (time_of_minute(minute_) < market_.known_until(listing_)) {
      const auto trades = market_.minute_trades(listing_, minute_);
      if (at_ < trades.size()) return &trades[at_];
      ++minute_;
      at_ = 0;
    }
    return nullptr;
  }
  void pop() { ++at_; }

 private:
  Market& market_;
  std::size_t listing_;
  std::int64_t minute_;
  std::size_t at_ = 0;
};

class TradeFeed final : public Feed {
 public:
  TradeFeed(const Source& source, Time now)
      : source_(source), cursor_(source.market(), source.listing, now) {}

  std::optional<Time> next() override {
    const auto* trade = cursor_.peek();
    return trade == nullptr ? std::nullopt : std::optional{trade->time};
  }

  bool emit(std::string& out) override {
    const MarketTrade trade = *cursor_.peek();
    cursor_.pop();
    if (source_.is_gone()) return false;
    source_.begin(out, "trade", trade.time);
    field(out, "t", trade.id);
    field(out, "p", trade.price);
    field(out, "q", trade.size);
    out += ",\"T\":";
    source_.time(out, trade.time);
    if (source_.is_futures()) out += R"(,"X":"MARKET")";
    field(out, "m", !trade.taker_is_buyer);
    if (!source_.is_futures()) field(out, "M", true);
    out += '}';
    return true;
  }
  int rank() const override { return 1; }

 private:
  Source source_;
  TradeCursor cursor_;
};

class AggregateTradeFeed final : public Feed {
 public:
  AggregateTradeFeed(const Source& source, Time now)
      : source_(source), cursor_(source.market(), source.listing, now) {}

  std::optional<Time> next() override {
    const auto* trade = cursor_.peek();
    return trade == nullptr ? std::nullopt : std::optional{trade->time};
  }

  bool emit(std::string& out) override {
    std::vector<MarketTrade> trades{*cursor_.peek()};
    cursor_.pop();
    for (const auto* more = cursor_.peek();
         more != nullptr && more->aggregate_id == trades.front().aggregate_id;
         more = cursor_.peek()) {
      trades.push_back(*more);
      cursor_.pop();
    }
    if (source_.is_gone()) return false;
    const AggregateTrade one = aggregates(trades).front();
    source_.begin(out, "aggTrade", one.first.time);
    field(out, "a", one.first.aggregate_id);
    field(out, "p", one.first.price);
    field(out, "q", one.size);
    field(out, "f", one.first.id);
    field(out, "l", one.last_id);
    out += ",\"T\":";
    source_.time(out, one.first.time);
    field(out, "m", !one.first.taker_is_buyer);
    if (!source_.is_futures()) field(out, "M", true);
    out += '}';
    return true;
  }
  int rank() const override { return 1; }

 private:
  Source source_;
  TradeCursor cursor_;
};

}  // namespace

std::unique_ptr<Feed> make_trade_feed(const Source& source, std::string_view name, Time now) {
  if (name == "trade") return std::make_unique<TradeFeed>(source, now);
  if (name == "aggTrade") return std::make_unique<AggregateTradeFeed>(source, now);
  return nullptr;
}

}  // namespace candlewick::simulator::binance
