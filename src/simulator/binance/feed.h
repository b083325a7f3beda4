// What the files of Binance's streams share: where a stream's facts come from, and one maker for
// each kind of stream.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/binance/binance.h"

namespace candlewick::simulator::binance {

// One stream of one listing.
struct Source {
  Context context;
  std::size_t listing = 0;
  bool micros = false;

  Market& market() const { return context.market; }
  bool is_futures() const { return context.flavour.is_futures; }
  const std::string& symbol() const {
    return context.market.listings()[listing].instrument.exchange_symbol;
  }
  bool is_gone() const { return context.faults.has_vanished(symbol()); }

  void time(std::string& out, Time value) const { append_time(out, value, micros); }
  // {"e":"trade","E":1672515782136,"s":"BNBBTC"
  void begin(std::string& out, std::string_view event, Time at) const {
    out += R"({"e":")";
    out += event;
    out += R"(","E":)";
    time(out, at + context.faults.settings().skew);
    out += R"(,"s":")";
    out += symbol();
    out += '"';
  }
};

// Members after the first: ,"key":value
void field(std::string& out, std::string_view key, Decimal value);
void field(std::string& out, std::string_view key, std::uint64_t value);
void field(std::string& out, std::string_view key, bool value);

// The first multiple of the period after that instant.
constexpr Time next_multiple(Time after, Duration period) {
  return Time{after.time_since_epoch() / period * period + period};
}

// By what stands behind the symbol's "@"; null for what does not exist.
// trade, aggTrade
std::unique_ptr<Feed> make_trade_feed(const Source& source, std::string_view name, Time now);
// bookTicker, depth, depth@100ms, depth5, depth20@1000ms
std::unique_ptr<Feed> make_book_feed(const Source& source, std::string_view name, Time now);
// kline_1m, kline_1d@+08:00
std::unique_ptr<Feed> make_candle_feed(const Source& source, std::string_view name, Time now);
// ticker, miniTicker, avgPrice, ticker_1h, ticker_4h, ticker_1d
std::unique_ptr<Feed> make_statistics_feed(const Source& source, std::string_view name, Time now);

}  // namespace candlewick::simulator::binance
