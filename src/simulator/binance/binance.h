// Binance spot's public protocol, Binance.US's, which is the same with other limits, and that of
// USD-M futures: REST under /api/v3 or /fapi (rest.cc), streams under /ws and /stream (streams.cc),
// those of futures at two paths.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_binance(Market& market, const Faults& faults);
std::unique_ptr<Protocol> make_binance_us(Market& market, const Faults& faults);
std::unique_ptr<Protocol> make_binance_usdm(Market& market, const Faults& faults);

namespace binance {

// What they differ in. Facts: binance-spot-api-docs (2026-07), binance-us-api-docs (2024-06),
// developers.binance.com on USD-M futures (2026-11).
struct Flavour {
  std::string_view name;
  bool is_futures;
  std::size_t messages_per_second;
  std::size_t most_candles;
  std::size_t most_levels;
  Duration candle_period;
  int weight_per_minute;
  int raw_requests_per_5_minutes;
  Duration ping_interval;
  bool has_seconds;       // candles of 1s
  bool has_microseconds;  // timeUnit=MICROSECOND
  int exchange_info_weight;
  std::array<int, 4> klines_weights;  // less than 100, less than 500, up to 1000, more
  std::array<int, 4> depth_weights;   // up to 100, 500, 1000 and 5000 levels
  std::array<int, 4> ticker_weights;  // 24hr: one symbol, up to 20, up to 100, more or all
  int trades_weight;
  int aggregate_trades_weight;
  int price_weight;
  int all_prices_weight;
};

// Everything that a request or a stream needs to know.
struct Context {
  Market& market;
  const Faults& faults;
  const Flavour& flavour;
};

std::unique_ptr<Feed> make_feed(const Context& context, std::string_view stream,
                                bool in_microseconds, Time now);

int weight_of(const Context& context, const Request& request);
Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, int code, std::string_view message);

// What futures have beside their prices, made of the last price.
struct MarkPrice {
  Decimal mark;
  Decimal index;
  Decimal funding_rate;
  Time next_funding;
};
MarkPrice mark_price(Market& market, std::size_t listing, Time at);
Decimal open_interest(Market& market, std::size_t listing, Time at);

// Statistics over a window that ends at `to` (included), with what tickers tell beside the bar.
struct Window {
  Time from;
  Time to;
  Bar bar;
  Decimal price_before;  // of the last trade before the window; zero: none
  Decimal last_size;
  Level bid;
  Level ask;

  Decimal change() const;
  Decimal change_percent() const;
  Decimal weighted_average() const;
};
Window window(Market& market, std::size_t listing, Time from, Time to);

// Trades of one taker order at one price, as one.
struct AggregateTrade {
  MarketTrade first;
  std::uint64_t last_id = 0;
  Decimal size;
};
// Of one minute, in order.
std::vector<AggregateTrade> aggregates(std::span<const MarketTrade> trades);

// Binance writes every decimal in quotes with eight fractional digits.
void append_fixed(std::string& out, Decimal value);
void append_number(std::string& out, std::uint64_t value);
void append_time(std::string& out, Time time, bool in_microseconds);
// The last instant before `end`, in the unit used.
void append_last_instant(std::string& out, Time end, bool in_microseconds);
void append_levels(std::string& out, const std::vector<Level>& levels);

}  // namespace binance
}  // namespace candlewick::simulator
